package main

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"dibao/internal/database"
	"dibao/internal/nodes"
	"dibao/internal/redact"
)

func newMigrate(g *globals) *cobra.Command {
	var to string
	var stay bool
	cmd := &cobra.Command{
		Use:   "migrate",
		Short: "Migrate the database to the schema of this program, or move it to another database",
		Long: "With --to, copies everything from the configured database into an empty one, SQLite or PostgreSQL, and compares each\n" +
			"table of the two. Stop dibao serve first. From then on dibao refuses to use the old database, so that nobody gets an\n" +
			"email twice; --stay opens it again. If the migration is interrupted, run it again.",
		Example: "  dibao migrate\n  dibao migrate --to postgres://dibao@localhost/dibao",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if to != "" && stay {
				return usagef("--to and --stay are mutually exclusive")
			}
			db, err := g.openDatabase(cmd)
			if err != nil {
				return err
			}
			defer db.Close()
			before, _, err := db.Version(cmd.Context())
			if err != nil {
				return err
			}
			if err := db.Migrate(cmd.Context()); err != nil {
				return err
			}
			after, _, err := db.Version(cmd.Context())
			if err != nil {
				return err
			}
			switch {
			case stay:
				if err := db.Reopen(cmd.Context()); err != nil {
					return err
				}
				g.say(cmd, "%s can be used again", db)
			case to != "":
				return g.move(cmd, db, to)
			}
			if g.json {
				return writeJSON(cmd.OutOrStdout(), map[string]any{"database": db.String(), "from": before, "to": after})
			}
			g.say(cmd, "%s: schema %d → %d", db, before, after)
			return nil
		},
	}
	cmd.Flags().StringVar(&to, "to", "", "move to this database, such as postgres://dibao@localhost/dibao")
	cmd.Flags().BoolVar(&stay, "stay", false, "use this database again after its data was moved")
	return cmd
}

// move copies the database to another one, which is not in use yet.
func (g *globals) move(cmd *cobra.Command, db *database.DB, address string) error {
	ctx := cmd.Context()
	list, err := nodes.List(ctx, db)
	if err != nil {
		return err
	}
	if i := slices.IndexFunc(list, func(n nodes.Node) bool { return !n.Gone && !n.Ended() }); i >= 0 {
		return fmt.Errorf("%s, process %d, is using %s; stop it and migrate again", list[i].Host, list[i].PID, db)
	}
	c, err := g.loadConfig()
	if err != nil {
		return err
	}
	c.Database.URL, c.Database.ReadURL = redact.Address(address), ""
	target, err := database.Open(ctx, address, database.Options{})
	if err != nil {
		return err
	}
	defer target.Close()
	if target.String() == db.String() {
		return usagef("--to names the configured database, %s; specify another", db)
	}
	rows, err := db.MoveTo(ctx, target, time.Now())
	if err != nil {
		return err
	}
	a, err := newApp(ctx, c, target, slog.New(slog.DiscardHandler), time.Now)
	if err != nil {
		return err
	}
	if _, err := a.articles.IndexAll(context.WithoutCancel(ctx)); err != nil { // the copy has no search index
		return err
	}
	if g.json {
		return writeJSON(cmd.OutOrStdout(), map[string]any{"from": db.String(), "to": target.String(), "rows": rows})
	}
	g.say(cmd, "%d rows moved from %s to %s; both contain the same data. Set url in [database] to the new one, then start dibao serve", rows, db, target)
	return nil
}
