package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"dibao/cmd/dibao/cli"
	"dibao/digest/inbound"
	"dibao/digest/verdict"
	"dibao/feed/ingest"
	"dibao/feed/ingest/answer"
	"dibao/feed/ingest/list"
	"dibao/internal/filetext"
	"dibao/internal/mail"
	"dibao/policy"
)

func newInspect(g *globals) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "inspect",
		Short: "Show how dibao understands one input, without a database",
	}
	cmd.AddCommand(newInspectPage(), newInspectList(), newInspectSame(), newInspectDiff(), newInspectFeed(), newInspectBounce())
	cmd.AddCommand(newInspectLines()...)
	return cmd
}

// maxInput is the largest file that is inspected.
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

// citationView is a cited document in JSON.
type citationView struct {
	Title    string   `json:"title"`
	Number   *string  `json:"number"`
	Issuers  []string `json:"issuers"`
	Relation *string  `json:"relation"`
	Status   *string  `json:"status"`
}

// factsView is what dibao understood, in JSON; unknown is null.
type factsView struct {
	URL            *string  `json:"url"`
	Title          string   `json:"title"`
	Subtitle       *string  `json:"subtitle"`
	Published      *string  `json:"published"`
	PublishedFrom  *string  `json:"published_from"`
	Issued         *string  `json:"issued"`
	Effective      *string  `json:"effective"`
	Expires        *string  `json:"expires"`
	Deadline       *string  `json:"deadline"`
	Source         *string  `json:"source"`
	Issuer         *string  `json:"issuer"`
	Issuers        []string `json:"issuers"`
	Author         *string  `json:"author"`
	AuthorOffice   *string  `json:"author_office"`
	DocumentNumber *string  `json:"document_number"`
	IndexNumber    *string  `json:"index_number"`
	Kind           *string  `json:"kind"`
	Type           *string  `json:"type"`
	Theme          *string  `json:"theme"`
	Region         *string  `json:"region"`

	RegionName     *string               `json:"region_name"`
	Level          *string               `json:"level"`
	ThemeFrom      *string               `json:"theme_from"`
	IssuedFrom     *string               `json:"issued_from"`
	EffectiveFrom  *string               `json:"effective_from"`
	FirstEffective *string               `json:"first_effective"`
	ExpiresFrom    *string               `json:"expires_from"`
	DeadlineFrom   *string               `json:"deadline_from"`
	LateDays       *int                  `json:"late_days"`
	AuthorBody     *string               `json:"author_body"`
	RelativeDates  []policy.RelativeDate `json:"relative_dates"`
	Opens          *string               `json:"opens"`
	OpensFrom      *string               `json:"opens_from"`
	Audience       []string              `json:"audience"`
	Marker         *string               `json:"marker"`

	Language   *string        `json:"language"`
	Summary    *string        `json:"summary"`
	Paragraphs []string       `json:"paragraphs"`
	Citations  []citationView `json:"citations"`
	Warnings   []string       `json:"warnings"`
}

// unknownAddress stands for the address of a page that was saved without one, so
// that its relative links resolve; they are printed without it.
const unknownAddress = "http://unknown.invalid/"

// attachmentView is a file of an article in JSON.
type attachmentView struct {
	URL   string  `json:"url"`
	Title *string `json:"title"`
	Type  *string `json:"type"`
}

func viewAttachments(all []ingest.Attachment) []attachmentView {
	views := []attachmentView{}
	for _, a := range all {
		views = append(views, attachmentView{strings.TrimPrefix(a.URL, unknownAddress), null(a.Title), null(a.Type)})
	}
	return views
}

func viewFacts(f policy.Facts) factsView {
	v := factsView{
		Title: f.Title, Subtitle: null(f.Subtitle), Published: null(f.PublishedOn.String()), PublishedFrom: null(f.PublishedFrom),
		Issued: null(f.IssuedOn.String()), Effective: null(f.EffectiveOn.String()), Expires: null(f.ExpiresOn.String()),
		Deadline: null(f.DeadlineOn.String()), Source: null(f.Credit), Author: null(f.Author), AuthorOffice: null(f.AuthorOffice),
		DocumentNumber: null(f.DocumentNumber), Kind: null(string(f.Kind)), Type: null(f.Type), Theme: null(f.Theme), Region: null(f.Region),
		Language: null(f.Language), Summary: null(f.Summary), Paragraphs: append([]string{}, f.Paragraphs...),
		Citations: []citationView{}, Warnings: append([]string{}, f.Warnings...),
	}
	v.RegionName, v.Level, v.ThemeFrom = null(policy.RegionName(f.Region)), null(string(f.Level)), null(f.ThemeFrom)
	v.IssuedFrom, v.EffectiveFrom, v.FirstEffective = null(f.IssuedFrom), null(f.EffectiveFrom), null(f.FirstEffectiveOn.String())
	v.ExpiresFrom, v.DeadlineFrom, v.LateDays, v.AuthorBody = null(f.ExpiresFrom), null(f.DeadlineFrom), null(f.LateDays), null(f.AuthorBody)
	v.RelativeDates = append([]policy.RelativeDate{}, f.RelativeDates...)
	if !f.PublishedAt.IsZero() {
		v.Published = null(f.PublishedAt.Format(time.RFC3339))
	}
	v.Issuer, v.Issuers = null(strings.Join(f.Issuers, "、")), append([]string{}, f.Issuers...)
	v.IndexNumber, v.Marker, v.Audience = null(f.IndexNumber), null(f.Marker), append([]string{}, f.Audiences...)
	v.Opens, v.OpensFrom = null(f.OpensOn.String()), null(f.OpensFrom)
	for _, c := range f.Citations {
		v.Citations = append(v.Citations, citationView{c.Title, null(c.Number), append([]string{}, c.Issuers...), null(c.Relation), null(c.Status)})
	}
	return v
}

