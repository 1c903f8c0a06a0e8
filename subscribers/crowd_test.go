package subscribers

import (
	"crypto/sha256"
	"database/sql"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/PuerkitoBio/goquery"
	"github.com/chromedp/chromedp"

	"dibao/internal/database"
	"dibao/internal/database/databasetest"
	"dibao/internal/trust"
	"dibao/internal/web"
	"dibao/subscribers/mailaddr"
	"dibao/templates"
)

// from sends a request from an address.
func (s *site) from(addr netip.Addr, method, target string, form url.Values) answer {
	s.t.Helper()
	r := httptest.NewRequest(method, target, strings.NewReader(form.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return s.serve(web.WithClient(r, addr))
}

// crowds are the networks of attackers, and a reader who is in none of them.
var crowds = map[string]struct {
	attacker func(i int) netip.Addr
	reader   string
}{
	"IPv4":       {func(i int) netip.Addr { return netip.AddrFrom4([4]byte{10, byte(i >> 8), byte(i), 7}) }, "203.0.113.9"},
	"IPv4Spread": {func(i int) netip.Addr { return netip.AddrFrom4([4]byte{byte(1 + i%200), byte(i / 200), byte(i), 7}) }, "203.0.113.9"},
	"IPv6Sites":  {func(i int) netip.Addr { return netip.MustParseAddr(fmt.Sprintf("2001:db8:%x::7", i)) }, "2001:db8:ffff::9"},
}

// Twenty-five networks that posted anything once kept everybody out, because their posts
// counted against one limit. However many post junk, and fill in the form as a person does,
// a reader from another network still gets the email.
func TestCrowdOfNetworksKeepsNobodyOut(t *testing.T) {
	tried, in, largest := 0, 0, 0
	defer func() {
		trust.Report(t, "networks that keep a reader from subscribing", "%d of %d readers got the mail, beside crowds of up to %d networks", in, tried, largest)
	}()
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		postgres, all := strings.Contains(t.Name(), "postgres"), os.Getenv("DIBAO_LONG") != ""
		for name, crowd := range crowds {
			for _, n := range []int{25, 250, 2500} {
				if !all && n > 25 && (postgres || n > 250 || name != "IPv4") {
					continue // the part that grows with the crowd is the same
				}
				t.Run(fmt.Sprintf("%s%d", name, n), func(t *testing.T) {
					wipe(t, db)
					s := newSite(t, db)
					s.web.Limiter, s.mails = NewLimiter(s.clock.Now), make(chan Confirmation, 10_000)
					reader := netip.MustParseAddr(crowd.reader)
					mails := s.attack(n, crowd.attacker)
					pressed := s.persist(reader, fmt.Sprintf("reader%d@gmail.com", n), func() {
						for i := range min(n, 250) { // the attackers continue
							s.from(crowd.attacker(i), "POST", "/subscribe", url.Values{"address": {"junk"}})
						}
					})
					t.Logf("%d networks got %d emails; the reader pressed %d times", n, mails, pressed)
					tried, largest = tried+1, max(largest, n)
					if !t.Failed() {
						in++
					}
					if mails > shares[ProofNone].all {
						t.Errorf("%d emails without a proof, want at most %d", mails, shares[ProofNone].all)
					}
				})
			}
		}
	})
}

// attack lets each network post junk until it is refused, and fill in the form three times
// as a person does. It returns the number of emails that result.
func (s *site) attack(n int, addr func(int) netip.Addr) (mails int) {
	s.t.Helper()
	_, form := s.from(addr(0), "GET", "/subscribe", nil).form(s.t)
	form["list"] = []string{"weekly"}
	s.clock.Advance(5 * time.Second)
	for round := range 3 {
		for i := range n {
			form.Set("address", fmt.Sprintf("victim%d.%d@qq.com", i, round))
			s.from(addr(i), "POST", "/subscribe", form)
		}
	}
	for i := range n {
		for range max(1, min(8, 1000/n)) {
			s.from(addr(i), "POST", "/subscribe", url.Values{"address": {"junk"}})
		}
	}
	for range 8 {
		s.from(addr(0), "POST", "/subscribe", url.Values{"address": {"junk"}})
	}
	s.want(s.from(addr(0), "POST", "/subscribe", url.Values{"address": {"junk"}}), 429, "操作过于频繁")
	for s.mail() != nil {
		mails++
	}
	return mails
}

