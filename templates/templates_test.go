package templates

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"regexp"
	"strings"
	"testing"

	"golang.org/x/net/html"
)

const hostileText = `<script>alert(1)</script>"><img src=x onerror=alert(1)>'` + "\u202Eright to left " + "𠀀"

// items are realistic, long or hostile articles.
func items(n int, title string) []Item {
	all := make([]Item, n)
	for i := range all {
		all[i] = Item{
			Title: fmt.Sprintf("%s%d", title, i), URL: "https://a.example/articles/1", SourceURL: "https://b.example/1", Source: title, Kind: "document",
			Issuers: "样例市人民政府", Number: "样政发〔2026〕12号", Author: title, Summary: strings.Repeat("现就有关事项通知如下。", 12),
			Dates: []DateFact{{"published", "2026-11-20", "div.info 时间"}, {"deadline", "2026-12-20", title}, {"issued", "2026-11-19", ""}, {"effective", "2026-12-01", ""}, {"expires", "2031-12-01", ""}},
			Why:   []string{"主题 民政"}, Status: "not-yet", Effects: []Mention{mention(title)}, Reposts: []FeedLink{{Title: title, URL: "/articles/2"}}, RepostCount: 1,
		}
		if i%2 == 1 {
			all[i].Original = FeedLink{Title: title, URL: "/articles/3"}
			all[i].Snippet = []Span{{title, true}, {title, false}}
		}
	}
	return all
}

func mention(title string) Mention {
	return Mention{"废止", title, "样政发〔2019〕41号", title, "/documents/x", "2019-05-01", "repealed", title}
}

var relationKeys = []string{"废止", "修改", "印发", "转发", "批转", "公布", "落实", "依据", "解读", "提到"}

func relationGroups(title string) (all []RelationGroup) {
	for _, key := range relationKeys {
		m := mention(title)
		m.Relation = key
		all = append(all, RelationGroup{key, []Mention{m}}, RelationGroup{key + ".by", []Mention{m, {Title: title}}})
	}
	return all
}

func allFacts(title string) (all []Fact) {
	for _, key := range []string{"number", "issuers", "type", "theme", "region", "level", "issued", "published", "effective", "expires", "deadline", "source", "credit", "author", "late", "document", "audience", "updated"} {
		all = append(all, Fact{Key: key}, Fact{key, []FactValue{{title, "/x"}, {title, ""}}, false, title})
	}
	return append(all, Fact{"issued", []FactValue{{"2026-11-20", ""}}, true, title})
}

func life(title string) (all []LifeEvent) {
	for _, key := range []string{"promised", "consultation", "deadline", "issued", "published", "effective", "first", "amended", "expires", "expired", "repealed", "superseded", "withdrawn", "interpreted", "version", "implemented"} {
		all = append(all, LifeEvent{"2026-11-20", key, title, "/x", title, true}, LifeEvent{Date: "2026-11-20", Key: key})
	}
	return all
}

func sections(n int, title string) (all []Section) {
	for _, key := range []string{"consultations", "documents", "interpretations", "signed", "news", "other"} {
		all = append(all, Section{key, items(n, title)})
	}
	return all
}

type view interface{ Render(io.Writer) error }

