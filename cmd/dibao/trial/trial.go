// Package trial writes the report of "dibao source test": what a collection of the source
// would find.
package trial

import (
	"fmt"
	"io"
	"strings"

	"dibao/cmd/dibao/cli"
	"dibao/cmd/dibao/inspect"
	"dibao/feed/ingest"
	"dibao/feed/ingest/answer"
	"dibao/feed/ingest/list"
	"dibao/feed/ingest/pager"
	"dibao/feed/visit"
	"dibao/policy/warn"
	"dibao/templates"
)

// ShownRows is how many rows of a list the report shows to people.
const ShownRows = 10

// Report is the result of trying a source, in JSON.
type Report struct {
	Source          *string     `json:"source"`
	URL             string      `json:"url"`
	Kind            *string     `json:"kind"`
	Answer          answer.Kind `json:"answer"`  // kind of page: page, wall, fault, shell …
	Problem         *string     `json:"problem"` // null if a list was read
	Advice          *string     `json:"advice"`
	Hops            []visit.Hop `json:"hops"`
	Rendered        bool        `json:"drawn"` // whether a browser rendered it
	Robots          Robots      `json:"robots"`
	Rows            int         `json:"rows"`
	Dated           int         `json:"dated"`
	Stored          int         `json:"stored"`
	New             int         `json:"new"`
	Usual           int         `json:"usual_items"`
	Retitled        []string    `json:"retitled"`
	inspect.LeftOut             // dropped, next, pager
	Warnings        []string    `json:"warnings"`  // warnings about the list, in English
	NextPage        *Page       `json:"next_page"` // null if there is none, or it was not understood
	Articles        []Article   `json:"articles"`
	Plain           *Plain      `json:"by_structure"` // null if the source has no selectors for its list
	Seconds         float64     `json:"seconds"`

	Items   []ingest.Item   `json:"-"` // the rows
	Codes   []warn.Warning  `json:"-"` // the warnings
	IsNew   map[string]bool `json:"-"` // by GUID
	Pager   pager.Pager     `json:"-"`
	Chinese bool            `json:"-"` // the user reads Chinese
	Err     error           `json:"-"` // the exit status
}

// Robots is what robots.txt says about the page of a list.
type Robots struct {
	Allowed *bool   `json:"allowed"` // null if not checked
	Delay   float64 `json:"crawl_delay_seconds"`
	Problem *string `json:"problem"`
}

// Plain is what the list finder reads from a page whose source has selectors.
type Plain struct {
	Rows  int `json:"rows"`
	Dated int `json:"dated"`
}

// Page is the next page of a list.
type Page struct {
	URL     string  `json:"url"`
	Rows    int     `json:"rows"`
	New     int     `json:"other_rows"` // rows that the page before does not have
	Problem *string `json:"problem"`
}

// Article is one article that was read.
type Article struct {
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
	Warnings      []string                 `json:"warnings"` // sentences in English
	Codes         []warn.Warning           `json:"-"`        // the same as codes
	Problem       *string                  `json:"problem"`
}

// plainRows says what the list finder reads without selectors, and how to remove the
// selectors.
func (t *Report) plainRows() string {
	text := fmt.Sprintf("%d found, %d with a date, without the selectors of the source", t.Plain.Rows, t.Plain.Dated)
	switch {
	case t.Plain.Rows == t.Rows && t.Plain.Dated == t.Dated:
		return fmt.Sprintf("%d found, %d with a date, without the selectors of the source: the same", t.Plain.Rows, t.Plain.Dated)
	case t.Plain.Rows == 0 || t.Plain.Dated < t.Dated || t.Source == nil:
		return text
	}
	return text + fmt.Sprintf("; to use that: dibao source edit '%s' --item '' --link '' --title '' --date '' --date-pattern ''", *t.Source)
}

// WriteJSON prints a line for each row, then a line with the rest of the report.
func (t *Report) WriteJSON(w io.Writer) error {
	for _, it := range t.Items {
		row := inspect.ViewListed(it)
		isNew := t.IsNew[it.GUID]
		row.New = &isNew
		if err := cli.WriteJSON(w, row); err != nil {
			return err
		}
	}
	return cli.WriteJSON(w, t)
}

// Write prints the report within 80 columns.
func (t *Report) Write(w io.Writer) {
	r := cli.Report{Out: w, Chinese: t.Chinese}
	if t.Source != nil {
		r.Say("source", *t.Source)
	}
	r.Say("address", t.URL)
	for _, hop := range t.Hops {
		r.Say("followed", r.Text(hop.By)+" → "+hop.To)
	}
	if t.Rendered {
		r.Say("rendered", "by the browser")
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
	for _, o := range t.Offers {
		r.Say("other list", inspect.SayOffer(o))
	}
	for _, d := range t.Dropped {
		if d.Code == list.Another {
			continue // an offer
		}
		r.Say("left out", fmt.Sprintf("%d × %s (%s)", d.Count, d.Say(t.Chinese), d.Example))
	}
	for _, w := range inspect.Sentences(t.Codes, cli.Language(r.Chinese)) {
		r.Say("warning", w)
	}
	if *t.Kind != "feed" { // a feed has no next page
		r.Say("next page", t.nextPage())
	}
	for _, title := range t.Retitled {
		r.Say("retitled", "stored as: "+title)
	}
	t.writeRows(r)
	for i, a := range t.Articles {
		a.write(r, i+1)
	}
}

func (t *Report) writeRows(r cli.Report) {
	fmt.Fprintln(r.Out)
	for _, it := range t.Items[:min(len(t.Items), ShownRows)] {
		mark := " "
		if t.IsNew[it.GUID] {
			mark = "+"
		}
		from := ""
		if it.DateFrom != "" {
			from = " [" + it.DateFrom + "]"
		}
		date := inspect.DateOfItem(it)
		if date == "" {
			date = r.Text("no date")
		}
		r.Line(mark+" "+date, it.Title+from, 12)
	}
	if more := len(t.Items) - ShownRows; more > 0 {
		r.Say("", fmt.Sprintf("and %d more; + marks new rows. --json shows all, with their addresses", more))
	}
}

func (t *Report) nextPage() string {
	n := t.NextPage
	switch {
	case n == nil:
		return t.Pager.Say(t.Chinese)
	case n.Problem != nil && strings.HasPrefix(*n.Problem, n.URL):
		return "was not read: " + *n.Problem
	case n.Problem != nil:
		return n.URL + " was not read: " + *n.Problem
	}
	return fmt.Sprintf("%d rows, %d of them new: %s", n.Rows, n.New, n.URL)
}

// String returns in words what robots.txt says.
func (r Robots) String() string {
	switch {
	case r.Problem != nil:
		return *r.Problem
	case r.Allowed == nil:
		return "not checked for a feed"
	case r.Delay > 0:
		return fmt.Sprintf("allowed, with %g s between requests", r.Delay)
	}
	return "allowed"
}

func (a Article) write(r cli.Report, n int) {
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
			date += " [" + templates.Provenance(cli.Language(r.Chinese), *a.PublishedFrom) + "]"
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
	for _, w := range inspect.Sentences(a.Codes, cli.Language(r.Chinese)) {
		r.Say("warning", w)
	}
}

func orNone(format string, value *string, none string) string {
	if value == nil {
		return none
	}
	return fmt.Sprintf(format, *value)
}
