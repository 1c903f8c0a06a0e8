package main

import (
	"io"
	"os"

	"github.com/spf13/cobra"

	"dibao/cmd/dibao/cli"
	"dibao/docs"
)

func newHandbook() *cobra.Command {
	return &cobra.Command{
		Use:   "handbook",
		Short: "Print the handbook: install, first issue, deliverability, proxies, backup, troubleshooting",
		RunE: func(cmd *cobra.Command, _ []string) error {
			text := docs.HandbookEN
			if cli.WantsChinese(os.Getenv) {
				text = docs.HandbookZH
			}
			_, err := io.WriteString(cmd.OutOrStdout(), text)
			return err
		},
	}
}
