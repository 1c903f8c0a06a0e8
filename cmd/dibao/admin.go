package main

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"

	"dibao/internal/config"
	"dibao/internal/database"
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
			version, revision := builtFrom()
			if g.json {
				return writeJSON(cmd.OutOrStdout(), map[string]string{"version": version, "revision": revision, "go": runtime.Version()})
			}
			fmt.Fprintln(cmd.OutOrStdout(), versionLine())
			return nil
		},
	}
}

// builtFrom is the version and the commit that the program was built from.
func builtFrom() (version, revision string) {
	version, revision = "devel", "unknown"
	if info, ok := debug.ReadBuildInfo(); ok {
		version = cmp.Or(info.Main.Version, version)
		for _, s := range info.Settings {
			if s.Key == "vcs.revision" {
				revision = s.Value
			}
		}
	}
	return version, revision
}

func versionLine() string {
	version, revision := builtFrom()
	return fmt.Sprintf("dibao %s (%s, %s)", version, revision, runtime.Version())
}