// pages returns every page in a language with the same data.
func pages(language string, n int, title string) map[string]view {
	p := Page{
		Language: language, SiteName: "邸报", Title: title, Description: title, Canonical: "https://a.example/", Feeds: []FeedLink{{title, "https://a.example/feed.xml", "application/rss+xml"}},
		Crumbs: []Crumb{{title, "/themes/"}}, Older: "/?before=1", Newer: "/", Newest: "/", Data: map[string]any{"@type": "Article", "name": title},
	}
	card := ListCard{Slug: "weekly", Title: title, Description: title, URL: "/lists/weekly/", Schedule: "每周一 08:00", Subscribed: true}
	cards := []ListCard{card}
	issue := IssueCard{URL: "/lists/weekly/issues/1", ListTitle: title, Number: 1, Date: "2026-11-23", Count: 3, Lead: title}
	facets := []Facet{}
	for _, key := range []string{"kind", "theme", "region", "issuer", "source", "year", "status"} {
		facets = append(facets, Facet{key, []FacetValue{{title, "/search?q=x", n, true}, {title, "/search?q=y", -1, false}}, "/search"})
	}
	changes := []TextChange{{"2026-11-22", []ChangedParagraph{{"第一条", []ChangedPiece{{"-", title}, {"+", title}, {"", title}}}, {"", []ChangedPiece{{"+", title}}}, {"", []ChangedPiece{{"-", title}}}}, false}, {"2026-11-21", nil, true}}
	out := map[string]view{
		"home": HomePage{Page: p, Lists: cards, Issues: []IssueCard{issue}, Articles: items(n, title), Browse: facets, Agenda: []AgendaItem{
			{"2026-12-01", "effective", title, "/articles/1"}, {"2026-12-02", "deadline", title, "/articles/2"}, {"2026-12-03", "expires", title, "/articles/3"}}},
		"list":    ListPage{p, card, []IssueCard{issue}, items(n, title), "/more"},
		"archive": ArchivePage{p, card, []IssueCard{issue}},
		"issue":   IssuePage{p, card, 1, "2026-11-23", title, sections(n, title)},
		"article": ArticlePage{Page: p, Call: []CallRow{{"what", []CallLine{{Text: title, Note: Words(language, "call.kind.application"), Quote: title}}}, {"platforms", []CallLine{{Text: "http://a.example/b", URL: "http://a.example/b", Quote: title}}}}, Article: items(1, title)[0], Facts: allFacts(title), Content: "<p>正文</p>", Attachments: []FeedLink{{title, "https://b.example/f.pdf", "application/pdf"}},
			Warnings: []string{title}, Withdrawn: "2026-11-23", Changes: changes, ChangesURL: "/articles/1/changes", Relations: relationGroups(title), Pairs: items(n, title),
			Amended: []Amendment{{Words(language, "change.canceled"), title, "/articles/2", "2026-12-01", title}, {Text: Words(language, "change.moved"), Title: title, URL: "/articles/3"}}, Amends: &Amendment{Words(language, "change.corrected"), title, "/articles/4", "2026-12-01", title}},
		"changes":       ChangesPage{p, title, "/articles/1", "2025-01-01", changes},
		"changes empty": ChangesPage{Page: p, Name: title, URL: "/articles/1"},
		"document": DocumentPage{Page: p, Document: mention(title), Summary: title, Facts: allFacts(title), Life: life(title), Groups: relationGroups(title),
			Articles: items(n, title), Interpretations: items(n, title), Versions: []Version{{"2026-11-20", title, title, "/articles/1", "/articles/1/changes"}, {"2020-11-20", title, "", "/articles/2", ""}}, ChainURL: "/documents/x/chain", Chain: n, Steps: []ChainRow{{Mention: mention(title), Lag: 30}, {Mention: Mention{Title: title}, Lag: -1}}},
		"document bare": DocumentPage{Page: p, Document: Mention{Title: title}},
		"chain": ChainPage{Page: p, Document: mention(title), Median: 30, Ticks: []ChainTick{{0, "2026-01", 0}, {500, title, 5}}, Rows: []ChainRow{
			{Mention: mention(title), Region: title, Level: "province", Lag: 30, Share: 50}, {Mention: Mention{Title: title}, Lag: -1}}},
		"chain empty": ChainPage{Page: p, Document: mention(title), Median: -1},
		"search":      SearchPage{Page: p, Query: title, Hidden: []FacetValue{{Text: "kind", URL: title}}, Asked: true, Total: n, Items: items(n, title), Facets: facets, Number: mention(title)},
		"search none": SearchPage{Page: p, Query: title, Asked: true},
		"search more": SearchPage{Page: p, Query: title, Asked: true, Total: n, More: true, Items: items(n, title)},
		"search form": SearchPage{Page: p},
		"summary":     ArticlePage{Page: p, Article: items(1, title)[0]},
		"form":        FormPage{Page: p, Action: "/subscribe", Address: title, Lists: cards, Error: "address", Started: "x"},
		"form meant":  FormPage{Page: p, Action: "/subscribe", Address: title, Lists: cards, Error: "suggest", Started: "x", Suggestion: title, Invite: title},
		"preferences": PreferencesPage{Page: p, Action: "/preferences/x", Address: title, Error: "date", Chosen: "zh", Format: "html", PausedUntil: "2026-12-24", WantsEmpty: true,
			Lists: []PreferenceList{{card, "weekly", []Choice{{title, title, true}, {title, title, false}}, []Choice{{"11", title, false}}}, {ListCard: card, Frequency: "issue"}}, DataURL: "/a", AddressURL: "/b", DeleteURL: "/c", CalendarURL: "https://a.example/preferences/x/calendar.ics",
			Starred: []StarredItem{{title, "/articles/1", "2026-12-20", false, true, "", "/preferences/x/star/1"}, {Title: title, URL: "/articles/2", Canceled: true, Remind: true, Prospect: "undated", Page: "/preferences/x/star/2"}}},
		"star":     StarPage{Page: p, Title: title, URL: "/articles/1", Last: "2026-12-20", Remind: true, Action: "/preferences/x/star/1", Back: "/preferences/x"},
		"star set": StarPage{Page: p, Title: title, URL: "/articles/1", Starred: true, Remind: true, Prospect: "late", Action: "/preferences/x/star/1", Back: "/preferences/x"},
		"calls": CollectionPage{Page: p, Key: "calls", Name: title, Items: items(n, title), Filter: &CallFilter{Action: "/calls/", Active: true, Fields: []CallFilterField{
			{"who", "enterprise", []Choice{{"enterprise", title, true}, {"university", title, false}}}, {"within", "", []Choice{{"7", title, false}}}}}},
		"address":       AddressPage{Page: p, Action: "/preferences/x/address", Address: title, Typed: title, Error: "address"},
		"button delete": ButtonPage{p, "delete", "/x", title, "/y"},
		"button change": ButtonPage{p, "change", "/x", "", ""},
		"confirm":       ConfirmPage{p, "/confirm/x", cards},
		"unsubscribe":   UnsubscribePage{p, "/u/x", cards},
		"all":           UnsubscribePage{Page: p, Action: "/u/x"},
	}
	for _, key := range []string{"theme", "region", "issuer", "source"} {
		out["collection "+key] = CollectionPage{p, key, title, title, "https://b.example/", facets[0].Values, items(n, title), cards, nil}
		out["index "+key] = IndexPage{p, key, []IndexGroup{{"", facets[0].Values}, {title, nil}}}
	}
	for _, key := range []string{"notfound", "servererror", "checkmail", "confirmed", "unsubscribed", "expired", "badtoken", "forgotten", "toomany", "preferences_saved", "stars_full", "change_asked", "change_half", "change_done", "deleted"} {
		out["message "+key] = MessagePage{Page: p, Key: key, Lists: cards}
	}
	return out
}

