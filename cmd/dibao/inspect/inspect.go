// Package inspect shows how dibao understands one input, without a database: it contains
// the commands of dibao inspect, and views that other commands also print.
package inspect

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"net/url"
	"os"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"dibao/cmd/dibao/cli"
	"dibao/digest/inbound"
	"dibao/digest/verdict"
	"dibao/feed/ingest"
	"dibao/feed/ingest/answer"
	"dibao/feed/ingest/decode"
	"dibao/feed/ingest/literal"
	"dibao/internal/filetext"
	"dibao/internal/mail"
	"dibao/internal/redact"
	"dibao/policy"
	"dibao/policy/diff"
)

// FileReader returns the text of a PDF, DOCX or OFD file, page by page.
type FileReader func(ctx context.Context, file []byte) ([]string, error)

// New returns the command inspect with its subcommands.
func New(readFile FileReader) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "inspect",
		Short: "Show how dibao understands one input, without a database",
	}
	cmd.AddCommand(newInspectPage(readFile), newInspectCall(readFile), newInspectList(), newInspectSame(readFile), newInspectDiff(readFile), newInspectFeed(), newInspectBounce())
	cmd.AddCommand(newInspectLines()...)
	return cmd
}

// maxInput is the maximum size, in bytes, of a file that is inspected.
const maxInput = 10 << 20

func readInput(name string) ([]byte, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, maxInput+1))
	if err == nil && len(b) > maxInput {
		err = fmt.Errorf("%s is larger than %d MB", name, maxInput>>20)
	}
	return b, err
}

// inspectFiles calls f for each file and prints the result; for a file that it can't
// read, it prints the result of problem, and the exit status is 3.
func inspectFiles(cmd *cobra.Command, files []string, problem func(name string, err error) any, f func(name string, b []byte) (any, error)) error {
	failed := 0
	for _, name := range files {
		b, err := readInput(name)
		var out any
		if err == nil {
			out, err = f(name, b)
		}
		if err != nil {
			failed++
			out = problem(name, err)
		}
		if err := cli.WriteJSON(cmd.OutOrStdout(), out); err != nil {
			return err
		}
	}
	if failed > 0 {
		return &cli.PartialError{Err: fmt.Errorf("%d of %d files could not be read", failed, len(files))}
	}
	return nil
}

// unreadable is the JSON output for a file that can't be read.
type unreadable struct {
	File  string `json:"file"`
	Error string `json:"error"`
}

func newUnreadable(name string, err error) any { return unreadable{name, redact.Line(err)} }

// inspectFailed prints the error for a single file.
func inspectFailed(cmd *cobra.Command, name string, err error) error {
	if err := cli.WriteJSON(cmd.OutOrStdout(), newUnreadable(name, err)); err != nil {
		return err
	}
	return &cli.PartialError{Err: fmt.Errorf("%s could not be read", name)}
}

func newInspectPage(readFile FileReader) *cobra.Command {
	var address, charset string
	var now timeFlag
	cmd := &cobra.Command{
		Use:     "page FILE…",
		Short:   "Read an article's page: one JSON object per line",
		Example: "  dibao inspect page --url https://www.example.gov.cn/a/1.html page.html",
		Args:    cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return inspectFiles(cmd, args, newUnreadable, func(name string, b []byte) (any, error) {
				src := ingest.Source{Settings: ingest.Settings{Charset: charset}}
				page := ingest.Page{URL: cmp.Or(address, unknownAddress), Body: b, FetchedAt: now.orNow()}
				item, decodedAs, err := readForInspection(cmd.Context(), readFile, page, src, name)
				if err != nil {
					return nil, err
				}
				item.Shorten()
				f := policy.Understand(item.Evidence)
				policy.CallOf(&f, item.Evidence) // corrects the deadline, as when an article is stored
				f.Warnings = append(slices.Clone(item.Warnings), f.Warnings...)
				v := ViewFacts(f)
				v.URL = cli.Null(address)
				return struct {
					File    string  `json:"file"`
					Charset *string `json:"charset"`
					FactsView
					Attachments []AttachmentView `json:"attachments"`
				}{name, cli.Null(decodedAs), v, ViewAttachments(item.Attachments)}, nil
			})
		},
	}
	cmd.Flags().StringVar(&address, "url", "", "address that the page was served at")
	cmd.Flags().Var(&now, "now", "time at which the page was fetched, to resolve 昨天 and 11-27 (default: now)")
	cmd.Flags().StringVar(&charset, "charset", "", "character set; overrides what the page declares")
	return cmd
}

