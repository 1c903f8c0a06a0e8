// Package sourcelist reads and writes lists of sources as files: tables with tabs
// (TSV) and OPML.
package sourcelist

import (
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"dibao/feed"
	"dibao/feed/ingest/decode"
	"dibao/internal/redact"
)

// File is the content of a file of sources.
type File struct {
	Rows   []Row
	Unread []string // unknown column headings
}

// Row is one source of a file.
type Row struct {
	Line    int // line on which it begins
	Source  feed.Source
	Problem error // why it can't be a source, nil if it can
}

// Limits on files of sources.
const (
	maxFileBytes = 10 << 20 // bytes
	maxSources   = 10_000
	maxFolders   = 20 // nesting depth
)

// column is a column of a table of sources, with other headings that are recognized.
// Columns that do not contain text have get and set.
type column struct {
	name string
	also []string
	at   func(*feed.Source) *string
	get  func(feed.Source) string
	set  func(*feed.Source, string) error
}

func (c column) read(s feed.Source) string {
	if c.get != nil {
		return c.get(s)
	}
	return *c.at(&s)
}

func (c column) write(s *feed.Source, cell string) error {
	if c.set == nil {
		*c.at(s) = cell
		return nil
	}
	if cell == "" { // use the default
		return nil
	}
	return c.set(s, cell)
}

func textColumn(name string, at func(*feed.Source) *string, also ...string) column {
	return column{name: name, also: also, at: at}
}

var columns = []column{
	textColumn("name", func(s *feed.Source) *string { return &s.Name }),
	textColumn("kind", func(s *feed.Source) *string { return &s.Kind }),
	textColumn("url", func(s *feed.Source) *string { return &s.URL }, "list_url", "feed_url"),
	textColumn("item", func(s *feed.Source) *string { return &s.Settings.Item }, "item_selector"),
	textColumn("link", func(s *feed.Source) *string { return &s.Settings.Link }, "link_selector"),
	textColumn("title", func(s *feed.Source) *string { return &s.Settings.Title }, "title_selector"),
	textColumn("date", func(s *feed.Source) *string { return &s.Settings.Date }, "date_selector"),
	textColumn("date_pattern", func(s *feed.Source) *string { return &s.Settings.DatePattern }, "date_regex"),
	textColumn("content", func(s *feed.Source) *string { return &s.Settings.Content }, "content_selector"),
	textColumn("charset", func(s *feed.Source) *string { return &s.Settings.Charset }),
	textColumn("region", func(s *feed.Source) *string { return &s.Region }, "region_code"),
	textColumn("issuer", func(s *feed.Source) *string { return &s.Issuer }),
	textColumn("theme", func(s *feed.Source) *string { return &s.Theme }),
	textColumn("zone", func(s *feed.Source) *string { return &s.Zone }),
	textColumn("licence", func(s *feed.Source) *string { return (*string)(&s.Licence) }),
	{
		name: "pages", get: func(s feed.Source) string { return strconv.Itoa(s.Settings.Pages) },
		set: func(s *feed.Source, cell string) (err error) { s.Settings.Pages, err = strconv.Atoi(cell); return err },
	},
	{
		name: "interval", get: func(s feed.Source) string { return s.Interval.String() },
		set: func(s *feed.Source, cell string) (err error) { s.Interval, err = time.ParseDuration(cell); return err },
	},
	textColumn("proxy", func(s *feed.Source) *string { return &s.Proxy }), // written without its password
	textColumn("user_agent", func(s *feed.Source) *string { return &s.UserAgent }),
	yesColumn("render", func(s feed.Source) bool { return s.Settings.Render }, func(s *feed.Source, yes bool) { s.Settings.Render = yes }),
	yesColumn("private", func(s feed.Source) bool { return s.Private != "" }, func(s *feed.Source, yes bool) {
		if yes {
			s.Private = "yes" // replaced later, because the address may be in a later column
		}
	}),
}

// yesColumn returns a column with yes or no; an empty cell means no.
func yesColumn(name string, get func(feed.Source) bool, set func(*feed.Source, bool)) column {
	return column{
		name: name,
		get: func(s feed.Source) string {
			if get(s) {
				return "yes"
			}
			return ""
		},
		set: func(s *feed.Source, cell string) error {
			switch strings.ToLower(cell) {
			case "yes", "true", "1":
				set(s, true)
			case "no", "false", "0":
			default:
				return errors.New("use yes or no")
			}
			return nil
		},
	}
}

