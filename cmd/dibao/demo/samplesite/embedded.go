package samplesite

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"html/template"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/text/encoding/simplifiedchinese"

	"dibao/feed/ingest"
)

//go:embed content/*.txt content/*.html content/*.xml
var content embed.FS

// article is one invented text. Days in it are written relative to the demo's
// clock: {D-3} is three days before, {D+20} twenty days after, {Y} the year.
type article struct {
	ID, Title, Number, Issuer, Theme, Credit, Author string
	Days                                             int // age in days
	Attachment                                       string
	Paragraphs                                       []string
	Date, LongDate, Path, Summary                    string // filled in when the site is created
	Stamp                                            string // RFC 3339, or RFC 822 for RSS
}

// section is one of the four sites with its articles, newest first.
type section struct {
	Source
	file     string // file with its articles
	list     string // the template of the list or feed
	item     string // template of an article's page
	charset  string
	Articles []article
}

// Embedded returns the sample site that is part of the program, with dates in the ten days
// before now.
func Embedded(now time.Time) (*Site, error) {
	site := newSite(now)
	zone, err := time.LoadLocation("Asia/Shanghai")
	if err != nil {
		return nil, err
	}
	now = now.In(zone)
	sections := []section{
		{Source: Source{URLPath: "/zhengfu/", Kind: "page", Name: "样例市人民政府（样例）", Issuer: "样例市人民政府", Licence: "official"}, file: "zhengfu.txt", list: "zhengfu-list.html", item: "zhengfu-item.html", charset: "gb2312"},
		{Source: Source{URLPath: "/minzheng/zcwj/", Kind: "page", Name: "样例省民政厅（样例）", Issuer: "样例省民政厅", Licence: "official", Settings: ingest.Settings{Item: "ul.wjlb li", Date: "em"}}, file: "minzheng.txt", list: "minzheng-list.html", item: "minzheng-item.html", charset: "utf-8"},
		{Source: Source{URLPath: "/zhiku/rss.xml", Kind: "feed", Name: "样例政策研究中心（样例）"}, file: "zhiku.txt", list: "zhiku.xml", item: "zhiku-item.html", charset: "utf-8"},
		{Source: Source{URLPath: "/jiedu/feed.atom", Kind: "feed", Name: "样例政策解读网（样例）", Licence: "permitted"}, file: "jiedu.txt", list: "jiedu.xml", item: "zhiku-item.html", charset: "utf-8"},
	}
	templates, err := template.New("").Funcs(template.FuncMap{"join": strings.Join}).ParseFS(content, "content/*.html", "content/*.xml")
	if err != nil {
		return nil, fmt.Errorf("sample site: %w", err)
	}
	for _, s := range sections {
		if err := site.addSection(templates, s, now); err != nil {
			return nil, fmt.Errorf("sample site: %s: %w", s.file, err)
		}
	}
	return site, nil
}

func (site *Site) addSection(templates *template.Template, s section, now time.Time) error {
	raw, err := content.ReadFile("content/" + s.file)
	if err != nil {
		return err
	}
	if s.Articles, err = parse(string(raw), now); err != nil {
		return err
	}
	slices.SortStableFunc(s.Articles, func(a, b article) int { return a.Days - b.Days })
	dir := path.Dir(s.URLPath + "x")
	for i := range s.Articles {
		a := &s.Articles[i]
		day := now.AddDate(0, 0, -a.Days)
		a.Date, a.LongDate = day.Format(time.DateOnly), day.Format("2006年1月2日")
		at := time.Date(day.Year(), day.Month(), day.Day(), 9, 30, 0, 0, day.Location())
		a.Stamp = at.Format(time.RFC3339)
		if strings.HasSuffix(s.list, "zhiku.xml") {
			a.Stamp = at.Format(time.RFC1123Z)
		}
		a.Path = fmt.Sprintf("%s/%s/%s.html", dir, day.Format("200601"), a.ID)
		if s.item == "minzheng-item.html" {
			a.Path = fmt.Sprintf("%s/%s/t%s_%s.html", dir, day.Format("200601"), day.Format("20060102"), a.ID)
		}
		if len(a.Paragraphs) > 0 {
			a.Summary = a.Paragraphs[0]
		}
	}
	for _, a := range s.Articles {
		err := site.addPage(templates, s.item, a.Path, "text/html", s.charset, map[string]any{"Site": s, "A": a})
		if err != nil {
			return err
		}
	}
	contentType := "text/html"
	switch {
	case strings.HasSuffix(s.URLPath, ".atom"):
		contentType = "application/atom+xml"
	case strings.HasSuffix(s.URLPath, ".xml"):
		contentType = "application/rss+xml"
	}
	if err := site.addPage(templates, s.list, s.URLPath, contentType, s.charset, map[string]any{"Site": s}); err != nil {
		return err
	}
	site.Sources = append(site.Sources, s.Source)
	return nil
}