// inspectFiles calls f for each file and prints what it returns; a file that it
// can't read gives what problem makes of its error, and exit status 3.
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
		if err := writeJSON(cmd.OutOrStdout(), out); err != nil {
			return err
		}
	}
	if failed > 0 {
		return &partialError{Err: fmt.Errorf("%d of %d files could not be read", failed, len(files))}
	}
	return nil
}

// unreadable is what is said of a file that can't be read.
type unreadable struct {
	File  string `json:"file"`
	Error string `json:"error"`
}

func newUnreadable(name string, err error) any { return unreadable{name, oneLine(err)} }

// inspectFailed prints the error of the one file that was to be inspected.
func inspectFailed(cmd *cobra.Command, name string, err error) error {
	if err := writeJSON(cmd.OutOrStdout(), newUnreadable(name, err)); err != nil {
		return err
	}
	return &partialError{Err: fmt.Errorf("%s could not be read", name)}
}

func newInspectPage() *cobra.Command {
	var address, charset string
	cmd := &cobra.Command{
		Use:     "page FILE…",
		Short:   "An article's page: one JSON object a line",
		Example: "  dibao inspect page --url https://www.example.gov.cn/a/1.html page.html",
		Args:    cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return inspectFiles(cmd, args, newUnreadable, func(name string, b []byte) (any, error) {
				src := ingest.Source{Settings: ingest.Settings{Charset: charset}}
				page := ingest.Page{URL: cmp.Or(address, unknownAddress), Body: b}
				item, decodedAs, err := readForInspection(cmd.Context(), page, src, name)
				if err != nil {
					return nil, err
				}
				v := viewFacts(policy.Understand(item.Evidence))
				v.URL = null(address)
				v.Warnings = append(append([]string{}, item.Warnings...), v.Warnings...)
				return struct {
					File    string  `json:"file"`
					Charset *string `json:"charset"`
					factsView
					Attachments []attachmentView `json:"attachments"`
				}{name, null(decodedAs), v, viewAttachments(item.Attachments)}, nil
			})
		},
	}
	cmd.Flags().StringVar(&address, "url", "", "address that the page was served at")
	cmd.Flags().StringVar(&charset, "charset", "", "character set, overriding every other sign")
	return cmd
}

// readForInspection reads an article's page, a PDF, DOCX or OFD file or a plain text.
func readForInspection(ctx context.Context, page ingest.Page, src ingest.Source, name string) (it ingest.Item, charset string, err error) {
	if filetext.Readable(page.Body) {
		pages, err := readFile(ctx, page.Body)
		if page.URL == unknownAddress {
			page.URL = name
		}
		return ingest.FromFile(page, src, it, pages), "", err
	}
	_, charset = ingest.Decode(page.Body, "", src.Settings.Charset)
	if ingest.IsText(page) {
		return ingest.FromText(page, src), charset, nil
	}
	it, err = ingest.ReadArticle(page, src, it)
	return it, charset, err
}

// factsOfFiles reads and understands files; those before the one that it can't
// read come back with the error.
func factsOfFiles(ctx context.Context, names []string) ([]policy.Facts, error) {
	var facts []policy.Facts
	for _, name := range names {
		b, err := readInput(name)
		if err != nil {
			return facts, err
		}
		item, _, err := readForInspection(ctx, ingest.Page{Body: b}, ingest.Source{}, name)
		if err != nil {
			return facts, fmt.Errorf("%s: %w", name, err)
		}
		facts = append(facts, policy.Understand(item.Evidence))
	}
	return facts, nil
}

func newInspectDiff() *cobra.Command {
	return &cobra.Command{
		Use:     "diff OLD NEW",
		Short:   "What changed between two versions of a page, PDF file or text, by article and paragraph",
		Example: "  dibao inspect diff law-2020.html law-2024.html",
		Args:    cobra.ExactArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			facts, err := factsOfFiles(cmd.Context(), args)
			if err != nil {
				return err
			}
			_, err = io.WriteString(cmd.OutOrStdout(), policy.FormatDiff(policy.Diff(facts[0].Paragraphs, facts[1].Paragraphs)))
			return err
		},
	}
}