// kindNames are the names of our kinds in other programs' tables.
var kindNames = map[string]string{"html-list": "page", "html": "page", "rss": "feed", "atom": "feed", "": "feed"}

// ReadTSV reads a table of sources: a line of headings, tabs between cells, no quotes. A
// heading url is required. A row that can't be a source has a Problem; the returned error
// is about the whole file.
func ReadTSV(r io.Reader) (File, error) {
	text, err := readText(r)
	if err != nil {
		return File{}, err
	}
	lines := strings.Split(strings.TrimRight(text, "\r\n"), "\n")
	at, unread, err := readHeadings(strings.Split(strings.TrimRight(lines[0], "\r"), "\t"))
	if err != nil {
		return File{}, err
	}
	file := File{Unread: unread}
	for n, line := range lines[1:] {
		if strings.TrimSpace(line) == "" {
			continue
		}
		if len(file.Rows) >= maxSources {
			return File{}, fmt.Errorf("line %d: more than %d sources; split the file", n+2, maxSources)
		}
		row := Row{Line: n + 2}
		row.Source, row.Problem = readCells(strings.Split(strings.TrimRight(line, "\r"), "\t"), at)
		file.Rows = append(file.Rows, row)
	}
	return file, nil
}

// readHeadings returns the index in columns of each heading, -1 if there is none.
func readHeadings(heads []string) (at []int, unread []string, err error) {
	hasURL := false
	for _, h := range heads {
		h = strings.ToLower(strings.TrimSpace(h))
		j := slices.IndexFunc(columns, func(c column) bool { return c.name == h || slices.Contains(c.also, h) })
		at = append(at, j)
		if j < 0 && h != "" {
			unread = append(unread, h)
		}
		hasURL = hasURL || j >= 0 && columns[j].name == "url"
	}
	if !hasURL {
		return nil, nil, fmt.Errorf("the table has no column url; its first line has to name the columns, with tabs between them: %s", columnNames())
	}
	return at, unread, nil
}

func readCells(cells []string, at []int) (s feed.Source, err error) {
	for i, cell := range cells {
		if i < len(at) && at[i] >= 0 {
			c := columns[at[i]]
			if err := c.write(&s, strings.TrimSpace(cell)); err != nil {
				return s, fmt.Errorf("%s %q can't be read: %w", c.name, cell, err)
			}
		}
	}
	if kind, ok := kindNames[s.Kind]; ok {
		s.Kind = kind
	}
	if s.Kind == "json" && s.Settings.Title == "a" { // rows of markup in JSON
		s.Settings.Link, s.Settings.Title = "a", ""
	}
	if s.Private != "" {
		s.PermitPrivate()
	}
	return s, s.Check()
}

func columnNames() string {
	names := make([]string, len(columns))
	for i, c := range columns {
		names[i] = c.name
	}
	return strings.Join(names, ", ")
}

// cell formats a value so that it stays in one cell.
var cell = strings.NewReplacer("\t", " ", "\n", " ", "\r", " ")

