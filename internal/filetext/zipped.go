package filetext

import (
	"archive/zip"
	"bytes"
	"context"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"path"
	"strconv"
	"strings"
)

// Limits on a zipped file.
const (
	maxEntries  = 20000    // files in the archive
	maxUnpacked = 16 << 20 // bytes of one file in it
	maxTotal    = 32 << 20 // bytes of all files that are read
	maxToken    = 2 << 20  // bytes of one tag, text or comment
	maxTokens   = 3 << 20  // tags, texts and comments that are read
	maxDepth    = 200      // nesting depth of elements
	maxPages    = 300
)

// archive is a ZIP file of XML files.
type archive struct {
	files map[string]*zip.File
	left  int64 // bytes that may still be unpacked
	tags  int   // tags, texts and comments that were read
}

func openArchive(file []byte) (*archive, error) {
	z, err := zip.NewReader(bytes.NewReader(file), int64(len(file)))
	if err != nil {
		return nil, fmt.Errorf("the ZIP file is damaged: %w", err)
	}
	if len(z.File) > maxEntries {
		return nil, fmt.Errorf("the ZIP file contains more than %d files", maxEntries)
	}
	a := &archive{files: make(map[string]*zip.File, len(z.File)), left: maxTotal}
	for _, f := range z.File {
		name := strings.TrimPrefix(strings.ReplaceAll(f.Name, `\`, "/"), "/")
		if a.files[name] == nil {
			a.files[name] = f
		}
	}
	return a, nil
}

// bounded counts the unpacked bytes and fails beyond the limits.
type bounded struct {
	r     io.Reader
	own   int64 // bytes that remain for this file
	token int64 // bytes that remain for this token
	left  *int64
}

func (b *bounded) Read(p []byte) (int, error) {
	n, err := b.r.Read(p)
	b.own -= int64(n)
	b.token -= int64(n)
	if *b.left -= int64(n); b.exceeded() {
		return 0, errUnpacked
	}
	return n, err
}

func (b *bounded) exceeded() bool { return b.own < 0 || b.token < 0 || *b.left < 0 }

var errUnpacked = errors.New("the file decompresses to more than any real text")

// walk calls token for each token of an XML file; depth is the nesting depth of
// elements. A file with a document type declaration is refused: it may define
// entities.
func (a *archive) walk(ctx context.Context, name string, token func(t xml.Token, depth int) error) error {
	f := a.files[strings.TrimPrefix(name, "/")]
	if f == nil {
		return fmt.Errorf("it has no %s", name)
	}
	r, err := f.Open()
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	defer r.Close()
	limited := &bounded{r: r, own: maxUnpacked, left: &a.left}
	d := xml.NewDecoder(limited)
	depth := 0
	for ctx.Err() == nil {
		limited.token = maxToken
		t, err := d.RawToken()
		if err == io.EOF {
			return nil
		}
		if a.tags++; limited.exceeded() || a.tags > maxTokens {
			err = errUnpacked // what precedes it is not the text of the document
		}
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		switch t.(type) {
		case xml.StartElement:
			if depth++; depth > maxDepth {
				return fmt.Errorf("%s: elements are nested deeper than %d", name, maxDepth)
			}
		case xml.EndElement:
			depth--
		case xml.Directive:
			return fmt.Errorf("%s has a document type declaration", name)
		}
		if err := token(t, depth); err != nil {
			return err
		}
	}
	return ctx.Err()
}

var errFull = errors.New("the text is cut at the maximum length")

// docxText collects the text of a DOCX file: runs (w:t) form paragraphs (w:p);
// those of a table row form one.
type docxText struct {
	b       strings.Builder
	rows    int // depth of surrounding table rows
	inText  bool
	dropped int // depth of surrounding deleted text and field codes
}

// readDOCX returns the paragraphs of a DOCX file (ECMA-376, part 1, 17.3) as one
// page.
func readDOCX(ctx context.Context, file []byte) ([]string, error) {
	a, err := openArchive(file)
	if err != nil {
		return nil, err
	}
	var d docxText
	err = a.walk(ctx, "word/document.xml", func(t xml.Token, _ int) error {
		d.token(t)
		if d.b.Len() > maxText {
			return errFull
		}
		return nil
	})
	if err != nil && err != errFull {
		return nil, err
	}
	return []string{d.b.String()}, nil
}

func (d *docxText) token(t xml.Token) {
	switch t := t.(type) {
	case xml.StartElement:
		switch t.Name.Local {
		case "t":
			d.inText = true
		case "tr":
			d.rows++
		case "tab":
			d.b.WriteByte(' ')
		case "br", "cr":
			d.b.WriteString(Paragraph)
		case "del", "Fallback":
			d.dropped++
		}
	case xml.EndElement:
		switch t.Name.Local {
		case "t":
			d.inText = false
		case "tr":
			d.rows--
			d.b.WriteString(Paragraph)
		case "p":
			if d.rows > 0 {
				d.b.WriteByte(' ')
			} else {
				d.b.WriteString(Paragraph)
			}
		case "del", "Fallback":
			d.dropped--
		}
	case xml.CharData:
		if d.inText && d.dropped == 0 {
			d.b.Write(t)
		}
	}
}

// readOFD returns the lines of each page of an OFD file (GB/T 33190).
func readOFD(ctx context.Context, file []byte) ([]string, error) {
	a, err := openArchive(file)
	if err != nil {
		return nil, err
	}
	doc := ""
	if err := a.walk(ctx, "OFD.xml", collect("DocRoot", &doc)); err != nil {
		return nil, err
	}
	if doc = strings.TrimPrefix(strings.TrimSpace(doc), "/"); doc == "" {
		return nil, errors.New("OFD.xml does not refer to a document")
	}
	var locations []string
	err = a.walk(ctx, doc, func(t xml.Token, _ int) error {
		if e, ok := t.(xml.StartElement); ok && e.Name.Local == "Page" && len(locations) < maxPages {
			locations = append(locations, attribute(e, "BaseLoc"))
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	var pages []string
	size := 0
	for _, location := range locations {
		p := ofdPage{}
		name := path.Join(path.Dir(doc), location)
		if strings.HasPrefix(location, "/") {
			name = path.Clean(location)
		}
		if err := a.walk(ctx, name, p.token); err != nil {
			return pages, err
		}
		text := p.b.String()
		if size += len(text); size > maxText {
			break
		}
		pages = append(pages, text)
	}
	return pages, nil
}

// collect returns the text of the first element with a name.
func collect(element string, to *string) func(xml.Token, int) error {
	in := false
	return func(t xml.Token, _ int) error {
		switch t := t.(type) {
		case xml.StartElement:
			in = t.Name.Local == element && *to == ""
		case xml.EndElement:
			in = false
		case xml.CharData:
			if in && len(*to) < 1000 {
				*to += string(t)
			}
		}
		return nil
	}
}

func attribute(e xml.StartElement, name string) string {
	for _, a := range e.Attr {
		if a.Name.Local == name {
			return a.Value
		}
	}
	return ""
}

// ofdPage writes the text objects of a page as lines: objects at one height are one line.
type ofdPage struct {
	b      strings.Builder
	top    float64 // top of the object
	line   float64 // height of the current line
	begun  bool
	inCode bool
}

// lineGap is the maximum difference in height between two texts of one line, in
// millimeters.
const lineGap = 1.5

func (p *ofdPage) token(t xml.Token, _ int) error {
	switch t := t.(type) {
	case xml.StartElement:
		switch t.Name.Local {
		case "TextObject":
			if box := strings.Fields(attribute(t, "Boundary")); len(box) == 4 {
				p.top, _ = strconv.ParseFloat(box[1], 64)
			}
		case "TextCode":
			p.inCode = true
			y, _ := strconv.ParseFloat(attribute(t, "Y"), 64)
			at := p.top + y
			if d := at - p.line; p.begun && (d > lineGap || d < -lineGap) {
				p.b.WriteByte('\n')
			}
			p.line, p.begun = at, true
		}
	case xml.EndElement:
		if t.Name.Local == "TextCode" {
			p.inCode = false
		}
	case xml.CharData:
		if p.inCode && p.b.Len() < maxText {
			p.b.Write(t)
		}
	}
	return nil
}
