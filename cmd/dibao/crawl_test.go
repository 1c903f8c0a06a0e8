package main

import (
	"context"
	"database/sql"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/PuerkitoBio/goquery"

	"dibao/cmd/dibao/demo"
	"dibao/internal/trust"
)

// keptOfReaders are the tables that a GET must not change. Sources and articles change by
// themselves while the demo runs.
var keptOfReaders = []string{
	"subscribers", "subscriptions", "consents", "suppressions", "address_changes", "reader_asks", "confirmation_counts", "lists", "audit", "api_tokens", "secret_keys",
	"issues", "issue_items", "mailings", "deliveries", "feedback",
}

// TestNoLinkChangesAnything follows every link of every email and page as a link scanner
// does, by GET and HEAD: afterwards nothing about readers or emails has changed.
func TestNoLinkChangesAnything(t *testing.T) {
	o := demo.Options{AfterSteps: func(d *demo.Demo) { crawl(t, d) }}
	if _, err := demoOnce(t, o, ""); err != nil {
		t.Fatal(err)
	}
}

func crawl(t *testing.T, d *demo.Demo) {
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	base := d.Config.Server.BaseURL
	// A reader's request and change that wait for an answer could be answered by mistake.
	lists, err := d.Subscribers.Lists(ctx)
	if err != nil {
		t.Fatal(err)
	}
	reader, err := d.Subscribers.SubscriberByAddress(ctx, "reader2@demo.example")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := d.Post(ctx, base+"/preferences/"+d.Subscribers.Keys().PreferencesToken(reader.ID, reader.Address)+"/address", url.Values{"address": {"elsewhere@demo.example"}}); err != nil {
		t.Fatal(err)
	}
	if err := d.AskByAdmin(ctx, "waiting@demo.example"); err != nil {
		t.Fatal(err)
	}
	wait, stop := context.WithTimeout(ctx, 20*time.Second)
	defer stop()
	mails := d.Summary.Subscribers*2 + 3
	if err := d.Box.Wait(wait, mails); err != nil {
		t.Fatalf("%d of %d emails: %v", d.Box.Count(), mails, err)
	}

	before := dumpReaders(t, d)
	todo := []string{base + "/", base + "/subscribe?list=" + lists[0].Slug}
	link := regexp.MustCompile(regexp.QuoteMeta(base) + `[^\s<>"')]*`)
	kinds := map[string]int{}
	for _, m := range d.Box.Messages() {
		todo = append(todo, link.FindAllString(m.Text+" "+m.HTML+" "+string(m.Raw), -1)...)
	}
	seen := map[string]bool{}
	for len(todo) > 0 && len(seen) < 1500 {
		address := todo[0]
		todo = todo[1:]
		if seen[address] || !strings.HasPrefix(address, base) {
			continue
		}
		seen[address] = true
		kinds[strings.Split(strings.TrimPrefix(address, base)+"//", "/")[1]]++
		todo = append(todo, follow(ctx, t, address)...)
	}
	if after := dumpReaders(t, d); after != before {
		t.Errorf("following %d links changed something:\n%s\n---\n%s", len(seen), before, after)
	}
	for _, kind := range []string{"confirm", "u", "preferences", "change", "subscribe", "articles", "lists"} {
		if kinds[kind] == 0 {
			t.Errorf("no link to /%s/ was followed: %v", kind, kinds)
		}
	}
	trust.Report(t, "state changes by GET", "0 of %d links", len(seen))
}

// follow requests an address by GET and HEAD and returns the links of the page.
func follow(ctx context.Context, t *testing.T, address string) (links []string) {
	at, err := url.Parse(address)
	if err != nil {
		return nil
	}
	for _, method := range []string{http.MethodHead, http.MethodGet} {
		r, err := http.NewRequestWithContext(ctx, method, address, nil)
		if err != nil {
			return nil
		}
		res, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatalf("%s: %v", address, err)
		}
		body, err := io.ReadAll(res.Body)
		res.Body.Close()
		if err != nil || res.StatusCode >= 500 {
			t.Errorf("%s %s: status %d, %v", method, address, res.StatusCode, err)
		}
		if !strings.HasPrefix(res.Header.Get("Content-Type"), "text/html") {
			continue
		}
		if method == http.MethodGet && res.StatusCode == http.StatusOK && res.Request.URL.Path != "/" {
			otherSlash(ctx, t, *res.Request.URL)
		}
		page, err := goquery.NewDocumentFromReader(strings.NewReader(string(body)))
		if err != nil {
			t.Fatal(err)
		}
		page.Find("[href],[src],[action]").Each(func(_ int, s *goquery.Selection) {
			for _, name := range []string{"href", "src", "action"} {
				if to, err := at.Parse(s.AttrOr(name, "")); err == nil && s.AttrOr(name, "") != "" {
					to.Fragment = ""
					links = append(links, to.String())
				}
			}
		})
	}
	return links
}

// otherSlash requests the address of a page with an additional trailing slash, or without
// its own: it also leads to the page.
func otherSlash(ctx context.Context, t *testing.T, page url.URL) {
	if bare, ok := strings.CutSuffix(page.EscapedPath(), "/"); ok {
		page.Path, page.RawPath = strings.TrimSuffix(page.Path, "/"), bare
	} else {
		page.RawPath, page.Path = page.EscapedPath()+"/", page.Path+"/"
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, page.String(), nil)
	if err != nil {
		t.Fatal(err)
	}
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatalf("%s: %v", &page, err)
	}
	res.Body.Close()
	if res.StatusCode != http.StatusOK {
		t.Errorf("%s: status %d", &page, res.StatusCode)
	}
}

func dumpReaders(t *testing.T, d *demo.Demo) string {
	t.Helper()
	var b strings.Builder
	err := d.DB.Read(t.Context(), func(tx *sql.Tx) error {
		for _, table := range keptOfReaders {
			rows, err := tx.Query("SELECT * FROM " + table + " ORDER BY 1, 2")
			if err != nil {
				return err
			}
			columns, err := rows.Columns()
			if err != nil {
				return err
			}
			for rows.Next() {
				values, into := make([]any, len(columns)), make([]any, len(columns))
				for i := range values {
					into[i] = &values[i]
				}
				if err := rows.Scan(into...); err != nil {
					return err
				}
				fmt.Fprintln(&b, table, values)
			}
			if err := rows.Err(); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return b.String()
}