// addPage renders a page, in GB2312 for the old site.
func (site *Site) addPage(templates *template.Template, name, path, contentType, charset string, data any) error {
	var buf bytes.Buffer
	if err := templates.ExecuteTemplate(&buf, name, data); err != nil {
		return err
	}
	body := buf.Bytes()
	// html/template escapes the first "<" of an XML declaration.
	body = bytes.Replace(body, []byte("&lt;?xml"), []byte("<?xml"), 1)
	if charset == "gb2312" {
		encoded, err := simplifiedchinese.GB18030.NewEncoder().Bytes(body)
		if err != nil {
			return fmt.Errorf("page %s: %w", path, err)
		}
		body = encoded
	}
	sum := sha256.Sum256(body)
	site.pages[path] = page{contentType: contentType, body: body, etag: `"` + hex.EncodeToString(sum[:8]) + `"`}
	return nil
}

// parse reads the articles of a file: fields "key: value", an empty line, then
// paragraphs; "====" separates articles.
func parse(text string, now time.Time) ([]article, error) {
	var all []article
	for i, block := range strings.Split(text, "\n====\n") {
		head, body, _ := strings.Cut(strings.TrimSpace(block), "\n\n")
		a := article{ID: strconv.Itoa(1100 + i)}
		for line := range strings.SplitSeq(head, "\n") {
			name, value, found := strings.Cut(line, ": ")
			if !found {
				return nil, fmt.Errorf("line %q has no field", line)
			}
			if err := a.set(name, days(value, now)); err != nil {
				return nil, err
			}
		}
		for p := range strings.SplitSeq(body, "\n") {
			if p = strings.TrimSpace(p); p != "" {
				a.Paragraphs = append(a.Paragraphs, days(p, now.AddDate(0, 0, -a.Days)))
			}
		}
		all = append(all, a)
	}
	return all, nil
}

func (a *article) set(name, value string) (err error) {
	switch name {
	case "title":
		a.Title = value
	case "number":
		a.Number = value
	case "issuer":
		a.Issuer = value
	case "theme":
		a.Theme = value
	case "credit":
		a.Credit = value
	case "author":
		a.Author = value
	case "attachment":
		a.Attachment = value
	case "days":
		a.Days, err = strconv.Atoi(value)
	default:
		err = fmt.Errorf("unknown field %q", name)
	}
	return err
}

// days replaces {D}, {D+n} and {Y} by dates counted from base.
func days(s string, base time.Time) string {
	var b strings.Builder
	for {
		before, rest, found := strings.Cut(s, "{")
		b.WriteString(before)
		if !found {
			return b.String()
		}
		inner, after, _ := strings.Cut(rest, "}")
		switch n, err := strconv.Atoi(strings.TrimPrefix(inner, "D")); {
		case inner == "Y":
			b.WriteString(strconv.Itoa(base.Year()))
		case inner == "D":
			b.WriteString(base.Format("2006年1月2日"))
		case err == nil:
			b.WriteString(base.AddDate(0, 0, n).Format("2006年1月2日"))
		}
		s = after
	}
}
