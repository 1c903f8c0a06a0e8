package feed

import (
	_ "embed"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"dibao/feed/ingest"
	"dibao/internal/redact"
)

//go:embed catalog.tsv
var catalogText string

// Catalog returns the built-in sources: official list pages and feeds whose
// addresses and selectors are publicly known. Sites change; a source is looked
// at before it is stored.
func Catalog() []Source {
	all, err := ReadTSV(strings.NewReader(catalogText))
	if err != nil {
		panic("the built-in catalog is broken: " + err.Error()) // a test reads it
	}
	return all
}

// Limits on files of sources.
const (
	maxSourceFile = 10 << 20 // bytes
	maxSources    = 10_000
	maxFolders    = 20 // nested
)

// column is one of a table of sources, with other headings that are understood.
// What is no text has get and set.
type column struct {
	name string
	also []string
	at   func(*Source) *string
	get  func(Source) string
	set  func(*Source, string) error
}

func (c column) read(s Source) string {
	if c.get != nil {
		return c.get(s)
	}
	return *c.at(&s)
}

func (c column) write(s *Source, cell string) error {
	if c.set == nil {
		*c.at(s) = cell
		return nil
	}
	if cell == "" { // the default
		return nil
	}
	return c.set(s, cell)
}

func textColumn(name string, at func(*Source) *string, also ...string) column {
	return column{name: name, also: also, at: at}
}

var columns = []column{
	textColumn("name", func(s *Source) *string { return &s.Name }),
	textColumn("kind", func(s *Source) *string { return &s.Kind }),
	textColumn("url", func(s *Source) *string { return &s.URL }, "list_url", "feed_url"),
	textColumn("item", func(s *Source) *string { return &s.Settings.Item }, "item_selector"),
	textColumn("link", func(s *Source) *string { return &s.Settings.Link }, "link_selector"),
	textColumn("title", func(s *Source) *string { return &s.Settings.Title }, "title_selector"),
	textColumn("date", func(s *Source) *string { return &s.Settings.Date }, "date_selector"),
	textColumn("date_pattern", func(s *Source) *string { return &s.Settings.DatePattern }, "date_regex"),
	textColumn("content", func(s *Source) *string { return &s.Settings.Content }, "content_selector"),
	textColumn("charset", func(s *Source) *string { return &s.Settings.Charset }),
	textColumn("region", func(s *Source) *string { return &s.Region }, "region_code"),
	textColumn("issuer", func(s *Source) *string { return &s.Issuer }),
	textColumn("theme", func(s *Source) *string { return &s.Theme }),
	textColumn("zone", func(s *Source) *string { return &s.Zone }),
	textColumn("licence", func(s *Source) *string { return (*string)(&s.Licence) }),
	{
		name: "pages", get: func(s Source) string { return strconv.Itoa(s.Settings.Pages) },
		set: func(s *Source, cell string) (err error) { s.Settings.Pages, err = strconv.Atoi(cell); return err },
	},
	{
		name: "interval", get: func(s Source) string { return s.Interval.String() },
		set: func(s *Source, cell string) (err error) { s.Interval, err = time.ParseDuration(cell); return err },
	},
	textColumn("proxy", func(s *Source) *string { return &s.Proxy }), // written without its password
	textColumn("user_agent", func(s *Source) *string { return &s.UserAgent }),
}

// kindNames are what other tables call our kinds.
var kindNames = map[string]string{"html-list": "page", "html": "page", "rss": "feed", "atom": "feed", "": "feed"}

