package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"dibao/internal/database"
)

func newBackup(g *globals) *cobra.Command {
	return &cobra.Command{
		Use:   "backup FILE",
		Short: "Write everything in the database to a file, while dibao runs",
		Long: "The file holds sources, articles, lists, readers, consents, issues, deliveries and keys as they stand at one\n" +
			"moment; it restores into SQLite and PostgreSQL alike. Keep it as safe as the database: it names your readers.",
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) (err error) {
			if _, err := os.Stat(args[0]); err == nil && !g.yes {
				return fmt.Errorf("%s is there already; name another file, or overwrite it with --yes", args[0])
			}
			db, err := g.openDatabase(cmd)
			if err != nil {
				return err
			}
			defer db.Close()
			// Written beside its place and then moved: no file of that name is ever half a backup.
			f, err := os.CreateTemp(filepath.Dir(args[0]), ".dibao-backup-*")
			if err != nil {
				return fmt.Errorf("backup %s: %w", args[0], err)
			}
			defer func() {
				if err != nil {
					f.Close()
					err = errors.Join(err, os.Remove(f.Name()))
				}
			}()
			rows, err := db.Backup(cmd.Context(), f, time.Now())
			if err != nil {
				return err
			}
			if err := errors.Join(f.Sync(), f.Close()); err != nil {
				return fmt.Errorf("backup %s: %w", args[0], err)
			}
			if err := os.Rename(f.Name(), args[0]); err != nil {
				return fmt.Errorf("backup: %w", err)
			}
			if g.json {
				return writeJSON(cmd.OutOrStdout(), map[string]any{"file": args[0], "rows": rows})
			}
			g.say(cmd, "%s: %d rows of %s", args[0], rows, db)
			return nil
		},
	}
}

func newRestore(g *globals) *cobra.Command {
	return &cobra.Command{
		Use:   "restore FILE",
		Short: "Read a backup into a new database, SQLite or PostgreSQL",
		Long: "The database must hold nothing yet. Mailings that were on their way when the backup was made are paused, since\n" +
			"some of their mails may have gone out after it: look with «dibao issue report», then resume or cancel them.",
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			f, err := os.Open(args[0])
			if err != nil {
				return fmt.Errorf("restore: %w", err)
			}
			defer f.Close()
			db, err := g.openDatabase(cmd)
			if err != nil {
				return err
			}
			rows, madeAt, err := db.Restore(cmd.Context(), f)
			if err := errors.Join(err, db.Close()); err != nil {
				return err
			}
			a, err := g.open(cmd)
			if err != nil {
				return err
			}
			defer a.close()
			paused, err := a.digest.PauseAll(cmd.Context())
			if err != nil {
				return err
			}
			if _, err := a.articles.Rebuild(cmd.Context()); err != nil { // a backup holds no search index
				return err
			}
			if g.json {
				return writeJSON(cmd.OutOrStdout(), map[string]any{"rows": rows, "made_at": madeAt, "paused": paused})
			}
			g.say(cmd, "%s: %d rows as of %s; %d mailings are paused", a.db, rows, madeAt.Format(time.RFC3339), paused)
			return nil
		},
	}
}

// openDatabase opens the database as it is, of whatever schema.
func (g *globals) openDatabase(cmd *cobra.Command) (*database.DB, error) {
	c, err := g.loadConfig()
	if err != nil {
		return nil, err
	}
	return database.Open(cmd.Context(), c.Database.URL, database.Options{})
}
