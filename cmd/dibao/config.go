package main

import (
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"dibao/cmd/dibao/cli"
	"dibao/internal/config"
)

func newConfig(g *globals) *cobra.Command {
	return &cobra.Command{
		Use:   "config",
		Short: "Print the effective configuration and where each value came from; secrets are hidden",
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := g.loadConfig()
			if err != nil {
				return err
			}
			return printRows(g, cmd, []any{"Key", "Value", "From"}, c.Settings, func(s config.Setting) []any {
				return []any{"[" + s.Section + "] " + s.NameInFile(), s.Value, s.From}
			})
		},
	}
}

func newMan() *cobra.Command {
	return &cobra.Command{
		Use:   "man DIR",
		Short: "Write the manual pages, one for each command, into a folder",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			publishFiles() // manual pages must be readable by others
			if err := os.MkdirAll(args[0], 0o755); err != nil {
				return fmt.Errorf("man: %w", err)
			}
			return cli.WriteManual(cmd.Root(), args[0])
		},
	}
}
