package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/spf13/cobra"

	"dibao/cmd/dibao/cli"
	"dibao/cmd/dibao/inspect"
	"dibao/feed"
	"dibao/feed/ingest"
	"dibao/feed/ingest/answer"
	"dibao/feed/ingest/pager"
	"dibao/feed/visit"
	"dibao/internal/redact"
)

const triedArticles = 3 // of a list that are read

func newSourceTest(g *globals) *cobra.Command {
	var isPrivate, render bool
	cmd := &cobra.Command{
		Use:   "test SOURCE|URL",
		Short: "Test a source or an address: report what would be read, without storing anything",
		Long: "Reports the way to the list, what robots.txt says, rows found and left out, what stated each date, the next page, and\n" +
			"three articles with their files and warnings. With --json: a line for each row, then one with the rest.",
		Example: "  dibao source test 3\n  dibao source test https://www.example.gov.cn/zhengce/",
		Args:    cobra.ExactArgs(1),
		RunE: g.verb(func(cmd *cobra.Command, args []string, a *app) error {
			s, err := a.articles.SourceByRef(cmd.Context(), args[0])
			if err != nil && strings.HasPrefix(args[0], "http") {
				s, err = feed.Source{URL: args[0]}, nil
			}
			if err != nil {
				return err
			}
			if isPrivate {
				s.PermitPrivate()
			}
			s.Settings.Render = s.Settings.Render || render
			t := a.try(cmd.Context(), s)
			t.chinese = g.chinese
			if g.json {
				err = t.writeJSON(cmd)
			} else {
				t.write(cmd.OutOrStdout())
			}
			return errors.Join(err, t.err)
		}),
	}
	cmd.Flags().BoolVar(&isPrivate, "private", false, privateHelp)
	cmd.Flags().BoolVar(&render, "render", false, renderHelp)
	return cmd
}

// trial is what trying a source showed, in JSON.
type trial struct {
	Source          *string        `json:"source"`
	URL             string         `json:"url"`
	Kind            *string        `json:"kind"`
	Answer          answer.Kind    `json:"answer"`  // what the page is: page, wall, fault, shell …
	Problem         *string        `json:"problem"` // null if a list was read
	Advice          *string        `json:"advice"`
	Hops            []visit.Hop    `json:"hops"`
	Drawn           bool           `json:"drawn"` // by a browser
	Robots          trialRobots    `json:"robots"`
	Rows            int            `json:"rows"`
	Dated           int            `json:"dated"`
	Stored          int            `json:"stored"`
	New             int            `json:"new"`
	Usual           int            `json:"usual_items"`
	Retitled        []string       `json:"retitled"`
	inspect.LeftOut                // dropped, next, pager
	NextPage        *trialPage     `json:"next_page"` // null if there is none, or it was not understood
	Articles        []trialArticle `json:"articles"`
	Plain           *trialPlain    `json:"by_structure"` // null where the source has no selectors for its list
	Seconds         float64        `json:"seconds"`

	items   []ingest.Item
	isNew   map[string]bool
	pager   pager.Pager
	chinese bool
	err     error
}

// trialRobots is what robots.txt says of the page of a list.
type trialRobots struct {
	Allowed *bool   `json:"allowed"` // null: not asked
	Delay   float64 `json:"crawl_delay_seconds"`
	Problem *string `json:"problem"`
}

// trialPlain is what the list finder reads of a page whose source has selectors.
type trialPlain struct {
	Rows  int `json:"rows"`
	Dated int `json:"dated"`
}

// trialPage is the next page of a list.
type trialPage struct {
	URL     string  `json:"url"`
	Rows    int     `json:"rows"`
	New     int     `json:"other_rows"` // that the page before does not have
	Problem *string `json:"problem"`
}

// trialArticle is one article that was read.
type trialArticle struct {
	URL           string                   `json:"url"`
	Title         string                   `json:"title"`
	Published     *string                  `json:"published"`
	PublishedFrom *string                  `json:"published_from"`
	Source        *string                  `json:"source"`
	Author        *string                  `json:"author"`
	Kind          *string                  `json:"kind"`
	Characters    int                      `json:"characters"`
	Paragraphs    int                      `json:"paragraphs"`
	Attachments   []inspect.AttachmentView `json:"attachments"`
	Warnings      []string                 `json:"warnings"`
	Problem       *string                  `json:"problem"`
}

// try reads a source as a collection would, and stores nothing.
func (a *app) try(ctx context.Context, s feed.Source) *trial {
	began := time.Now()
	t := &trial{URL: redact.URL(s.URL), Source: null(s.Name), Answer: answer.Page, Usual: s.UsualItems, isNew: map[string]bool{},
		Hops: []visit.Hop{}, Retitled: []string{}, LeftOut: inspect.ViewLeftOut(ingest.List{}), Articles: []trialArticle{}}
	t.Robots = a.tryRobots(ctx, s)
	found, seen, err := a.look(ctx, s)
	t.Kind, t.Drawn, t.Hops = null(found.Kind), seen.Drawn, append(t.Hops, seen.Hops...)
	if err != nil {
		t.fail(s, err)
	} else {
		t.takeList(ctx, a, found, seen.List)
		t.tryPlain(a, s, seen)
		t.tryNext(ctx, a, found, seen.List)
		for _, it := range seen.List.Items[:min(len(seen.List.Items), triedArticles)] {
			t.Articles = append(t.Articles, a.tryArticle(ctx, found, it))
		}
	}
	t.Seconds = float64(time.Since(began).Milliseconds()) / 1000
	return t
}

