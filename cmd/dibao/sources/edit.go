package sources

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"dibao/cmd/dibao/cli"
	"dibao/cmd/dibao/flags"
	"dibao/feed"
	"dibao/feed/sourcelist"
)

// withSource opens the database and finds the source that an argument names.
func withSource(p Program, f func(cmd *cobra.Command, n *Node, s feed.Source) error) func(*cobra.Command, []string) error {
	return verb(p, func(cmd *cobra.Command, args []string, n *Node) error {
		s, err := n.Articles.SourceByRef(cmd.Context(), args[0])
		if err != nil {
			return err
		}
		return f(cmd, n, s)
	})
}

func newSourceEdit(p Program) *cobra.Command {
	var changes feed.Source
	cmd := &cobra.Command{
		Use:   "edit SOURCE",
		Short: "Edit a source; settings without a flag stay as they are",
		Example: "  dibao source edit 3 --item 'ul.list li' --date span --content '#zoom'\n" +
			"  dibao source edit 民政部 --interval 30m",
		Args: cobra.ExactArgs(1),
	}
	addSourceFlags(cmd, &changes)
	flags.WithoutDefaults(cmd.Flags())
	address := cmd.Flags().String("url", "", "new address")
	isPrivate := cmd.Flags().Bool("private", false, privateHelp)
	edit := withSource(p, func(cmd *cobra.Command, n *Node, s feed.Source) error {
		// The flags from the command line are applied again, to the stored source.
		before := s
		stored := &cobra.Command{}
		addSourceFlags(stored, &s)
		s = before // defining the flags overwrote fields with their defaults
		var err error
		cmd.Flags().Visit(func(f *pflag.Flag) {
			if stored.Flags().Lookup(f.Name) != nil && err == nil {
				err = stored.Flags().Set(f.Name, f.Value.String())
			}
		})
		if err != nil {
			return err
		}
		if *address != "" {
			s.URL = *address
		}
		if cmd.Flags().Changed("private") {
			s.Private = ""
			if *isPrivate {
				s.PermitPrivate()
			}
		}
		if err := n.Articles.UpdateSource(cmd.Context(), s); err != nil {
			return err
		}
		look := "see it with: dibao source show"
		if s.URL != before.URL || s.Kind != before.Kind || s.Settings != before.Settings || s.Proxy != before.Proxy || s.UserAgent != before.UserAgent || s.Private != before.Private {
			look = "try it with: dibao source test"
		}
		p.Say(cmd, "source %d (%s) changed; %s %d", s.ID, s.Name, look, s.ID)
		if s.Settings.Content != before.Settings.Content || s.Settings.Charset != before.Settings.Charset {
			p.Say(cmd, "its stored articles keep their texts; to read their pages again: dibao article reread --fetch --source %d", s.ID)
		}
		return nil
	})
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if len(flags.Given(cmd)) == 0 {
			return cli.Usagef("no change was specified; see: dibao source edit --help")
		}
		return edit(cmd, args)
	}
	return cmd
}

// newSourceActions returns the commands that do one thing to one source.
func newSourceActions(p Program) []*cobra.Command {
	type action struct {
		use, short string
		do         func(ctx context.Context, st *feed.Store, s feed.Source) (string, error)
	}
	var cmds []*cobra.Command
	for _, v := range []action{
		{"pause", "Pause a source until it is resumed", func(ctx context.Context, st *feed.Store, s feed.Source) (string, error) {
			return "paused; start it again with: dibao source resume " + fmt.Sprint(s.ID), st.PauseSource(ctx, s.ID)
		}},
		{"resume", "Resume collecting a source that is paused, gone or failing", func(ctx context.Context, st *feed.Store, s feed.Source) (string, error) {
			return "is due now", st.ResumeSource(ctx, s.ID)
		}},
		{"release", "Release articles that were held back because many came at once", func(ctx context.Context, st *feed.Store, s feed.Source) (string, error) {
			n, err := st.ReleaseSource(ctx, s.ID)
			return fmt.Sprintf("%d articles released", n), err
		}},
	} {
		cmds = append(cmds, &cobra.Command{
			Use: v.use + " SOURCE", Short: v.short, Args: cobra.ExactArgs(1),
			RunE: withSource(p, func(cmd *cobra.Command, n *Node, s feed.Source) error {
				done, err := v.do(cmd.Context(), n.Articles, s)
				if err == nil {
					p.Say(cmd, "source %d (%s): %s", s.ID, s.Name, done)
				}
				return err
			}),
		})
	}
	return cmds
}

func newSourceExport(p Program) *cobra.Command {
	var format string
	cmd := &cobra.Command{
		Use:   "export",
		Short: "Export sources as OPML (feeds only) or TSV (all, with selectors)",
		Args:  cobra.NoArgs,
		RunE: verb(p, func(cmd *cobra.Command, _ []string, n *Node) error {
			all, err := n.Articles.Sources(cmd.Context())
			if err != nil {
				return err
			}
			if format == "tsv" {
				return sourcelist.WriteTSV(cmd.OutOrStdout(), all)
			}
			left, err := sourcelist.WriteOPML(cmd.OutOrStdout(), "dibao", all)
			if err == nil && left > 0 {
				p.Say(cmd, "%d sources have no feed and so no place in the OPML; --format tsv writes all", left)
			}
			return err
		}),
	}
	flags.Choice(cmd.Flags(), &format, "format", "opml", []string{"opml", "tsv"}, "format")
	return cmd
}