// persist subscribes as a person without scripts does who follows what the page
// says, and returns how often the button was pressed.
func (s *site) persist(addr netip.Addr, address string, meanwhile func()) (pressed int) {
	s.t.Helper()
	page := s.from(addr, "GET", "/subscribe", nil)
	for pressed < 2 {
		action, values := page.form(s.t)
		values.Set("address", address)
		values["list"] = []string{"weekly"}
		s.clock.Advance(5 * time.Second)
		if strings.Contains(page.body, "一分钟") {
			s.clock.Advance(time.Minute)
		}
		meanwhile()
		page = s.from(addr, "POST", action, values)
		pressed++
		if page.status == 200 {
			break
		}
	}
	if m := s.mail(); page.status != 200 || m == nil || m.Address != address {
		s.t.Errorf("the reader got %d and the mail %v:\n%.3000s", page.status, m, page.page.Find("main").Text())
	}
	return pressed
}

// mailed records emails that n networks got.
func (s *site) mailed(n int, addr func(int) netip.Addr) {
	s.t.Helper()
	err := s.db.Write(s.t.Context(), func(tx *sql.Tx) error {
		for i := range n {
			if err := s.countMail(s.t.Context(), tx, netip.PrefixFrom(addr(i), addr(i).BitLen()), "victim@qq.com", s.clock.Now()); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		s.t.Fatal(err)
	}
}

// Attackers who wait as a reader does use up the emails for this proof; a client that
// computes still gets one, and each proof is valid only for its network.
func TestWorkGetsThroughACrowdThatWaits(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		s := newSite(t, db)
		s.mailed(2500, crowds["IPv6Sites"].attacker)
		reader := netip.MustParseAddr("2001:db8:ffff::9")
		action, values := s.from(reader, "GET", "/subscribe", nil).form(t)
		values.Set("address", "a@gmail.com")
		values["list"] = []string{"weekly"}
		s.clock.Advance(2 * time.Minute)
		a := s.from(reader, "POST", action, values)
		if a.status != 429 || s.states("a@gmail.com") != "unknown" {
			t.Errorf("a form that waited: got %d; the address is %s", a.status, s.states("a@gmail.com"))
		}
		_, values = a.form(t)
		values["list"] = []string{"weekly"}
		values.Set("work", work(values.Get("started"), workBits))
		if a := s.from(netip.MustParseAddr("198.51.100.7"), "POST", action, values); a.status != 429 {
			t.Errorf("another network's work: got %d", a.status)
		}
		s.want(s.from(reader, "POST", action, values), 200, "请查收确认信")
		if m := s.mail(); m == nil {
			t.Error("no mail")
		}
	})
}

// work finds a proof as static/work.js does.
func work(stamp string, zeros int) string {
	for n := 0; ; n++ {
		if text := strconv.Itoa(n); leadingZeros(sha256.Sum256([]byte(stamp+":"+text))) >= zeros {
			return text
		}
	}
}

// Emails that a network got count against it, and against its /48; a wide network gets half
// of what is available; a domain with few users is not flooded.
func TestSharesAreFair(t *testing.T) {
	for name, c := range map[string]struct {
		n     asked
		large bool
		want  Proof
	}{
		"Nothing":            {asked{}, false, ProofNone},
		"AloneAtItsLimit":    {asked{all: 19, own: 19, wide: 19}, true, ProofNone},
		"OverItsLimit":       {asked{all: 20, own: 20, wide: 20}, true, proofNever},
		"FreshAmongMany":     {asked{all: 999}, true, ProofNone},
		"FreshAmongTooMany":  {asked{all: 1000}, true, ProofWaited},
		"SecondAmongMany":    {asked{all: 500, own: 1}, true, ProofWaited},
		"FreshInAWideCrowd":  {asked{all: 500, wide: 500}, true, ProofWaited},
		"WorkOf2500Networks": {asked{all: 2500, wide: 2500}, true, ProofWorked},
		"Nobody":             {asked{all: 6000}, true, proofNever},
		"SmallDomain":        {asked{all: 50, domain: 50}, false, ProofWaited},
		"LargeDomain":        {asked{all: 50, domain: 50}, true, ProofNone},
	} {
		got := proofNever
		for p, s := range shares {
			if s.open(c.n, c.large) {
				got = Proof(p)
				break
			}
		}
		if got != c.want {
			t.Errorf("%s: proof %d, want %d", name, got, c.want)
		}
	}
}

