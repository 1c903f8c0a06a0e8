package inspect

import (
	"cmp"

	"github.com/spf13/cobra"

	"dibao/feed/ingest"
	"dibao/policy"
	"dibao/policy/call"
	"dibao/policy/warn"
)

func newInspectCall(readFile FileReader) *cobra.Command {
	var address, charset string
	var now timeFlag
	cmd := &cobra.Command{
		Use:     "call FILE…",
		Short:   "Read what a notice asks of its readers, with the sentence for each fact: one JSON object per line",
		Example: "  dibao inspect call --url https://www.example.gov.cn/a/1.html notice.html",
		Args:    cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return inspectFiles(cmd, args, newUnreadable, func(name string, b []byte) (any, error) {
				src := ingest.Source{Settings: ingest.Settings{Charset: charset}}
				page := ingest.Page{URL: cmp.Or(address, unknownAddress), Body: b, FetchedAt: now.orNow()}
				item, _, err := readForInspection(cmd.Context(), readFile, page, src, name)
				if err != nil {
					return nil, err
				}
				item.Shorten()
				f := policy.Understand(item.Evidence)
				v := struct {
					File     string         `json:"file"`
					Call     *call.View     `json:"call"`          // null if the text is not a call
					Warnings []string       `json:"warnings"`      // sentences in English
					Codes    []warn.Warning `json:"warning_codes"` // the warnings as codes with parameters
				}{File: name, Warnings: []string{}, Codes: []warn.Warning{}}
				if c := policy.CallOf(&f, item.Evidence); c != nil {
					v.Call = c.View()
					v.Codes = append(v.Codes, c.Warnings()...)
					v.Warnings = Sentences(v.Codes, "en")
				}
				return v, nil
			})
		},
	}
	cmd.Flags().StringVar(&address, "url", "", "address that the page was served at")
	cmd.Flags().Var(&now, "now", "time at which the page was fetched, to resolve 昨天 and 11-27 (default: now)")
	cmd.Flags().StringVar(&charset, "charset", "", "character set; overrides what the page declares")
	return cmd
}
