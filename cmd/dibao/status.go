package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"dibao/cmd/dibao/status"
)

func newStatus(g *globals) *cobra.Command {
	var watch bool
	var every time.Duration
	cmd := &cobra.Command{
		Use:   "status",
		Short: "Show the state of sources, issues, mail and the machine on one screen",
		Long: "Shows sources by state with the worst first, the next issues with how many articles match, the last mailings,\n" +
			"reports of the last seven days, the disk and the version. --watch shows it again every few seconds until Ctrl-C.",
		RunE: g.verb(func(cmd *cobra.Command, _ []string, a *app) error {
			if every < time.Second {
				return usagef("--every is %s; it must be at least 1s", every)
			}
			for {
				st, err := a.node().Read(cmd.Context())
				if watch && errors.Is(err, context.Canceled) {
					return nil
				}
				if err != nil {
					return err
				}
				out := cmd.OutOrStdout()
				if g.json {
					err = writeJSON(out, st.JSON())
				} else {
					if watch {
						fmt.Fprint(out, "\x1b[H\x1b[2J") // clears the screen
					}
					st.Print(out, g.chinese)
				}
				if err != nil || !watch {
					return err
				}
				select {
				case <-cmd.Context().Done():
					return nil
				case <-time.After(every):
				}
			}
		}),
	}
	cmd.Flags().BoolVar(&watch, "watch", false, "refresh until Ctrl-C")
	cmd.Flags().DurationVar(&every, "every", 5*time.Second, "interval between refreshes with --watch")
	return cmd
}

// node returns the node whose status is read.
func (a *app) node() status.Node {
	return status.Node{DB: a.db, Articles: a.articles, Digest: a.digest, Subscribers: a.subscribers, Zone: a.config.Schedule.Zone, Log: a.log}
}
