package digest_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"dibao/digest"
	"dibao/internal/database"
	"dibao/internal/database/databasetest"
	"dibao/templates"
	"dibao/templates/templatestest"
)

// TestMailsInABrowser opens an email with one of everything, and a request to confirm, in a
// real browser, at the widths of a phone and of a mail program, light and dark: nothing
// is wider than the window, no line of Chinese begins with a character that must not begin
// one, and every text has enough contrast. With DIBAO_PICTURES=1 the pictures of
// docs/digest.md are created again.
func TestMailsInABrowser(t *testing.T) {
	t.Parallel()
	chromium, err := exec.LookPath("chromium")
	if err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal("chromium is not installed; run make needs")
		}
		t.Skip("chromium is not installed; install the package chromium to see the emails in a browser")
	}
	files := make(map[string]string) // by kind
	write := func(name, html string) {
		files[name] = filepath.Join(t.TempDir(), name+".html")
		if err := os.WriteFile(files[name], []byte(html), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for _, language := range []string{"zh", "en"} {
		db := must[*database.DB](t)(database.Open(t.Context(), databasetest.SQLite(t), database.Options{}))
		defer db.Close()
		w := newWorld(t, db)
		_, issue := w.gazette(language)
		write("mail-"+language, must[digest.Mail](t)(w.service.MailOfIssue(t.Context(), issue, language)).HTML)
		letter := templates.Confirmation{Language: language, SiteName: "邸报", Lists: []string{"民政周报", "养老政策快报"}, ConfirmURL: "https://dibao.example/confirm/Yk3kd9s8fJ2LqPzXn4TgVw1aB7cD5eF6hI0jK", Days: 7}
		write("confirmation-"+language, must[templates.Mail](t)(letter.Mail()).HTML)
	}
	flags := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(chromium), chromedp.NoSandbox, chromedp.DisableGPU, chromedp.UserDataDir(t.TempDir()),
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-component-update", true), chromedp.Flag("hide-scrollbars", true))
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	ctx, cancel = chromedp.NewExecAllocator(ctx, flags...)
	defer cancel()
	ctx, cancel = chromedp.NewContext(ctx)
	defer cancel()
	for name, path := range files {
		if err := chromedp.Do(ctx, chromedp.Navigate("file://"+path)); err != nil {
			t.Fatal(err)
		}
		for _, width := range []int64{360, 640} {
			for _, scheme := range []string{"light", "dark"} {
				where := fmt.Sprintf("%s-%d-%s", name, width, scheme)
				if err := templatestest.Look(ctx, width, map[bool]int64{true: 1500, false: 620}[strings.HasPrefix(name, "mail")], scheme); err != nil {
					t.Fatal(err)
				}
				wrong, err := chromedp.Run(ctx, chromedp.Evaluate[[]string](faults))
				if err != nil {
					t.Fatal(err)
				}
				for _, w := range wrong {
					t.Errorf("%s: %s", where, w)
				}
				if strings.HasPrefix(name, "mail") || name == "confirmation-zh" && scheme == "light" {
					takePicture(t, ctx, where)
				}
			}
		}
		if name == "mail-zh" { // the one on the first page of the documentation
			if err := templatestest.Look(ctx, 680, 1000, "light"); err != nil {
				t.Fatal(err)
			}
			takePicture(t, ctx, "digest")
		}
	}
}

// takePicture stores a picture of the window, if pictures are requested.
func takePicture(t *testing.T, ctx context.Context, name string) {
	t.Helper()
	if os.Getenv("DIBAO_PICTURES") == "" {
		return
	}
	b := must[[]byte](t)(templatestest.Picture(ctx))
	if err := os.WriteFile(filepath.Join("..", "docs", "images", name+".png"), b, 0o644); err != nil {
		t.Fatal(err)
	}
}

// faults runs in the page and returns what is wrong with its layout.
const faults = `(function () {
	const wrong = [], doc = document.documentElement;
	if (doc.scrollWidth > doc.clientWidth) wrong.push((doc.scrollWidth - doc.clientWidth) + ' pixels wider than the window');
	const rgb = c => c.match(/[\d.]+/g).map(Number);
	const light = c => { const [r, g, b] = rgb(c).map(v => (v /= 255) <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4); return 0.2126 * r + 0.7152 * g + 0.0722 * b };
	const ground = e => { for (; e; e = e.parentElement) { const c = getComputedStyle(e).backgroundColor; if (c !== 'rgba(0, 0, 0, 0)') return c } return 'rgb(255, 255, 255)' };
	const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
	for (let n; n = walk.nextNode();) {
		const e = n.parentElement, text = n.data;
		if (!text.trim() || getComputedStyle(e).display === 'none' || getComputedStyle(e).maxHeight === '0px') continue;
		const a = light(getComputedStyle(e).color), b = light(ground(e)), c = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
		if (c < 4.5) wrong.push('contrast ' + c.toFixed(1) + ' of ' + text.trim().slice(0, 30));
		for (let i = 1; i < text.length; i++) {
			if (!'，。、；：？！）》〉〕”'.includes(text[i])) continue;
			const at = k => { const r = document.createRange(); r.setStart(n, k); r.setEnd(n, k + 1); return r.getBoundingClientRect() };
			if (at(i).top > at(i - 1).bottom - 2) wrong.push('a line begins with ' + text.slice(i, i + 6));
		}
	}
	return wrong;
})()`
