package ingest

import (
	"bytes"
	"net/url"
	"path"
	"slices"
	"strings"
	"unicode/utf8"

	"dibao/policy/warn"

	"dibao/feed/ingest/filelink"
	"dibao/feed/ingest/sanitize"
	"dibao/feed/ingest/textblock"
	"dibao/internal/lazyregexp"
	"dibao/policy"
)

// paragraphMark separates the paragraphs of a file that has paragraphs and not only lines:
// filetext.Paragraph.
const paragraphMark = "\u2029"

var (
	// A line that begins like this begins a paragraph.
	lineStart = lazyregexp.New(`^(?:第[一二三四五六七八九十百零〇\d]+[编章节条]|[一二三四五六七八九十]+、|[（(][一二三四五六七八九十\d]+[)）]|\d{1,2}[.．、]|附件|抄送)`)
	// A line that contains only a page number.
	pageNumber = lazyregexp.New(`^[-—–－\s]*\d{1,4}(?:\s*/\s*\d{1,4})?[-—–－\s]*$`)
)

// fileParagraphs returns the paragraphs of a file. If it has only lines, a
// paragraph continues after a line that is about as long as the longest, unless
// the next begins like a paragraph.
func fileParagraphs(pages []string) []string {
	if len(pages) > 0 && strings.Contains(pages[0], paragraphMark) {
		var all []string
		for block := range strings.SplitSeq(strings.Join(pages, paragraphMark), paragraphMark) {
			if block = collapse(block); block != "" && len(all) < textblock.Max {
				all = append(all, block)
			}
		}
		return all
	}
	return joinLines(pages)
}

func joinLines(pages []string) []string {
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
	last := "" // the previous line
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
		if len(all) >= textblock.Max {
			return all
		}
	}
	if paragraph.Len() > 0 {
		all = append(all, paragraph.String())
	}
	return all
}

// columnsOf returns the width of a line in columns: a Chinese character takes two.
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

// AddFile appends the text of a file, page by page, to an article whose page
// has little text.
func AddFile(it Item, pages []string) Item {
	blocks := fileParagraphs(pages)
	it.Warnings = append(it.Warnings[:len(it.Warnings):len(it.Warnings)], textblock.CutWarning(len(blocks))...)
	if len(blocks) == 0 {
		it.Warnings = append(it.Warnings[:len(it.Warnings):len(it.Warnings)], warn.New("file-without-text"))
		return it
	}
	it.Evidence.Paragraphs = append(it.Evidence.Paragraphs[:len(it.Evidence.Paragraphs):len(it.Evidence.Paragraphs)], blocks...)
	it.HTML = strings.TrimSpace(it.HTML + "\n" + sanitize.Paragraphs(blocks))
	return it
}

// maxGuide is the number of bytes of a guide that are stored with its article: what a call
// asks is on the first pages.
const maxGuide = 200_000

// AddGuide adds the text of an attached file to an article, apart from the article's own
// text.
func AddGuide(it Item, name string, pages []string) Item {
	it.Warnings = slices.Clone(it.Warnings)
	blocks := fileParagraphs(pages)
	if len(blocks) == 0 {
		it.Warnings = append(it.Warnings, warn.New("guide-without-text", name))
		return it
	}
	size := 0
	for i, b := range blocks {
		if size += len(b); size > maxGuide {
			blocks = blocks[:i]
			it.Warnings = append(it.Warnings, warn.New("guide-cut", name, maxGuide/1000))
			break
		}
	}
	it.Evidence.Guides = append(slices.Clone(it.Evidence.Guides), policy.Guide{Name: name, Paragraphs: blocks})
	return it
}

// FromFile returns an item for a file to which a list links directly.
func FromFile(p Page, s Source, it Item, pages []string) Item {
	e := policy.Evidence{
		URL: firstOf(it.URL, p.URL), Title: it.Title, SiteName: s.Name, Zone: s.Zone, Issuer: s.Issuer, Region: s.Region,
		ListTitle: it.Evidence.ListTitle, ListDate: it.Evidence.ListDate,
	}
	if e.Title == "" {
		e.Title = strings.TrimSuffix(path.Base(p.URL), path.Ext(p.URL))
		if blocks := fileParagraphs(pages); len(blocks) > 0 {
			e.Title = clip(blocks[0], maxTitle)
		}
	}
	it.Title, it.Evidence, it.NeedsPage = e.Title, e, false
	it.Attachments = []Attachment{{URL: e.URL, Type: fileType(p), Bytes: int64(len(p.Body))}}
	return AddFile(it, pages)
}

// fileType returns the media type of a file by its first bytes and its address.
func fileType(p Page) string {
	if bytes.Contains(p.Body[:min(len(p.Body), 1024)], []byte("%PDF-")) {
		return filelink.PDF
	}
	return filelink.Type(p.URL)
}

// Name is the title of an attachment, or the last part of its address.
func (a Attachment) Name() string {
	if a.Title != "" {
		return a.Title
	}
	name := path.Base(a.URL)
	if u, err := url.Parse(a.URL); err == nil {
		name = path.Base(u.Path)
	}
	return name
}

// HasReadableText reports whether the text of an attachment can be read.
func (a Attachment) HasReadableText() bool {
	return a.Type == filelink.PDF || a.Type == filelink.DOCX || a.Type == filelink.OFD
}

// AddFrame inserts the text of a frame into the page that shows it.
func AddFrame(page, frame Item) Item {
	whole := AddPart(page, frame)
	whole.Warnings = slices.DeleteFunc(slices.Concat(page.Warnings, frame.Warnings), func(w warn.Warning) bool { return w.Code == inFrame })
	whole.HTML, whole.Frame = strings.TrimSpace(whole.HTML), ""
	whole.Evidence.Links = append(whole.Evidence.Links[:len(whole.Evidence.Links):len(whole.Evidence.Links)], frame.Evidence.Links...)
	return whole
}