// WriteTSV writes a table that ReadTSV reads.
func WriteTSV(w io.Writer, all []feed.Source) error {
	var b strings.Builder
	b.WriteString(strings.ReplaceAll(columnNames(), ", ", "\t") + "\n")
	for _, s := range all {
		for i, c := range columns {
			if i > 0 {
				b.WriteByte('\t')
			}
			b.WriteString(cell.Replace(redact.URL(c.read(s))))
		}
		b.WriteByte('\n')
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func readText(r io.Reader) (string, error) {
	b, err := io.ReadAll(io.LimitReader(r, maxFileBytes+1))
	if err != nil {
		return "", err
	}
	if len(b) > maxFileBytes {
		return "", fmt.Errorf("the file is larger than %d MB", maxFileBytes>>20)
	}
	text, _ := decode.Text(b, "", "")
	return strings.TrimPrefix(text, "\uFEFF"), nil
}

// opml is an OPML 2.0 document (opml.org/spec2.opml).
type opml struct {
	XMLName xml.Name `xml:"opml"`
	Version string   `xml:"version,attr"`
	Title   string   `xml:"head>title"`
	Body    struct {
		Outlines []outline `xml:"outline"`
	} `xml:"body"`
}

type outline struct {
	Text     string    `xml:"text,attr"`
	Title    string    `xml:"title,attr,omitempty"`
	Type     string    `xml:"type,attr,omitempty"`
	XMLURL   string    `xml:"xmlUrl,attr,omitempty"`
	HTMLURL  string    `xml:"htmlUrl,attr,omitempty"`
	Outlines []outline `xml:"outline"`
	line     int       // line on which it begins, in a file that is read
}

// UnmarshalXML also records the line.
func (o *outline) UnmarshalXML(d *xml.Decoder, start xml.StartElement) error {
	type plain outline
	line, _ := d.InputPos()
	if err := d.DecodeElement((*plain)(o), &start); err != nil {
		return err
	}
	o.line = line
	return nil
}

// ReadOPML reads the feeds of an OPML file; the folder that contains a feed becomes its
// theme. A feed that can't be a source has a Problem; the returned error is about the whole
// file.
func ReadOPML(r io.Reader) (File, error) {
	text, err := readText(r)
	if err != nil {
		return File{}, err
	}
	if strings.Contains(text, "<!ENTITY") {
		return File{}, errors.New("the file declares entities, which are not supported")
	}
	if err := checkNesting(text); err != nil {
		return File{}, err
	}
	d := newXMLDecoder(text)
	var doc opml
	if err := d.Decode(&doc); err != nil {
		return File{}, fmt.Errorf("this is not valid OPML: %w", err)
	}
	var file File
	var walk func(outlines []outline, folder string) error
	walk = func(outlines []outline, folder string) error {
		for _, o := range outlines {
			name := strings.TrimSpace(o.Text)
			if name == "" {
				name = strings.TrimSpace(o.Title)
			}
			if o.XMLURL == "" {
				if err := walk(o.Outlines, name); err != nil {
					return err
				}
				continue
			}
			row := Row{Line: o.line, Source: feed.Source{URL: strings.TrimSpace(o.XMLURL), Kind: "feed", Name: name, Theme: folder}}
			row.Problem = row.Source.Check()
			if file.Rows = append(file.Rows, row); len(file.Rows) > maxSources {
				return fmt.Errorf("line %d: more than %d sources; split the file", o.line, maxSources)
			}
		}
		return nil
	}
	return file, walk(doc.Body.Outlines, "")
}

// newXMLDecoder returns a decoder for text in UTF-8, whatever character set it declares.
func newXMLDecoder(text string) *xml.Decoder {
	d := xml.NewDecoder(strings.NewReader(text))
	d.Strict = false
	d.CharsetReader = func(_ string, r io.Reader) (io.Reader, error) { return r, nil }
	return d
}

// checkNesting refuses folders that are nested deeply enough to exhaust the parser.
func checkNesting(text string) error {
	d := newXMLDecoder(text)
	depth := 0
	for {
		token, err := d.RawToken()
		if err != nil {
			return nil //nolint:nilerr // the parser reports the error
		}
		switch token.(type) {
		case xml.StartElement:
			if depth++; depth > maxFolders {
				return fmt.Errorf("the outlines are nested deeper than %d", maxFolders)
			}
		case xml.EndElement:
			depth--
		}
	}
}

// WriteOPML writes the feeds among the sources, in folders by theme, and
// returns how many sources are not feeds and were left out.
func WriteOPML(w io.Writer, title string, all []feed.Source) (left int, err error) {
	doc := opml{Version: "2.0", Title: title}
	folders := make(map[string]int)
	for _, s := range all {
		if s.Kind != "feed" {
			left++
			continue
		}
		o := outline{Text: s.Name, Title: s.Name, Type: "rss", XMLURL: redact.URL(s.URL)}
		if s.Theme == "" {
			doc.Body.Outlines = append(doc.Body.Outlines, o)
			continue
		}
		i, ok := folders[s.Theme]
		if !ok {
			i = len(doc.Body.Outlines)
			folders[s.Theme] = i
			doc.Body.Outlines = append(doc.Body.Outlines, outline{Text: s.Theme, Title: s.Theme})
		}
		doc.Body.Outlines[i].Outlines = append(doc.Body.Outlines[i].Outlines, o)
	}
	b, err := xml.MarshalIndent(doc, "", "  ")
	if err != nil {
		return left, err
	}
	_, err = io.WriteString(w, xml.Header+string(b)+"\n")
	return left, err
}