func newInspectSame() *cobra.Command {
	return &cobra.Command{
		Use:     "same FILE FILE",
		Short:   "Whether two pages, PDF files or texts carry one text: one JSON object",
		Example: "  dibao inspect same original.html repost.html",
		Args:    cobra.ExactArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			facts, err := factsOfFiles(cmd.Context(), args)
			if err != nil {
				return inspectFailed(cmd, args[len(facts)], err)
			}
			s := policy.Compare(facts[0], facts[1])
			return writeJSON(cmd.OutOrStdout(), struct {
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
		Short:   "A list page, or a list in JSON or JSONP: one JSON object a row, then one with what was left out and the next page",
		Example: "  dibao inspect list --url https://www.example.gov.cn/zhengce/ --item 'ul.list li' list.html",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			b, err := readInput(args[0])
			page := ingest.Page{URL: src.URL, Body: b, FetchedAt: now.orNow()}
			kind := "page"
			if err == nil && ingest.IsJSON(page) {
				kind = "json"
			}
			if wrong := src.Settings.Check(kind); wrong != nil {
				return &cli.UsageError{Err: wrong}
			}
			if u, err := url.Parse(src.URL); err != nil || u.Host == "" {
				return usagef("say with --url where the page was served, such as https://www.example.gov.cn/zhengce/: its links are relative to it")
			}
			if err != nil {
				return inspectFailed(cmd, args[0], err)
			}
			if said := ingest.Answered(page, 200, src.Settings.Charset); said.Sure && said.Kind != answer.Page {
				return ingest.NoList(page, src.Settings.Charset)
			}
			l, err := ingest.ReadList(page, src)
			if err != nil {
				return inspectFailed(cmd, args[0], err)
			}
			if err := writeItems(cmd, l.Items); err != nil {
				return err
			}
			if len(l.Items) == 0 {
				return ingest.NoList(page, src.Settings.Charset)
			}
			return writeJSON(cmd.OutOrStdout(), viewLeftOut(l))
		},
	}
	cmd.Flags().StringVar(&src.URL, "url", "", "address that the page was served at")
	cmd.Flags().Var(&now, "now", "when the page was fetched, which 昨天 and 11-27 are counted from (default now)")
	addSelectors(cmd, &src.Settings)
	return cmd
}

// timeFlag is a day or an instant.
type timeFlag struct{ time.Time }

// Set reads YYYY-MM-DD (noon in China) or RFC 3339.
func (t *timeFlag) Set(s string) error {
	at, err := time.Parse(time.RFC3339, s)
	if err != nil {
		day, err := policy.ParseDate(s)
		if err != nil {
			return fmt.Errorf("%q is neither YYYY-MM-DD nor a time such as 2026-11-29T12:00:00+08:00", s)
		}
		at = day.In(time.FixedZone("CST", 8*60*60)).Add(12 * time.Hour)
	}
	t.Time = at
	return nil
}

func (t *timeFlag) String() string {
	if t.IsZero() {
		return ""
	}
	return t.Format(time.RFC3339)
}

// Type names the kind of value in the help.
func (t *timeFlag) Type() string { return "time" }

func (t *timeFlag) orNow() time.Time {
	if t.IsZero() {
		return time.Now()
	}
	return t.Time
}

// leftOut is the last object of a list in JSON.
type leftOut struct {
	Dropped []list.Drop `json:"dropped"`
	Next    *string     `json:"next"`
	Pager   *string     `json:"pager"`
}

func viewLeftOut(l ingest.List) leftOut {
	return leftOut{append([]list.Drop{}, l.Dropped...), null(l.Next), null(l.Pager.String())}
}

// listedView is a row of a list in JSON.
type listedView struct {
	URL      string  `json:"url"`
	Title    string  `json:"title"`
	Date     *string `json:"date"`
	DateFrom *string `json:"date_from"`
	New      *bool   `json:"new,omitempty"` // null: not compared with what is stored
}

func viewListed(it ingest.Item) listedView {
	return listedView{it.URL, it.Title, null(dateOfItem(it)), null(it.DateFrom), nil}
}

// writeItems prints what a list holds, one JSON object a line.
func writeItems(cmd *cobra.Command, items []ingest.Item) error {
	for _, it := range items {
		if err := writeJSON(cmd.OutOrStdout(), viewListed(it)); err != nil {
			return err
		}
	}
	return nil
}

func newInspectFeed() *cobra.Command {
	var address string
	cmd := &cobra.Command{
		Use:   "feed FILE…",
		Short: "A feed: one JSON object a line",
		Args:  cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			type feedView struct {
				File string `json:"file"`
				ingest.FeedDoc
				Error *string `json:"error"`
			}
			problem := func(name string, err error) any {
				return feedView{name, ingest.FeedDoc{Items: []ingest.FeedItem{}}, null(oneLine(err))}
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
		Short: "A mail that came back: one JSON object a line",
		Args:  cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return inspectFiles(cmd, args, newUnreadable, func(name string, b []byte) (any, error) {
				report := mail.ReadReport(b)
				all := []recipient{}
				for _, r := range report.Recipients {
					v := inbound.ClassifyBounce(r)
					if report.Kind == mail.ReportComplaint {
						v = verdict.Verdict{Suppress: true} // by whoever complains (RFC 5965)
					}
					all = append(all, recipient{null(r.Address), null(r.Action), null(r.Status), null(r.Code), v.Class.String(), v.Suppress})
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
