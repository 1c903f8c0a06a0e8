package digest_test

import (
	"fmt"
	"html"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"dibao/cmd/dibao/demo/mailbox"
	"dibao/digest"
	"dibao/feed"
	"dibao/feed/collect"
	"dibao/internal/fetch"
	"dibao/internal/trust"
	"dibao/subscribers"
)

// oldMarkers are the placeholders that emails were once searched for, to insert a reader's
// own addresses.
var oldMarkers = []string{"https://preferences.slot.invalid/", "https://unsubscribe.slot.invalid/"}

// markerForms are the ways in which a text may contain a marker.
func markerForms() (forms []string) {
	for _, m := range oldMarkers {
		forms = append(forms, m, url.QueryEscape(m), strings.ToUpper(m), strings.Replace(m, "https", "http", 1), html.EscapeString(m), m[:len(m)-1])
	}
	return forms
}

// markerFeed returns a feed in which every field contains every form of a marker.
func markerFeed(base string, at time.Time) string {
	var b strings.Builder
	fmt.Fprintf(&b, `<?xml version="1.0" encoding="UTF-8"?><rss version="2.0" xmlns:dc="http://purl.org/dc/elements/1.1/"><channel><title>研究 %s</title><link>%s</link>`, oldMarkers[0], base)
	for i, m := range markerForms() {
		x := html.EscapeString(m)
		fmt.Fprintf(&b, `<item><title>关于第%d项工作的通知 %s</title><link>%s/steal?p=%s</link><guid isPermaLink="false">g%d</guid><pubDate>%s</pubDate>
			<dc:creator>%s</dc:creator><enclosure url="%s/file.pdf?p=%s" length="1" type="application/pdf"/>
			<description>&lt;p&gt;国发〔2026〕%d号：详见 %s 全文。&lt;img src="%s/p.png?p=%s"&gt;&lt;a href="%s"&gt;有关事项&lt;/a&gt;&lt;/p&gt;</description></item>`,
			i, x, base, x, i, at.Format(time.RFC1123Z), x, base, x, i+1, x, base, x, x)
	}
	b.WriteString("</channel></rss>")
	return b.String()
}

// This was once a bug: a feed that contained a marker was mailed with each reader's preference
// token in its place. Whatever a source, an admin's title or a note says stays text: the
// email contains the reader's tokens once in each part, where our footer has them.
func TestSourcesTextIsNeverFilledWithATokenOfAReader(t *testing.T) {
	t.Parallel()
	w := newWorld(t, sqlite(t))
	var site *httptest.Server
	site = httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/hostile.xml":
			b, err := os.ReadFile("../../shared/data/cases/hostile/slot-markers.xml")
			if err != nil {
				http.NotFound(rw, r)
				return
			}
			rw.Write(b)
		case "/feed.xml":
			fmt.Fprint(rw, markerFeed(site.URL, w.now()))
		default:
			http.NotFound(rw, r)
		}
	}))
	defer site.Close()
	collector := &collect.Collector{Store: w.articles, Client: fetch.New(fetch.Options{AllowPrivate: true, Timeout: 5 * time.Second}), Logger: quiet}
	for _, path := range []string{"/feed.xml", "/hostile.xml"} {
		src := must[feed.Source](t)(w.articles.AddSource(t.Context(), feed.Source{URL: site.URL + path, Kind: "feed", Name: "研究 " + oldMarkers[1]}))
		if got, err := collector.Collect(t.Context(), src.ID); err != nil || got.New == 0 {
			t.Logf("%s: %d new, %v", path, got.New, err) // the shared file may be absent
		}
	}
	l := must[subscribers.List](t)(w.readers.CreateList(t.Context(), subscribers.List{
		Slug: "weekly", Title: "周刊 " + oldMarkers[0], Description: oldMarkers[1], Sender: `"` + oldMarkers[0] + `" <dibao@test.example>`,
	}))
	w.reader("a", l)
	text := must[int64](t)(w.readers.AddConfirmed(t.Context(), "b@test.example", "en", []subscribers.List{l}, "test"))
	prefs := must[subscribers.Preferences](t)(w.readers.Preferences(t.Context(), text))
	prefs.Format = subscribers.Text
	if err := w.readers.SetPreferences(t.Context(), text, prefs, netip.Prefix{}); err != nil {
		t.Fatal(err)
	}
	composed := must[digest.Composed](t)(w.service.ComposeNow(t.Context(), []subscribers.List{l}))
	if err := w.service.SetNote(t.Context(), composed.Issues[0].ID, "编者："+strings.Join(markerForms(), " ")); err != nil {
		t.Fatal(err)
	}
	if d := w.deliver(); d.Sent != 2 {
		t.Fatalf("%+v, want 2 sent", d)
	}
	for _, m := range w.box.Messages() {
		checkTokens(t, m)
	}
	trust.Report(t, "tokens of readers in text of sources", "0 of %d forms in every field", len(markerForms()))
}

// checkTokens finds the tokens of the reader of an email where our footer has them, and
// nowhere else.
func checkTokens(t *testing.T, m mailbox.Message) {
	t.Helper()
	parts := map[string]string{"text": m.Text}
	if m.HTML != "" {
		parts["HTML"] = m.HTML
	}
	for name, part := range parts {
		if !strings.Contains(part, "slot.invalid") {
			t.Errorf("%s to %s: the source's text is missing:\n%s", name, m.To, part)
		}
		// There are two links to the preferences: the calendar is part of them.
		for path, times := range map[string]int{"/preferences/": 2, "/u/": 1} {
			found := regexp.MustCompile(`127\.0\.0\.1:8080`+path+`([A-Za-z0-9_-]{20,})`).FindAllStringSubmatch(part, -1)
			if len(found) == 0 {
				t.Errorf("%s to %s has no link to %s", name, m.To, path)
				continue
			}
			if n := strings.Count(part, found[0][1]); n != times {
				at := strings.Index(part, found[0][1])
				t.Errorf("%s to %s holds the token of %s %d times, want %d; first:\n%s", name, m.To, path, n, times, part[max(0, at-200):min(len(part), at+200)])
			}
		}
	}
	// Each link is at its words: swapped links would unsubscribe readers who want to change
	// something.
	if !regexp.MustCompile(`(?:退订|[Uu]nsubscribe)\s+http://127\.0\.0\.1:8080/u/`).MatchString(m.Text) {
		t.Errorf("the text to %s does not offer to unsubscribe at /u/:\n%s", m.To, m.Text)
	}
	if strings.Contains(m.Subject, "/preferences/") || strings.Contains(m.Header.Get("From"), "/preferences/") || strings.Contains(m.Header.Get("List-Id"), "/u/") {
		t.Errorf("a header of the mail to %s holds a token: %v", m.To, m.Header)
	}
}
