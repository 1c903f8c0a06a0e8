package main

import (
	"strings"
	"time"

	"github.com/spf13/cobra"

	"dibao/internal/jobs"
	"dibao/internal/nodes"
)

func newNode(g *globals) *cobra.Command {
	cmd := &cobra.Command{Use: "node", SuggestFor: []string{"nodes", "cluster"}, Short: "Show the processes that work on the database"}
	cmd.AddCommand(newNodeList(g))
	return cmd
}

// nodeView is a node in JSON.
type nodeView struct {
	ID        string       `json:"id"`
	Host      string       `json:"host"`
	PID       int          `json:"pid"`
	Version   string       `json:"version"`
	Roles     []nodes.Role `json:"roles"`
	StartedAt time.Time    `json:"started_at"`
	SeenAt    time.Time    `json:"seen_at"`
	Clock     float64      `json:"clock_ahead_seconds"` // how far the clock of this node is ahead of that of the database server
	Leader    bool         `json:"leader"`              // whether it starts the scheduled jobs
	Gone      bool         `json:"gone"`
}

func newNodeList(g *globals) *cobra.Command {
	return &cobra.Command{
		Use:   "list",
		Short: "List the nodes, oldest first",
		Long: "Lists the processes that serve, collect or deliver on this database, and those that ended unexpectedly in the last day.\n" +
			"The leader starts what is scheduled; if it stops, another node takes its place within a minute. Limits of mail servers\n" +
			"and hosts apply to all nodes together.",
		Args: cobra.NoArgs,
		RunE: g.verb(func(cmd *cobra.Command, _ []string, a *app) error {
			all, err := nodes.List(cmd.Context(), a.db)
			if err != nil {
				return err
			}
			leader, err := jobs.Leader(cmd.Context(), a.db)
			if err != nil {
				return err
			}
			views := make([]nodeView, len(all))
			for i, n := range all {
				views[i] = nodeView{n.ID, n.Host, n.PID, n.Version, n.Roles, n.StartedAt, n.SeenAt, n.Clock.Seconds(), n.ID == leader && !n.Gone, n.Gone}
			}
			return printRows(g, cmd, []any{"Host", "PID", "Roles", "Seen", "Status", "Clock", "Version"}, views, func(v nodeView) []any {
				status := "ok"
				if v.Gone {
					status = "gone"
				} else if v.Leader {
					status = "leader"
				}
				return []any{v.Host, v.PID, strings.Split(nodes.JoinRoles(v.Roles), ","), shortTime(v.SeenAt, a.config.Schedule.Zone), status, (time.Duration(v.Clock * float64(time.Second))).String(), v.Version}
			})
		}),
	}
}