// readForInspection reads an article's page, a PDF, DOCX or OFD file or a plain text.
func readForInspection(ctx context.Context, readFile FileReader, page ingest.Page, src ingest.Source, name string) (it ingest.Item, charset string, err error) {
	if filetext.Readable(page.Body) {
		pages, err := readFile(ctx, page.Body)
		if page.URL == unknownAddress {
			page.URL = name
		}
		return ingest.FromFile(page, src, it, pages), "", err
	}
	_, charset = decode.Text(page.Body, "", src.Settings.Charset)
	if ingest.IsText(page) {
		return ingest.FromText(page, src), charset, nil
	}
	it, err = ingest.ReadArticle(page, src, it)
	return it, charset, err
}

// factsOfFiles reads and understands files; if one can't be read, it returns those
// before it and the error.
func factsOfFiles(ctx context.Context, readFile FileReader, names []string) ([]policy.Facts, error) {
	var facts []policy.Facts
	for _, name := range names {
		b, err := readInput(name)
		if err != nil {
			return facts, err
		}
		item, _, err := readForInspection(ctx, readFile, ingest.Page{Body: b}, ingest.Source{}, name)
		if err != nil {
			return facts, fmt.Errorf("%s: %w", name, err)
		}
		item.Shorten()
		facts = append(facts, policy.Understand(item.Evidence))
	}
	return facts, nil
}

func newInspectDiff(readFile FileReader) *cobra.Command {
	return &cobra.Command{
		Use:     "diff OLD NEW",
		Short:   "Show what changed between two versions of a page, PDF file or text, by article and paragraph",
		Example: "  dibao inspect diff law-2020.html law-2024.html",
		Args:    cobra.ExactArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			facts, err := factsOfFiles(cmd.Context(), readFile, args)
			if err != nil {
				return err
			}
			_, err = io.WriteString(cmd.OutOrStdout(), diff.Format(diff.Between(facts[0].Paragraphs, facts[1].Paragraphs)))
			return err
		},
	}
}

func newInspectSame(readFile FileReader) *cobra.Command {
	return &cobra.Command{
		Use:     "same FILE FILE",
		Short:   "Compare two pages, PDF files or texts, and print as one JSON object whether they are the same text",
		Example: "  dibao inspect same original.html repost.html",
		Args:    cobra.ExactArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			facts, err := factsOfFiles(cmd.Context(), readFile, args)
			if err != nil {
				return inspectFailed(cmd, args[len(facts)], err)
			}
			s := policy.Compare(facts[0], facts[1])
			return cli.WriteJSON(cmd.OutOrStdout(), struct {
				Same        bool    `json:"same"`
				Version     bool    `json:"version"`
				Containment float64 `json:"containment"`
				Why         string  `json:"why"`
			}{s.Same, s.Version, s.Containment, s.Why})
		},
	}
}

func newInspectList() *cobra.Command {
	src := ingest.Source{}
	var now timeFlag
	cmd := &cobra.Command{
		Use:     "list --url URL FILE",
		Short:   "Read a list page, or a list in JSON or JSONP: one JSON object per row, then one with the left-out rows and the next page",
		Example: "  dibao inspect list --url https://www.example.gov.cn/zhengce/ --item 'ul.list li' list.html",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			b, err := readInput(args[0])
			page := ingest.Page{URL: src.URL, Body: b, FetchedAt: now.orNow()}
			kind := "page"
			if err == nil && literal.IsJSON(page.Body) {
				kind = "json"
			}
			if wrong := src.Settings.Check(kind); wrong != nil {
				return &cli.UsageError{Err: wrong}
			}
			if u, err := url.Parse(src.URL); err != nil || u.Host == "" {
				return cli.Usagef("specify the address of the page with --url, such as https://www.example.gov.cn/zhengce/: its links are relative to it")
			}
			if err != nil {
				return inspectFailed(cmd, args[0], err)
			}
			if answered := ingest.Answered(page, 200, src.Settings.Charset); answered.Sure && (answered.Kind == answer.Wall || answered.Kind == answer.ErrorPage) {
				return ingest.NoList(page, src.Settings)
			}
			l, err := ingest.ReadList(page, src)
			if err != nil {
				return inspectFailed(cmd, args[0], err)
			}
			if err := writeItems(cmd, l.Items); err != nil {
				return err
			}
			if len(l.Items) == 0 {
				none := ingest.NoList(page, src.Settings)
				none.Menu = l.Menu()
				return none
			}
			return cli.WriteJSON(cmd.OutOrStdout(), ViewLeftOut(l, ingest.Offers(page, src)))
		},
	}
	cmd.Flags().StringVar(&src.URL, "url", "", "address that the page was served at")
	cmd.Flags().Var(&now, "now", "time at which the page was fetched, to resolve 昨天 and 11-27 (default: now)")
	AddSelectors(cmd, &src.Settings)
	return cmd
}