// check parses a page or email and returns what is wrong with it.
func check(t *testing.T, name, text string) {
	t.Helper()
	root, err := html.Parse(strings.NewReader(text))
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	h1 := 0
	var walk func(n *html.Node)
	walk = func(n *html.Node) {
		if n.Type == html.ElementNode {
			switch n.Data {
			case "script":
				if len(n.Attr) != 1 || n.Attr[0].Val != "application/ld+json" || n.FirstChild == nil || !json.Valid([]byte(n.FirstChild.Data)) {
					t.Errorf("%s holds a <script> that is not a description of it", name)
				}
			case "iframe", "object":
				t.Errorf("%s holds <%s>", name, n.Data)
			case "h1":
				h1++
			case "html":
				if len(n.Attr) == 0 || n.Attr[0].Key != "lang" {
					t.Errorf("%s has no lang", name)
				}
			}
			for _, a := range n.Attr {
				if strings.HasPrefix(a.Key, "on") || strings.HasPrefix(strings.TrimSpace(strings.ToLower(a.Val)), "javascript:") {
					t.Errorf("%s holds %s=%q", name, a.Key, a.Val)
				}
			}
		}
		for c := n.FirstChild; c != nil; c = c.NextSibling {
			walk(c)
		}
	}
	walk(root)
	if h1 != 1 {
		t.Errorf("%s has %d <h1>", name, h1)
	}
	if m := regexp.MustCompile(`(?:nav|home|list|issue|section|kind|date|item|why|form|preferences|confirm|unsubscribe|message|footer|mail|confirmation|language|article|status|fact|level|relations?|document|life|chain|changes?|search|facet|collection|index|agenda|pager|archive|frequency|format|address|button)\.[a-z_]+(?:\.[a-z]+)?`).FindAllString(visible(root), -1); len(m) > 0 {
		t.Errorf("%s shows the keys %q", name, m)
	}
	if strings.Contains(text, "%!") {
		t.Errorf("%s has a word with too many or too few arguments", name)
	}
}

func visible(n *html.Node) string {
	if n.Type == html.TextNode {
		return n.Data
	}
	if n.Type == html.ElementNode && (n.Data == "style" || n.Data == "script") {
		return ""
	}
	var b strings.Builder
	for c := n.FirstChild; c != nil; c = c.NextSibling {
		b.WriteString(visible(c))
	}
	return b.String()
}

func TestPages(t *testing.T) {
	for _, language := range []string{"zh", "en"} {
		for _, data := range []struct {
			name, title string
			n           int
		}{{"Empty", "", 0}, {"Normal", "关于样例的通知", 3}, {"Long", strings.Repeat("长标题", 80), 60}, {"Hostile", hostileText, 2}} {
			for name, v := range pages(language, data.n, data.title) {
				var b bytes.Buffer
				if err := v.Render(&b); err != nil {
					t.Errorf("%s %s %s: %v", language, data.name, name, err)
					continue
				}
				check(t, language+" "+data.name+" "+name, b.String())
				if strings.Contains(b.String(), "style=") {
					t.Errorf("%s: inline style, which the security policy forbids", name)
				}
			}
		}
	}
}

