package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"

	"github.com/spf13/cobra"

	"dibao/cmd/dibao/cli"
	"dibao/internal/config"
	"dibao/internal/database"
)

func newInit(g *globals) *cobra.Command {
	return &cobra.Command{
		Use:   "init",
		Short: "Write a commented config.toml and create the database; existing files are kept",
		RunE: func(cmd *cobra.Command, _ []string) error {
			path := g.configFile
			if path == "" {
				path = "config.toml"
			}
			written := *g
			written.configFile = path
			kept, err := writeConfig(path, g.language())
			if err != nil {
				return err
			}
			if kept {
				if made, err := written.hasDatabase(cmd.Context()); err != nil || made {
					return cmp.Or(err, fmt.Errorf("%s and its database already exist and stay as they are; edit the file, or specify another with --config", path))
				}
			}
			a, err := written.open(cmd)
			if err != nil && !kept {
				err = errors.Join(err, os.Remove(path)) // do not leave an incomplete file
			}
			if err != nil {
				return err
			}
			defer a.close()
			abs, err := filepath.Abs(path)
			if err != nil {
				abs = path
			}
			did := "wrote"
			if kept {
				did = "kept"
			}
			g.say(cmd, "%s %s and created %s; next: set base_url and [mail] in it, then: dibao source add URL, dibao list create weekly, dibao serve", did, abs, a.db)
			return nil
		},
	}
}

// writeConfig writes the defaults to a new file, with comments in a language. If the
// file exists, it returns an error and does not overwrite it.
func writeConfig(path, language string) (kept bool, err error) {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, os.ErrExist) {
		return true, nil
	}
	if err != nil {
		return false, err
	}
	if err := errors.Join(config.Write(f, language), f.Close()); err != nil {
		return false, errors.Join(fmt.Errorf("write %s: %w", path, err), os.Remove(path))
	}
	return false, nil
}

// hasDatabase reports whether the configured database has a schema already.
func (g *globals) hasDatabase(ctx context.Context) (bool, error) {
	c, err := g.loadConfig()
	if err != nil {
		return false, err
	}
	db, err := database.Open(ctx, c.Database.URL.Reveal(), database.Options{})
	if err != nil {
		return false, err
	}
	defer db.Close()
	version, _, err := db.Version(ctx)
	return version > 0, err
}

func newVersion(g *globals) *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Print the version",
		RunE: func(cmd *cobra.Command, _ []string) error {
			version, revision := cli.BuiltFrom()
			if g.json {
				return writeJSON(cmd.OutOrStdout(), map[string]string{"version": version, "revision": revision, "go": runtime.Version()})
			}
			fmt.Fprintln(cmd.OutOrStdout(), cli.VersionLine())
			return nil
		},
	}
}
