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
		Short: "Back up the whole database to a file, also while dibao runs",
		Long: "The file holds sources, articles, lists, readers, consents, issues, deliveries and keys as of one moment. It can be\n" +
			"restored into SQLite or PostgreSQL. Protect it like the database: it contains your readers' addresses.",
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) (err error) {
			if _, err := os.Stat(args[0]); err == nil && !g.yes {
				return fmt.Errorf("%s already exists; specify another file, or overwrite it with --yes", args[0])
			}
			dir := filepath.Dir(args[0])
			if info, err := os.Stat(dir); err != nil || !info.IsDir() {
				return fmt.Errorf("backup %s: the folder %s does not exist; create it first", args[0], dir)
			}
			db, err := g.openDatabase(cmd)
			if err != nil {
				return err
			}
			defer db.Close()
			// The backup is written to a temporary file and then renamed, so that a file of that
			// name is always complete.
			f, err := os.CreateTemp(dir, ".dibao-backup-*")
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
	var send bool
	cmd := &cobra.Command{
		Use:   "restore FILE",
		Short: "Restore a backup into a new database, SQLite or PostgreSQL",
		Long: "The database must be empty. Mailings that were being sent when the backup was made are paused, since some of their\n" +
			"emails may have been sent after it: check \"dibao issue report\", then resume or cancel them. An issue that was due after\n" +
			"the backup may have been sent, too, but the database has no record of it. dibao holds these issues: check them with\n" +
			"\"dibao issue show\", send them or drop them with \"dibao issue drop\", and release the list with\n" +
			"\"dibao list edit NAME --hold=false\". With --send-due, they are sent as usual. Readers who subscribed or unsubscribed\n" +
			"since the backup must do so again.",
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			f, err := os.Open(args[0])
			if err != nil {
				return fmt.Errorf("restore: %w", err)
			}
			defer f.Close()
			if info, err := f.Stat(); err == nil && info.Mode().IsRegular() { // otherwise an empty database would be created
				if err := database.CheckBackup(f); err != nil {
					return fmt.Errorf("%s: %w", args[0], err)
				}
			}
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
			if err := a.subscribers.FillPageKeys(cmd.Context()); err != nil { // backups of earlier versions don't contain them
				return err
			}
			paused, err := a.digest.PauseAll(cmd.Context())
			if err != nil {
				return err
			}
			due, err := a.digest.DueSinceBackup(cmd.Context())
			if err != nil {
				return err
			}
			if !send {
				if err := a.digest.HoldLists(cmd.Context(), due); err != nil {
					return err
				}
			}
			if _, err := a.articles.IndexAll(cmd.Context()); err != nil { // a backup doesn't contain the search index
				return err
			}
			names := make([]string, len(due))
			for i, d := range due {
				names[i] = d.List.Slug
			}
			if g.json {
				return writeJSON(cmd.OutOrStdout(), map[string]any{"rows": rows, "made_at": madeAt, "paused": paused, "due": names, "held": !send && len(due) > 0})
			}
			g.say(cmd, "%s: %d rows as of %s; %d mailings are paused", a.db, rows, shortTime(madeAt, a.config.Schedule.Zone), paused)
			for _, d := range due {
				if send {
					g.say(cmd, "%s was due %s: dibao serve composes and sends it, even if it was already sent after the backup", d.List.Slug, shortTime(d.At, a.config.Schedule.Zone))
				} else {
					g.say(cmd, "%s was due %s and may have been sent after the backup: its issues are held. Send one with: dibao issue send %s; drop one that was sent with: dibao issue drop %s NUMBER; then: dibao list edit %s --hold=false",
						d.List.Slug, shortTime(d.At, a.config.Schedule.Zone), d.List.Slug, d.List.Slug, d.List.Slug)
				}
			}
			return nil
		},
	}
	cmd.Flags().BoolVar(&send, "send-due", false, "do not hold lists that were due after the backup was made")
	return cmd
}

// openDatabase opens the database as it is, without changing its schema.
func (g *globals) openDatabase(cmd *cobra.Command) (*database.DB, error) {
	c, err := g.loadConfig()
	if err != nil {
		return nil, err
	}
	return database.Open(cmd.Context(), c.Database.URL.Reveal(), database.Options{})
}
