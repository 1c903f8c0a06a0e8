package main

import (
	"fmt"
	"io"
	"strconv"

	"github.com/spf13/cobra"

	"dibao/docs"
)

func newHandbook(g *globals) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "handbook [CHAPTER|PAGE]",
		Short: "Print the handbook: install, first issue, deliverability, proxies, backup, troubleshooting",
		Long: "Prints the handbook, one chapter of it by its number, or a reference page (cli, configuration, json or metrics), as\n" +
			"Markdown. \"dibao help handbook\" prints it, too, and dibao serve shows it at /help/ on admin_addr.",
		Example: "  dibao handbook\n  dibao handbook 7\n  dibao handbook configuration",
		Args:    cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			text := g.either(docs.HandbookEN, docs.HandbookZH)
			if len(args) > 0 {
				chapters := docs.Chapters(text)
				page, ok := docs.Reference(args[0], g.language())
				if n, err := strconv.Atoi(args[0]); !ok && err == nil && n >= 1 && n <= len(chapters) {
					page, ok = chapters[n-1], true
				}
				if !ok {
					return usagef("the handbook has no chapter %q; specify a number from 1 to %d, or one of cli, configuration, json, metrics", args[0], len(chapters))
				}
				text = page
			}
			_, err := io.WriteString(cmd.OutOrStdout(), text)
			return err
		},
	}
	cmd.SetHelpFunc(func(cmd *cobra.Command, args []string) {
		if cmd.Flags().Changed("help") {
			cmd.Root().HelpFunc()(cmd, args)
			return
		}
		fmt.Fprint(cmd.OutOrStdout(), g.either(docs.HandbookEN, docs.HandbookZH)) // dibao help handbook
	})
	return cmd
}