// writeItems prints the items of a list, one JSON object per line.
func writeItems(cmd *cobra.Command, items []ingest.Item) error {
	for _, it := range items {
		if err := cli.WriteJSON(cmd.OutOrStdout(), ViewListed(it)); err != nil {
			return err
		}
	}
	return nil
}

func newInspectFeed() *cobra.Command {
	var address string
	cmd := &cobra.Command{
		Use:   "feed FILE…",
		Short: "Read a feed: one JSON object per line",
		Args:  cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			type feedView struct {
				File string `json:"file"`
				ingest.FeedDoc
				Error *string `json:"error"`
			}
			problem := func(name string, err error) any {
				return feedView{name, ingest.FeedDoc{Items: []ingest.FeedItem{}}, cli.Null(redact.Line(err))}
			}
			return inspectFiles(cmd, args, problem, func(name string, b []byte) (any, error) {
				doc, err := ingest.ParseFeed(b, "", address)
				if err != nil {
					return nil, err
				}
				return feedView{name, doc, nil}, nil
			})
		},
	}
	cmd.Flags().StringVar(&address, "url", "", "address that the feed was served at, to resolve relative ones")
	return cmd
}

func newInspectBounce() *cobra.Command {
	type recipient struct {
		Recipient *string `json:"recipient"`
		Action    *string `json:"action"`
		Status    *string `json:"status"`
		Reply     *string `json:"reply"`
		Class     string  `json:"class"`
		Suppress  bool    `json:"suppress"`
	}
	return &cobra.Command{
		Use:   "bounce FILE…",
		Short: "Read returned mail: one JSON object per line",
		Args:  cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return inspectFiles(cmd, args, newUnreadable, func(name string, b []byte) (any, error) {
				report := mail.ReadReport(b)
				all := []recipient{}
				for _, r := range report.Recipients {
					v := inbound.ClassifyBounce(r)
					if report.Kind == mail.ReportComplaint {
						v = verdict.Verdict{Suppress: true} // a complaint always suppresses (RFC 5965)
					}
					all = append(all, recipient{cli.Null(r.Address), cli.Null(r.Action), cli.Null(r.Status), cli.Null(r.Code), v.Class.String(), v.Suppress})
				}
				kind := report.Kind
				if kind == mail.ReportNotSpam || kind == mail.ReportNotice {
					kind = mail.ReportOther
				}
				return struct {
					File       string          `json:"file"`
					Kind       mail.ReportKind `json:"kind"`
					Recipients []recipient     `json:"recipients"`
				}{name, kind, all}, nil
			})
		},
	}
}

// DateOfItem returns the date of a row as the page states it.
func DateOfItem(it ingest.Item) string {
	date := cmp.Or(it.Evidence.ListDate, it.AddressDate.String())
	if at := it.Evidence.FeedPublished; date == "" && at != nil {
		date = at.Format(time.DateOnly)
	}
	return date
}

// AddSelectors adds the flags for selectors, which say how to read a list page.
func AddSelectors(cmd *cobra.Command, s *ingest.Settings) {
	f := cmd.Flags()
	f.StringVar(&s.Item, "item", "", "CSS selector of a row of the list")
	f.StringVar(&s.Link, "link", "", "CSS selector of the link in a row, or for JSON its path, or a template such as 'https://…/detail?id={docId}'")
	f.StringVar(&s.Title, "title", "", "CSS selector of the title in a row")
	f.StringVar(&s.Date, "date", "", "CSS selector of the date in a row")
	f.StringVar(&s.DatePattern, "date-pattern", "", "regular expression whose first group is the date")
	f.StringVar(&s.Content, "content", "", "CSS selector of the text on an article's page")
	f.IntVar(&s.Pages, "pages", 0, "number of list pages that a source's first collection reads (default: 1)")
	f.StringVar(&s.Charset, "charset", "", "character set, if the site declares a wrong one")
}