// ReadTSV reads a table of sources: a line of headings, tabs between cells, no
// quotes. Headings that it does not know are passed over; url has to be there.
func ReadTSV(r io.Reader) ([]Source, error) {
	text, err := readText(r)
	if err != nil {
		return nil, err
	}
	lines := strings.Split(strings.TrimRight(text, "\r\n"), "\n")
	heads := strings.Split(strings.TrimRight(lines[0], "\r"), "\t")
	at := make([]int, len(heads))
	hasURL := false
	for i, h := range heads {
		h = strings.ToLower(strings.TrimSpace(h))
		at[i] = -1
		for j, c := range columns {
			if c.name == h || slices.Contains(c.also, h) {
				at[i] = j
				hasURL = hasURL || c.name == "url"
			}
		}
	}
	if !hasURL {
		return nil, fmt.Errorf("the table has no column url; its first line has to name the columns, with tabs between them: %s", columnNames())
	}
	var all []Source
	for n, line := range lines[1:] {
		if strings.TrimSpace(line) == "" {
			continue
		}
		if len(all) >= maxSources {
			return nil, fmt.Errorf("line %d: more than %d sources", n+2, maxSources)
		}
		var s Source
		for i, cell := range strings.Split(strings.TrimRight(line, "\r"), "\t") {
			if i < len(at) && at[i] >= 0 {
				c := columns[at[i]]
				if err := c.write(&s, strings.TrimSpace(cell)); err != nil {
					return nil, fmt.Errorf("line %d: %s %q can't be read", n+2, c.name, cell)
				}
			}
		}
		if kind, ok := kindNames[s.Kind]; ok {
			s.Kind = kind
		}
		if s.Kind == "json" && s.Settings.Title == "a" { // rows of markup in JSON
			s.Settings.Link, s.Settings.Title = "a", ""
		}
		if err := s.check(); err != nil {
			return nil, fmt.Errorf("line %d: %w", n+2, err)
		}
		all = append(all, s)
	}
	return all, nil
}

func columnNames() string {
	names := make([]string, len(columns))
	for i, c := range columns {
		names[i] = c.name
	}
	return strings.Join(names, ", ")
}

// cell keeps a value in one cell.
var cell = strings.NewReplacer("\t", " ", "\n", " ", "\r", " ")

// WriteTSV writes a table that ReadTSV reads.
func WriteTSV(w io.Writer, all []Source) error {
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
	b, err := io.ReadAll(io.LimitReader(r, maxSourceFile+1))
	if err != nil {
		return "", err
	}
	if len(b) > maxSourceFile {
		return "", fmt.Errorf("the file is larger than %d MB", maxSourceFile>>20)
	}
	text, _ := ingest.Decode(b, "", "")
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
}

// ReadOPML reads the feeds of an OPML file; the folder that a feed lies in
// becomes its theme.
func ReadOPML(r io.Reader) ([]Source, error) {
	text, err := readText(r)
	if err != nil {
		return nil, err
	}
	if strings.Contains(text, "<!ENTITY") {
		return nil, errors.New("the file declares entities, which are not read")
	}
	if err := checkNesting(text); err != nil {
		return nil, err
	}
	d := newXMLDecoder(text)
	var doc opml
	if err := d.Decode(&doc); err != nil {
		return nil, fmt.Errorf("this is no OPML that can be read: %w", err)
	}
	var all []Source
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
			s := Source{URL: strings.TrimSpace(o.XMLURL), Kind: "feed", Name: name, Theme: folder}
			if err := s.check(); err != nil {
				return fmt.Errorf("outline %q: %w", name, err)
			}
			if all = append(all, s); len(all) > maxSources {
				return fmt.Errorf("more than %d sources", maxSources)
			}
		}
		return nil
	}
	return all, walk(doc.Body.Outlines, "")
}

// newXMLDecoder reads text that was decoded, whatever it declares.
func newXMLDecoder(text string) *xml.Decoder {
	d := xml.NewDecoder(strings.NewReader(text))
	d.Strict = false
	d.CharsetReader = func(_ string, r io.Reader) (io.Reader, error) { return r, nil }
	return d
}

// checkNesting refuses folders that are nested to exhaust what reads them.
func checkNesting(text string) error {
	d := newXMLDecoder(text)
	depth := 0
	for {
		token, err := d.RawToken()
		if err != nil {
			return nil //nolint:nilerr // the reader says what is wrong
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

// WriteOPML writes the feeds among the sources, in folders by theme, and returns
// how many sources have no feed and were left out.
func WriteOPML(w io.Writer, title string, all []Source) (left int, err error) {
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