// fail notes why no list was read.
func (t *trial) fail(s feed.Source, err error) {
	t.err = adviseOnPrivate(err)
	t.Problem = null(redact.Text(oneLine(t.err)))
	var said *answer.Error
	if errors.As(err, &said) {
		id := ""
		if s.ID != 0 {
			id = fmt.Sprint(s.ID)
		}
		t.Answer, t.Problem, t.Advice = said.Kind, null(redact.Text(said.Sentence())), null(redact.Text(said.Advice(id)))
		t.err = fmt.Errorf("no list was read at %s", t.URL) // the report says why
	}
}

// tryRobots asks what robots.txt says of a list page; of a feed it is not asked.
func (a *app) tryRobots(ctx context.Context, s feed.Source) trialRobots {
	if strings.HasPrefix(s.URL, "maildir:") || s.Kind == "feed" {
		return trialRobots{}
	}
	delay, err := a.collector.Client.Robots(ctx, s.Request(s.URL, true))
	allowed := err == nil
	out := trialRobots{Allowed: &allowed, Delay: delay.Seconds()}
	if err != nil {
		out.Problem = null(redact.Text(oneLine(err)))
	}
	return out
}

func (t *trial) takeList(ctx context.Context, a *app, s feed.Source, l ingest.List) {
	t.items, t.Rows, t.LeftOut, t.pager = l.Items, len(l.Items), inspect.ViewLeftOut(l), l.Pager
	for _, it := range l.Items {
		t.isNew[it.GUID] = true
		if inspect.DateOfItem(it) != "" {
			t.Dated++
		}
	}
	t.New = t.Rows
	if s.ID == 0 {
		return
	}
	d, err := a.collector.Compare(ctx, s.ID, l.Items)
	if err != nil {
		t.err = err
		return
	}
	clear(t.isNew)
	for _, it := range d.New {
		t.isNew[it.GUID] = true
	}
	t.New, t.Stored, t.Retitled = len(d.New), t.Rows-len(d.New), append(t.Retitled, d.Retitled...)
}

// tryPlain reads the page of a list without the selectors of its source.
func (t *trial) tryPlain(a *app, s feed.Source, seen visit.Visit) {
	set := s.Settings
	if set.Item == "" && set.Date == "" && set.DatePattern == "" && set.Title == "" && set.Link == "" || s.Kind != "page" || seen.Response == nil {
		return
	}
	s.Settings.Item, s.Settings.Link, s.Settings.Title, s.Settings.Date, s.Settings.DatePattern = "", "", "", "", ""
	_, plain, err := a.lookAs(s, seen.Response)
	t.Plain = &trialPlain{}
	if err == nil {
		t.Plain.Rows, t.Plain.Dated = len(plain.List.Items), dated(plain.List)
	}
}

// plainRows says what the list finder reads, and how to leave the list to it.
func (t *trial) plainRows() string {
	text := fmt.Sprintf("%d found, %d with a date, without the selectors of the source", t.Plain.Rows, t.Plain.Dated)
	if t.Plain.Rows == 0 || t.Plain.Dated < t.Dated || t.Source == nil {
		return text
	}
	return text + fmt.Sprintf("; to read it so: dibao source edit '%s' --item '' --link '' --title '' --date '' --date-pattern ''", *t.Source)
}

// tryNext reads the next page of a list.
func (t *trial) tryNext(ctx context.Context, a *app, s feed.Source, l ingest.List) {
	if l.Next == "" {
		return
	}
	t.NextPage = &trialPage{URL: l.Next}
	page, err := a.getPage(ctx, s, l.Next, true)
	if err == nil {
		var next ingest.List
		if next, err = ingest.ReadKind(s.Kind, page, s.Ingest()); err == nil {
			here := make(map[string]bool)
			for _, it := range l.Items {
				here[it.GUID] = true
			}
			for _, it := range next.Items {
				if !here[it.GUID] {
					t.NextPage.New++
				}
			}
			t.NextPage.Rows = len(next.Items)
		}
	}
	if err != nil {
		t.NextPage.Problem = null(redact.Text(oneLine(err)))
	}
}

