package main

import (
	"fmt"
	"io"
	"os"
	"strconv"

	"github.com/spf13/cobra"

	"dibao/cmd/dibao/cli"
	"dibao/docs"
)

func newHandbook() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "handbook [CHAPTER]",
		Short: "Print the handbook: install, first issue, deliverability, proxies, backup, troubleshooting",
		Long: "Prints the handbook, or one chapter of it by its number, as Markdown. \"dibao help handbook\" prints it, too, and\n" +
			"dibao serve shows it at /help/ on admin_addr.",
		Example: "  dibao handbook\n  dibao handbook 7",
		Args:    cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			text := handbook()
			if len(args) > 0 {
				chapters := docs.Chapters(text)
				n, err := strconv.Atoi(args[0])
				if err != nil || n < 1 || n > len(chapters) {
					return usagef("the handbook has no chapter %q; give a number from 1 to %d", args[0], len(chapters))
				}
				text = chapters[n-1]
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
		fmt.Fprint(cmd.OutOrStdout(), handbook()) // dibao help handbook
	})
	return cmd
}

// handbook returns the handbook in the language of who runs the verb.
func handbook() string {
	if cli.WantsChinese(os.Getenv) {
		return docs.HandbookZH
	}
	return docs.HandbookEN
}
