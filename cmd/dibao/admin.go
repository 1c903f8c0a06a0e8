package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"time"

	"github.com/spf13/cobra"

	"dibao/internal/config"
	"dibao/internal/database"
	"dibao/internal/mail"
)

func newInit(g *globals) *cobra.Command {
	return &cobra.Command{
		Use:   "init",
		Short: "Write a commented config.toml and make the database; nothing is overwritten",
		RunE: func(cmd *cobra.Command, _ []string) error {
			path := g.configFile
			if path == "" {
				path = "config.toml"
			}
			f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
			if errors.Is(err, os.ErrExist) {
				return fmt.Errorf("%s is there already and is not overwritten; edit it, or name another with --config", path)
			}
			if err != nil {
				return err
			}
			if err := errors.Join(config.Write(f), f.Close()); err != nil {
				return errors.Join(fmt.Errorf("write %s: %w", path, err), os.Remove(path))
			}
			written := *g
			written.configFile = path
			a, err := written.open(cmd)
			if err != nil {
				return errors.Join(err, os.Remove(path)) // nothing half-made stays
			}
			defer a.close()
			abs, err := filepath.Abs(path)
			if err != nil {
				abs = path
			}
			g.say(cmd, "wrote %s and made %s; next: set base_url and [mail] in it, then: dibao source add URL, dibao list create weekly, dibao serve", abs, a.db)
			return nil
		},
	}
}

func newMigrate(g *globals) *cobra.Command {
	return &cobra.Command{
		Use:   "migrate",
		Short: "Bring the database to this program's schema",
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := g.loadConfig()
			if err != nil {
				return err
			}
			db, err := database.Open(cmd.Context(), c.Database.URL, database.Options{})
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
			if g.json {
				return writeJSON(cmd.OutOrStdout(), map[string]any{"database": db.String(), "from": before, "to": after})
			}
			g.say(cmd, "%s: schema %d → %d", db, before, after)
			return nil
		},
	}
}

func newVersion(g *globals) *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Print the version",
		RunE: func(cmd *cobra.Command, _ []string) error {
			version, revision := "devel", "unknown"
			if info, ok := debug.ReadBuildInfo(); ok {
				if info.Main.Version != "" {
					version = info.Main.Version
				}
				for _, s := range info.Settings {
					if s.Key == "vcs.revision" {
						revision = s.Value
					}
				}
			}
			if g.json {
				return writeJSON(cmd.OutOrStdout(), map[string]string{"version": version, "revision": revision, "go": runtime.Version()})
			}
			fmt.Fprintf(cmd.OutOrStdout(), "dibao %s (%s, %s)\n", version, revision, runtime.Version())
			return nil
		},
	}
}

// finding is one line of the doctor.
type finding struct {
	Check  string `json:"check"`
	Status string `json:"status"` // ok, warning, failed
	Text   string `json:"text"`
}

func newDoctor(g *globals) *cobra.Command {
	return &cobra.Command{
		Use:   "doctor",
		Short: "Check configuration, database, sources and mail, and say what to do",
		RunE: func(cmd *cobra.Command, _ []string) error {
			findings := g.examine(cmd)
			if err := printRows(g, cmd, []any{"Check", "Status", "What"}, findings, func(f finding) []any { return []any{f.Check, f.Status, f.Text} }); err != nil {
				return err
			}
			for _, f := range findings {
				if f.Status == "failed" {
					return fmt.Errorf("%s: %s", f.Check, f.Text)
				}
			}
			return nil
		},
	}
}

func (g *globals) examine(cmd *cobra.Command) []finding {
	c, err := g.loadConfig()
	if err != nil {
		return []finding{{"configuration", "failed", oneLine(err)}}
	}
	all := []finding{{"configuration", "ok", "read"}}
	a, err := openApp(cmd.Context(), c, newLogger(c, cmd.ErrOrStderr()), time.Now)
	if err != nil {
		return append(all, finding{"database", "failed", oneLine(err)})
	}
	defer a.close()
	all = append(all, finding{"database", "ok", a.db.String()})
	all = append(all, a.examineSources(cmd.Context(), time.Now())...)
	lists, err := a.subscribers.Lists(cmd.Context())
	switch {
	case err != nil:
		all = append(all, finding{"lists", "failed", oneLine(err)})
	case len(lists) == 0:
		all = append(all, finding{"lists", "warning", "there is none; make one with: dibao list create weekly"})
	default:
		all = append(all, finding{"lists", "ok", fmt.Sprintf("%d", len(lists))})
	}
	return append(all, a.examineMail(cmd.Context()))
}

func (a *app) examineMail(ctx context.Context) finding {
	if a.config.Mail.Host == "" {
		return finding{"mail", "warning", "no server is set: nothing is delivered; set host in [mail]"}
	}
	if _, err := a.deliverer(); err != nil {
		return finding{"mail", "failed", oneLine(err)}
	}
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	conn, err := mail.Dial(ctx, a.server())
	if err != nil {
		return finding{"mail", "failed", oneLine(err)}
	}
	conn.Close()
	return finding{"mail", "ok", a.server().Addr + " answers"}
}