// For limits only, addresses with dots, tags and second domains count as one mailbox.
func TestMailboxOf(t *testing.T) {
	for _, same := range [][]string{
		{"ab@gmail.com", "a.b@gmail.com", "A.B+x@googlemail.com", "a...b+y+z@GMAIL.com"},
		{"ab@outlook.com", "ab+1@outlook.com"}, {"ab@hotmail.com", "ab+1@hotmail.com"},
		{"10001@qq.com", "10001+a@qq.com"}, {"ab@163.com", "ab+a@163.com"},
		{"ab@fastmail.com", "ab+x@fastmail.com", "anything@ab.fastmail.com"},
		{"ab@icloud.com", "ab+x@me.com", "ab@mac.com"},
		{"ab@proton.me", "a.b@protonmail.com", "a-b_+x@pm.me"},
		{"ab@yahoo.com", "ab-shop@yahoo.com"}, {"a.b@ya.ru", "a-b@yandex.com"},
		{"ab@example.org", "ab+x@example.org"},
	} {
		for _, address := range same {
			if got, want := mailaddr.MailboxOf(address), mailaddr.MailboxOf(same[0]); got != want {
				t.Errorf("%s is %s, want %s", address, got, want)
			}
		}
	}
	for _, other := range [][2]string{
		{"a.b@outlook.com", "ab@outlook.com"}, {"a.b@example.org", "ab@example.org"}, {"ab@gmail.com", "ab@outlook.com"},
		{"a-b@gmail.com", "ab@gmail.com"}, {"+a@example.org", "+b@example.org"}, {"ab@qq.com", "ab@foxmail.com"},
	} {
		if mailaddr.MailboxOf(other[0]) == mailaddr.MailboxOf(other[1]) {
			t.Errorf("%s and %s are one mailbox", other[0], other[1])
		}
	}
}

// A mailbox that was asked is not asked at another of its addresses, and refused requests
// leave no row; two readers with addresses of one mailbox remain two.
func TestRefusedRequestLeavesNoRow(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		f := newFixture(t, db)
		f.reader("a.b@gmail.com", f.weekly)
		f.reader("ab@gmail.com", f.weekly)
		if f.states("a.b@gmail.com") != "weekly=confirmed" || f.states("ab@gmail.com") != "weekly=confirmed" {
			t.Error("two readers became one")
		}
		if f.ask("v.ictim@gmail.com", f.weekly) == nil {
			t.Fatal("the first address of a mailbox was not asked")
		}
		if err := f.Suppress(t.Context(), "complained@example.org", ReasonComplaint, ""); err != nil {
			t.Fatal(err)
		}
		before := f.dump()
		for _, address := range []string{"victim@gmail.com", "vic.tim+1@googlemail.com", "complained@example.org"} {
			if f.ask(address, f.weekly) != nil {
				t.Errorf("%s was asked", address)
			}
		}
		if f.dump() != before {
			t.Error("a refused request left rows")
		}
	})
}

// In a browser the script of the form finds the proof, and a reader who pressed the button
// in the meantime need not press it again.
func TestBrowserWorksForTheForm(t *testing.T) {
	chromium, err := exec.LookPath("chromium")
	if err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal("chromium is not installed")
		}
		t.Skip("chromium is not installed; install the package chromium to try the form in a browser")
	}
	s := newSite(t, databasetestSQLite(t))
	s.mailed(2500, crowds["IPv6Sites"].attacker)
	s.web.MinFill = time.Nanosecond
	s.clock.Advance(time.Second)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if b, ok := templates.Static(strings.TrimPrefix(r.URL.Path, "/static/")); ok {
			w.Header().Set("Content-Type", map[bool]string{true: "text/javascript"}[strings.HasSuffix(r.URL.Path, ".js")])
			w.Write(b)
			return
		}
		if r.Method == "POST" {
			s.clock.Advance(5 * time.Second)
		}
		s.mux.ServeHTTP(w, web.WithClient(r, netip.MustParseAddr("203.0.113.9")))
	}))
	defer server.Close()
	flags := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(chromium), chromedp.NoSandbox, chromedp.DisableGPU, chromedp.UserDataDir(t.TempDir()))
	ctx, cancel := chromedp.NewExecAllocator(t.Context(), flags...)
	defer cancel()
	ctx, cancel = chromedp.NewContext(ctx)
	defer cancel()
	if err := chromedp.Do(ctx, chromedp.Navigate(server.URL+"/subscribe?list=weekly")); err != nil {
		t.Fatal(err)
	}
	if _, err := chromedp.Run(ctx, chromedp.Evaluate[bool](`(() => { document.getElementById("address").value = "a@gmail.com"; document.querySelector("main form button").click(); return true })()`)); err != nil {
		t.Fatal(err)
	}
	for range 600 {
		if m := s.mail(); m != nil && m.Address == "a@gmail.com" {
			return
		}
		time.Sleep(100 * time.Millisecond)
	}
	html, _ := chromedp.Run(ctx, chromedp.Evaluate[string](`document.querySelector("main").innerText`))
	page, _ := goquery.NewDocumentFromReader(strings.NewReader(html))
	t.Errorf("no mail; the page says:\n%s", page.Text())
}