func TestTextIsWrapped(t *testing.T) {
	got := wrap("   ", strings.Repeat("现就有关事项通知如下，", 10)+" and some English words at the end of it all")
	for line := range strings.SplitSeq(got, "\n") {
		if c := columns(line); c > textWidth+2 { // closing punctuation may hang
			t.Errorf("a line of %d columns: %s", c, line)
		}
		if strings.HasPrefix(strings.TrimSpace(line), "，") {
			t.Errorf("a line begins with punctuation: %s", line)
		}
	}
	if strings.ReplaceAll(strings.ReplaceAll(got, "\n", ""), " ", "") != strings.ReplaceAll(strings.Repeat("现就有关事项通知如下，", 10)+"andsomeEnglishwordsattheendofitall", " ", "") {
		t.Errorf("text was lost:\n%s", got)
	}
}

// This was once a bug: a document number was split after 〔, and a line ended in an opening
// bracket.
func TestTextBreaksWhereChineseDoes(t *testing.T) {
	for n := range 40 {
		got := wrap("", strings.Repeat("字", n)+"国办发〔2026〕12号《关于加快发展银发经济的意见》（征求意见稿）全文见 https://a.example/well-known/a/b?c=d-e。")
		for line := range strings.SplitSeq(got, "\n") {
			if strings.HasSuffix(line, "〔") || strings.HasSuffix(line, "《") || strings.HasSuffix(line, "（") || strings.Count(line, "〔") != strings.Count(line, "〕") || strings.HasPrefix(line, "》") || strings.HasPrefix(line, "。") {
				t.Errorf("%d: a line is %q", n, line)
			}
			if columns(line) > textWidth {
				t.Errorf("a line of %d columns: %s", columns(line), line)
			}
		}
		if !strings.Contains(got, "https://a.example/well-known/a/b?c=d-e") {
			t.Errorf("an address is split: %q", got)
		}
	}
}

// In plain text, programs end an address at its first Chinese character.
func TestAddressesInTextAreASCII(t *testing.T) {
	for address, want := range map[string]string{
		"https://a.example/政策/1 2?q=养老&x=%E4#a": "https://a.example/%E6%94%BF%E7%AD%96/1%202?q=%E5%85%BB%E8%80%81&x=%E4#a",
		"https://例子.中国/a":                       "https://xn--fsqu00a.xn--fiqs8s/a", "https://a.example/%20": "https://a.example/%20", "": "",
	} {
		if got := asciiURL(address); got != want {
			t.Errorf("%s is written %s, want %s", address, got, want)
		}
	}
	html, text := Why("zh", "周刊 <a>", "邸报", "2026年11月29日")
	if !strings.Contains(html, "邸报于2026年11月29日将您添加为读者") || !strings.Contains(html, "&lt;a&gt;") || strings.Contains(html, "确认") || !strings.Contains(text, "周刊 <a>") {
		t.Errorf("why: %q, %q", html, text)
	}
}

// Both languages have the same keys with the same number of arguments, and every key in a
// template exists.
func TestCatalogues(t *testing.T) {
	zh, en := languages["zh"]().words, languages["en"]().words
	for key, word := range zh {
		if strings.Count(en[key], "%") != strings.Count(word, "%") || en[key] == "" {
			t.Errorf("%s: %q in zh, %q in en", key, word, en[key])
		}
	}
	if len(zh) != len(en) {
		t.Errorf("%d words in zh, %d in en", len(zh), len(en))
	}
	used := regexp.MustCompile(`\bt "([a-z._]+)"`)
	err := fs.WalkDir(files, ".", func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() || strings.HasPrefix(path, "words") {
			return err
		}
		b, err := fs.ReadFile(files, path)
		for _, m := range used.FindAllSubmatch(b, -1) {
			if _, ok := zh[string(m[1])]; !ok {
				t.Errorf("%s uses %s, which no catalog has", path, m[1])
			}
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestStatic(t *testing.T) {
	for _, name := range []string{"style.css", "favicon.svg"} {
		path := StaticPath(name)
		b, ok := Static(strings.TrimPrefix(path, "/static/"))
		if !ok || len(b) == 0 {
			t.Errorf("%s is not at %s", name, path)
		}
	}
	if _, ok := Static("../words/zh.json"); ok {
		t.Error("another file is served")
	}
	if b, _ := Static(strings.TrimPrefix(StaticPath("style.css"), "/static/")); len(b) > 16<<10 {
		t.Errorf("the style sheet has %d bytes", len(b))
	}
}
