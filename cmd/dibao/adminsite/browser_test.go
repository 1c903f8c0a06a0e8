package adminsite

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/chromedp"

	"dibao/internal/database"
	"dibao/internal/database/databasetest"
	"dibao/templates/templatestest"
)

// TestPagesInABrowser opens the pages in a real browser, narrow and wide, light and dark,
// in both languages: nothing wider than the window, nothing that axe-core or the console
// complains about. If DIBAO_SCREENSHOTS is set to a folder, a picture of every page is
// stored there.
func TestPagesInABrowser(t *testing.T) {
	t.Parallel()
	ctx := templatestest.Browser(t)
	db, err := database.Open(t.Context(), databasetest.SQLite(t), database.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	w := newWorld(t, db)
	w.crowd = 480
	w.readers()
	w.collectors(90)
	w.mail()
	base := w.serve()
	var complaints []string
	w.must(chromedp.Listen(ctx, func(event any) {
		if e, ok := event.(*log.EventEntryAdded); ok && e.Entry.Level == log.EntryLevelError {
			complaints = append(complaints, e.Entry.Text)
		}
	}))
	axe := templatestest.Axe(t)
	file := filepath.Join(t.TempDir(), "mailing.html")
	f, err := os.Create(file)
	w.must(err)
	w.must(errors.Join(w.site.WriteMailing(t.Context(), f, 1, "zh"), f.Close()))
	for name, path := range map[string]string{"file": "file://" + file, "overview": "/", "sources": "/sources", "source": "/sources/3", "mailings": "/mailings", "mailing": "/mailings/1", "lists": "/lists", "list": "/lists/weekly", "help": "/help/", "reference": "/help/configuration"} {
		for _, language := range []string{"zh", "en"} {
			address := base + path + "?lang=" + language
			if name == "file" {
				address = path
			}
			_, err := chromedp.Run(ctx, chromedp.Navigate(address))
			w.must(err)
			if axe != "" {
				w.must(chromedp.Do(ctx, chromedp.Evaluate[chromedp.Void](axe+";0")))
			}
			widths := []int64{360, 768, 1280}
			if language == "en" {
				widths = []int64{360, 1280}
			}
			for _, width := range widths {
				for _, scheme := range []string{"light", "dark"} {
					where := fmt.Sprintf("%s-%s-%d-%s", name, language, width, scheme)
					w.must(templatestest.Look(ctx, width, 900, scheme))
					overflow, err := chromedp.Run(ctx, chromedp.Evaluate[int](`document.documentElement.scrollWidth - document.documentElement.clientWidth`))
					w.must(err)
					if overflow > 0 {
						t.Errorf("%s: %d pixels wider than the window", where, overflow)
					}
					if dir := os.Getenv("DIBAO_SCREENSHOTS"); dir != "" {
						picture, err := chromedp.Run(ctx, chromedp.FullScreenshot(100))
						w.must(err)
						w.must(os.WriteFile(filepath.Join(dir, where+".png"), picture, 0o644))
					}
					if axe == "" || width == 768 || width == 1280 && scheme == "dark" {
						continue
					}
					wrong, err := templatestest.Violations(ctx)
					w.must(err)
					for _, v := range wrong {
						t.Errorf("%s: axe: %s", where, v)
					}
				}
			}
		}
	}
	if len(complaints) > 0 {
		t.Errorf("the console says %q", complaints)
	}
}
