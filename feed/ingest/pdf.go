package ingest

import (
	"bytes"
	"path"
	"regexp"
	"strings"
	"unicode/utf8"

	"dibao/policy"
)

// IsPDF reports whether a body is a PDF file.
func IsPDF(body []byte) bool {
	return bytes.Contains(body[:min(len(body), 1024)], []byte("%PDF-"))
}

var (
	// A line that begins like this begins a paragraph.
	lineStart = regexp.MustCompile(`^(?:第[一二三四五六七八九十百零〇\d]+[编章节条]|[一二三四五六七八九十]+、|[（(][一二三四五六七八九十\d]+[)）]|\d{1,2}[.．、]|附件|抄送)`)
	// A line of nothing but the number of its page.
	pageNumber = regexp.MustCompile(`^[-—–－\s]*\d{1,4}(?:\s*/\s*\d{1,4})?[-—–－\s]*$`)
)

// pdfParagraphs joins the lines of pages to paragraphs: a line goes on if it is
// about as long as the longest and the next does not begin like a paragraph.
func pdfParagraphs(pages []string) []string {
	var lines []string
	width := 0
	for _, page := range pages {
		for line := range strings.SplitSeq(strings.ReplaceAll(page, "\r", ""), "\n") {
			line = collapse(line)
			if line == "" || pageNumber.MatchString(line) {
				continue
			}
			lines = append(lines, line)
			width = max(width, columnsOf(line))
		}
	}
	var all []string
	var paragraph strings.Builder
	last := "" // the line before
	goesOn := false
	for _, line := range lines {
		if goesOn && !lineStart.MatchString(line) {
			if isASCIILetter(last[len(last)-1]) && isASCIILetter(line[0]) {
				paragraph.WriteByte(' ')
			}
		} else if paragraph.Len() > 0 {
			all = append(all, paragraph.String())
			paragraph.Reset()
		}
		paragraph.WriteString(line)
		last = line
		n := columnsOf(line)
		end, _ := utf8.DecodeLastRuneInString(line)
		goesOn = n*10 >= width*8 && (!strings.ContainsRune("。！？：", end) || n+4 >= width && end != '。' && end != '：')
		if len(all) >= maxBlocks {
			return all
		}
	}
	if paragraph.Len() > 0 {
		all = append(all, paragraph.String())
	}
	return all
}

// columnsOf is how wide a line is: a Chinese character takes two columns.
func columnsOf(line string) int {
	n := 0
	for _, r := range line {
		if n++; r >= 0x2E80 {
			n++
		}
	}
	return n
}

func isASCIILetter(b byte) bool { return b|0x20 >= 'a' && b|0x20 <= 'z' }

// AddPDF appends the text of a PDF file, as its pages give it, to an article
// whose page says little itself.
func AddPDF(it Item, pages []string) Item {
	blocks := pdfParagraphs(pages)
	if len(blocks) == 0 {
		it.Warnings = append(it.Warnings[:len(it.Warnings):len(it.Warnings)], "its PDF has no text layer: it is a scan")
		return it
	}
	it.Evidence.Paragraphs = append(it.Evidence.Paragraphs[:len(it.Evidence.Paragraphs):len(it.Evidence.Paragraphs)], blocks...)
	it.HTML = strings.TrimSpace(it.HTML + "\n" + escapeParagraphs(blocks))
	return it
}

// FromPDF makes an article of a PDF file that a list links to itself.
func FromPDF(p Page, s Source, it Item, pages []string) Item {
	e := policy.Evidence{
		URL: firstOf(it.URL, p.URL), Title: it.Title, SiteName: s.Name, Zone: s.Zone, Issuer: s.Issuer, Region: s.Region,
		ListTitle: it.Evidence.ListTitle, ListDate: it.Evidence.ListDate,
	}
	if e.Title == "" {
		e.Title = strings.TrimSuffix(path.Base(p.URL), path.Ext(p.URL))
		if blocks := pdfParagraphs(pages); len(blocks) > 0 {
			e.Title = clip(blocks[0], maxTitle)
		}
	}
	it.Title, it.Evidence, it.NeedsPage = e.Title, e, false
	it.Attachments = []Attachment{{URL: e.URL, Type: "application/pdf", Bytes: int64(len(p.Body))}}
	return AddPDF(it, pages)
}