// tryArticle reads one article as a collection would.
func (a *app) tryArticle(ctx context.Context, s feed.Source, it ingest.Item) trialArticle {
	article, err := a.collector.ReadArticle(ctx, s, it)
	f := article.Facts
	v := trialArticle{URL: it.URL, Title: f.Title, Published: null(f.PublishedOn.String()), PublishedFrom: null(f.PublishedFrom), Source: null(f.Credit),
		Author: null(f.Author), Kind: null(string(f.Kind)), Paragraphs: len(f.Paragraphs), Attachments: inspect.ViewAttachments(article.Attachments),
		Warnings: inspect.Sentences(article.Warnings, "en")}
	for _, p := range f.Paragraphs {
		v.Characters += utf8.RuneCountInString(p)
	}
	if err != nil {
		v.Problem = null(redact.Text(oneLine(err)))
	}
	return v
}

// writeJSON prints a line for each row, then one with the rest.
func (t *trial) writeJSON(cmd *cobra.Command) error {
	for _, it := range t.items {
		row := inspect.ViewListed(it)
		isNew := t.isNew[it.GUID]
		row.New = &isNew
		if err := writeJSON(cmd.OutOrStdout(), row); err != nil {
			return err
		}
	}
	return writeJSON(cmd.OutOrStdout(), t)
}

// write prints the report within 80 columns.
func (t *trial) write(w io.Writer) {
	r := cli.Report{Out: w, Chinese: t.chinese}
	if t.Source != nil {
		r.Say("source", *t.Source)
	}
	r.Say("address", t.URL)
	for _, hop := range t.Hops {
		r.Say("followed", hop.By+" → "+hop.To)
	}
	if t.Drawn {
		r.Say("drawn", "by the browser")
	}
	r.Say("robots", t.Robots.String())
	r.Say("time", fmt.Sprintf("%.1f s", t.Seconds))
	if t.Problem != nil {
		r.Say("problem", *t.Problem)
		if t.Advice != nil {
			r.Say("advice", *t.Advice)
		}
		return
	}
	r.Say("kind", *t.Kind)
	rows := fmt.Sprintf("%d found, %d with a date; %d stored, %d new", t.Rows, t.Dated, t.Stored, t.New)
	if t.Usual > 0 {
		rows += fmt.Sprintf("; usually %d", t.Usual)
	}
	r.Say("rows", rows)
	if t.Plain != nil {
		r.Say("structure", t.plainRows())
	}
	for _, d := range t.Dropped {
		r.Say("left out", fmt.Sprintf("%d × %s (%s)", d.Count, d.Say(t.chinese), d.Example))
	}
	r.Say("next page", t.nextPage())
	for _, title := range t.Retitled {
		r.Say("retitled", "stored as: "+title)
	}
	t.writeRows(r)
	for i, a := range t.Articles {
		a.write(r, i+1)
	}
}

func (t *trial) writeRows(r cli.Report) {
	fmt.Fprintln(r.Out)
	for _, it := range t.items[:min(len(t.items), shownItems)] {
		mark := " "
		if t.isNew[it.GUID] {
			mark = "+"
		}
		from := ""
		if it.DateFrom != "" {
			from = " [date: " + it.DateFrom + "]"
		}
		r.Line(mark+" "+cmp.Or(inspect.DateOfItem(it), "no date   "), it.Title+from, 12)
	}
	if more := len(t.items) - shownItems; more > 0 {
		r.Say("", fmt.Sprintf("and %d more; + is new. --json shows all, with their addresses", more))
	}
}

func (t *trial) nextPage() string {
	n := t.NextPage
	switch {
	case n == nil:
		return t.pager.Say(t.chinese)
	case n.Problem != nil:
		return n.URL + " was not read: " + *n.Problem
	}
	return fmt.Sprintf("%d rows, %d of them other ones: %s", n.Rows, n.New, n.URL)
}

// String says in words what robots.txt says.
func (r trialRobots) String() string {
	switch {
	case r.Problem != nil:
		return *r.Problem
	case r.Allowed == nil:
		return "not asked for a feed"
	case r.Delay > 0:
		return fmt.Sprintf("allowed, with %g s between requests", r.Delay)
	}
	return "allowed"
}

func (a trialArticle) write(r cli.Report, n int) {
	fmt.Fprintln(r.Out)
	r.Say(fmt.Sprintf("article %d", n), a.Title)
	r.Say("", a.URL)
	if a.Problem != nil {
		r.Say("problem", *a.Problem)
		return
	}
	date := "no date"
	if a.Published != nil {
		date = *a.Published
		if a.PublishedFrom != nil {
			date += " [" + *a.PublishedFrom + "]"
		}
	}
	r.Say("", fmt.Sprintf("%s; %s; %s; %d characters in %d paragraphs", date, orNone("source %s", a.Source, "no source"), orNone("kind %s", a.Kind, "no kind"), a.Characters, a.Paragraphs))
	for _, f := range a.Attachments {
		name := f.URL
		if f.Title != nil {
			name = *f.Title + " " + f.URL
		}
		r.Say("file", name)
	}
	for _, w := range a.Warnings {
		r.Say("warning", w)
	}
}

func orNone(format string, value *string, none string) string {
	if value == nil {
		return none
	}
	return fmt.Sprintf(format, *value)
}
