package subscribers

import (
	"context"
	"io"
	"log/slog"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/PuerkitoBio/goquery"
	"github.com/google/go-cmp/cmp"

	"dibao/internal/database"
	"dibao/internal/database/databasetest"
	"dibao/internal/web"
	"dibao/subscribers/tokens"
)

// site serves the pages of readers and records the emails that they send.
type site struct {
	*fixture
	mux   *http.ServeMux
	web   *Web
	mails chan Confirmation
}

func newSite(t *testing.T, db *database.DB) *site {
	t.Helper()
	s := &site{fixture: newFixture(t, db), mux: http.NewServeMux(), mails: make(chan Confirmation, 100)}
	s.web = &Web{
		Store: s.Store, SiteName: "邸报", BaseURL: "https://example.org", Logger: slog.New(slog.DiscardHandler),
		Limiter: &web.Limiter{Burst: 100, Every: time.Minute, Now: s.clock.Now},
		Send:    func(c Confirmation) { s.mails <- c },
	}
	s.web.Register(s.mux)
	return s
}

// answer is the response that a browser got.
type answer struct {
	status int
	header http.Header
	body   string
	page   *goquery.Document
}

func (s *site) do(method, target string, form url.Values) answer {
	s.t.Helper()
	var body io.Reader
	if form != nil {
		body = strings.NewReader(form.Encode())
	}
	r := httptest.NewRequest(method, target, body)
	if form != nil {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	return s.serve(r)
}

func (s *site) serve(r *http.Request) answer {
	s.t.Helper()
	w := httptest.NewRecorder()
	s.mux.ServeHTTP(w, r)
	page, err := goquery.NewDocumentFromReader(strings.NewReader(w.Body.String()))
	if err != nil {
		s.t.Fatal(err)
	}
	return answer{status: w.Code, header: w.Header(), body: w.Body.String(), page: page}
}

// form returns the action of a page's form and the values that pressing its button sends.
func (a answer) form(t *testing.T) (action string, values url.Values) {
	t.Helper()
	f := a.page.Find("main form")
	if f.Length() != 1 || f.AttrOr("method", "") != "post" {
		t.Fatalf("not one form that posts: %s", a.body)
	}
	values = url.Values{}
	f.Find("input").Each(func(_ int, in *goquery.Selection) {
		_, checked := in.Attr("checked")
		if kind := in.AttrOr("type", "text"); kind != "checkbox" && kind != "radio" || checked {
			values.Add(in.AttrOr("name", ""), in.AttrOr("value", ""))
		}
	})
	f.Find("select").Each(func(_ int, in *goquery.Selection) {
		values.Add(in.AttrOr("name", ""), in.Find("option[selected]").AttrOr("value", ""))
	})
	return f.AttrOr("action", ""), values
}

// fillIn opens the form, waits as a person does, and sends it.
func (s *site) fillIn(address string, lists ...string) answer {
	s.t.Helper()
	action, values := s.do("GET", "/subscribe", nil).form(s.t)
	values.Set("address", address)
	values["list"] = lists
	s.clock.Advance(5 * time.Second)
	return s.do("POST", action, values)
}

func (s *site) mail() *Confirmation {
	select {
	case m := <-s.mails:
		return &m
	default:
		return nil
	}
}

func (s *site) want(a answer, status int, title string) {
	s.t.Helper()
	if got := a.page.Find("h1").Text(); a.status != status || got != title {
		s.t.Errorf("got %d %q, want %d %q", a.status, got, status, title)
	}
}

func TestPagesOfTheOptIn(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		s := newSite(t, db)
		form := s.do("GET", "/subscribe?list=monthly", nil)
		if strings.Contains(form.body, "内部") || !strings.Contains(form.body, "民政周报") || !strings.Contains(form.body, "每周一 08:00") {
			t.Errorf("the form shows other than the public lists:\n%s", form.body)
		}
		if _, values := form.form(t); values.Get("list") != "monthly" {
			t.Errorf("the list of the link is not chosen: %v", values)
		}
		s.want(s.fillIn("reader@example.org", "weekly", "monthly", "inner", "none"), 200, "请查收确认信")
		mail := s.mail()
		if mail == nil {
			t.Fatal("no mail")
		}
		if got, want := s.states("reader@example.org"), "weekly=pending monthly=pending"; got != want {
			t.Errorf("got %q, want %q", got, want)
		}
		page := s.do("GET", "/confirm/"+mail.Token, nil)
		s.want(page, 200, "确认订阅")
		action, _ := page.form(t)
		s.want(s.do("POST", action, url.Values{}), 200, "订阅已确认")
		if got, want := s.states("reader@example.org"), "weekly=confirmed monthly=confirmed"; got != want {
			t.Errorf("got %q, want %q", got, want)
		}
		s.want(s.do("POST", action, url.Values{}), 200, "订阅已确认")
		s.want(s.do("GET", "/confirm/"+mail.Token, nil), 200, "订阅已确认")
	})
}

// A post without the page's own list of lists confirms all that were requested.
func TestConfirmByPostAlone(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		s := newSite(t, db)
		s.fillIn("a@example.org", "weekly", "monthly")
		path := "/confirm/" + s.mail().Token
		done := s.do("POST", path, nil)
		s.want(done, 200, "订阅已确认")
		if got, want := s.states("a@example.org"), "weekly=confirmed monthly=confirmed"; got != want {
			t.Errorf("got %q, want %q", got, want)
		}
		_, link, _ := strings.Cut(done.body, `href="/preferences/`)
		link, _, _ = strings.Cut(link, `"`)
		s.want(s.do("GET", "/preferences/"+link, nil), 200, "偏好设置")
		for _, method := range []string{"GET", "POST"} {
			if again := s.do(method, path, nil); strings.Contains(again.body, "/preferences/") {
				t.Errorf("%s of a page that is opened again shows a link that changes preferences", method)
			}
		}
	})
}

func TestConfirmPageBindsItsButton(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		s := newSite(t, db)
		s.fillIn("a@example.org", "weekly")
		action, _ := s.do("GET", "/confirm/"+s.mail().Token, nil).form(t)
		s.fillIn("a@example.org", "monthly") // somebody else's request, while the page is open
		s.do("POST", action, url.Values{})
		if got, want := s.states("a@example.org"), "weekly=confirmed monthly=pending"; got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	})
}

// GET and HEAD of every page change nothing, because link scanners request them all.
func TestGetChangesNothing(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		s := newSite(t, db)
		id := s.reader("a@example.org", s.weekly)
		mail := s.ask("a@example.org", s.monthly)
		before := s.dump()
		for _, target := range []string{
			"/subscribe", "/subscribe?list=weekly&address=b@example.org",
			"/confirm/" + mail.Token, "/confirm/" + mail.Token + "?list=monthly", "/confirm/bad",
			"/preferences/" + s.preferencesToken(id), "/preferences/" + s.preferencesToken(id) + "?list=monthly&language=en", "/preferences/bad",
			"/u/" + s.keys.UnsubscribeToken(id, 0), "/u/" + s.keys.UnsubscribeToken(id, s.weekly.ID),
			"/u/" + s.keys.UnsubscribeToken(id, 0) + "?List-Unsubscribe=One-Click", "/u/bad",
		} {
			for _, method := range []string{"GET", "HEAD"} {
				s.clock.Advance(time.Minute)
				a := s.do(method, target, nil)
				if a.header.Get("Cache-Control") != "no-store" || a.header.Get("Referrer-Policy") != "no-referrer" || a.header.Get("Set-Cookie") != "" {
					t.Errorf("%s %s: headers %v", method, target, a.header)
				}
				if !strings.HasPrefix(target, "/subscribe") && !strings.Contains(a.body, "noindex") {
					t.Errorf("%s %s may be indexed", method, target)
				}
				if diff := cmp.Diff(before, s.dump()); diff != "" {
					t.Fatalf("%s %s changed:\n%s", method, target, diff)
				}
			}
		}
	})
}

// No response reveals whether an address is known, mailed or suppressed.
func TestSameAnswerForEveryAddress(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		s := newSite(t, db)
		s.reader("confirmed@example.org", s.weekly)
		s.ask("pending@example.org", s.weekly)
		if err := s.Suppress(t.Context(), "suppressed@example.org", "complaint", ""); err != nil {
			t.Fatal(err)
		}
		left := s.reader("left@example.org", s.weekly)
		if _, err := s.Unsubscribe(t.Context(), left, 0, "page", testNetwork); err != nil {
			t.Fatal(err)
		}
		first := s.fillIn("unknown@example.org", "weekly")
		s.want(first, 200, "请查收确认信")
		if m := s.mail(); m == nil || m.Address != "unknown@example.org" {
			t.Errorf("unknown: mail %v", m)
		}
		for _, c := range []struct {
			who  string
			mail bool
		}{{"unknown", false}, {"confirmed", false}, {"pending", false}, {"suppressed", false}, {"left", true}} {
			a := s.fillIn(c.who+"@example.org", "weekly")
			if diff := cmp.Diff([]any{first.status, first.header, first.body}, []any{a.status, a.header, a.body}); diff != "" {
				t.Errorf("%s: the answer differs:\n%s", c.who, diff)
			}
			if m := s.mail(); (m != nil) != c.mail {
				t.Errorf("%s: mail %v, want one: %v", c.who, m, c.mail)
			}
		}
	})
}

func TestFormIsRefused(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		s := newSite(t, db)
		action, good := s.do("GET", "/subscribe", nil).form(t)
		good.Set("address", "a@example.org")
		good.Set("list", "weekly")
		before := s.dump()
		for name, c := range map[string]struct {
			after  time.Duration
			change func(v url.Values)
			status int
			want   string // in the page
		}{
			"TooFast":        {time.Second, func(url.Values) {}, 400, "太快或太迟"},
			"TooLate":        {25 * time.Hour, func(url.Values) {}, 400, "太快或太迟"},
			"NoStamp":        {time.Minute, func(v url.Values) { v.Del("started") }, 400, "太快或太迟"},
			"ForgedStamp":    {time.Minute, func(v url.Values) { v.Set("started", strings.ToUpper(v.Get("started"))) }, 400, "太快或太迟"},
			"OtherToken":     {time.Minute, func(v url.Values) { v.Set("started", s.keys.PreferencesToken(1, "a@example.org")) }, 400, "太快或太迟"},
			"Honeypot":       {time.Minute, func(v url.Values) { v.Set("website", "https://spam.example") }, 200, "请查收确认信"},
			"BadAddress":     {time.Minute, func(v url.Values) { v.Set("address", "a@b@c") }, 400, "邮箱地址不正确"},
			"InjectedHeader": {time.Minute, func(v url.Values) { v.Set("address", "a@example.org\r\nBcc: b@example.org") }, 400, "邮箱地址不正确"},
			"NoAddress":      {time.Minute, func(v url.Values) { v.Del("address") }, 400, "邮箱地址不正确"},
			"Machine":        {time.Minute, func(v url.Values) { v.Set("address", "noreply@example.org") }, 400, "由程序收信"},
			"NoList":         {time.Minute, func(v url.Values) { v.Del("list") }, 400, "请至少选择一个列表"},
			"HiddenList":     {time.Minute, func(v url.Values) { v.Set("list", "inner") }, 400, "请至少选择一个列表"},
		} {
			v := url.Values{}
			for key, values := range good {
				v[key] = append([]string(nil), values...)
			}
			c.change(v)
			s.clock.Advance(c.after)
			a := s.do("POST", action, v)
			s.clock.Advance(-c.after)
			if a.status != c.status || !strings.Contains(a.body, c.want) {
				t.Errorf("%s: got %d, want %d with %q:\n%s", name, a.status, c.status, c.want, a.body)
			}
			if m := s.mail(); m != nil {
				t.Errorf("%s: an email was sent", name)
			}
		}
		if diff := cmp.Diff(before, s.dump()); diff != "" {
			t.Errorf("forms that were refused changed:\n%s", diff)
		}
	})
}

// A person who was too quick can press the button again, with the values that were entered.
func TestFormAfterTooFast(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		s := newSite(t, db)
		action, v := s.do("GET", "/subscribe", nil).form(t)
		v.Set("address", "a@example.org")
		v.Set("list", "monthly")
		s.clock.Advance(time.Second)
		action, again := s.do("POST", action, v).form(t)
		if diff := cmp.Diff(v, again); diff != "" {
			t.Errorf("the form forgot what was typed:\n%s", diff)
		}
		s.clock.Advance(time.Second)
		s.want(s.do("POST", action, again), 200, "请查收确认信")
	})
}

func TestFormIsLimitedByNetwork(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		s := newSite(t, db)
		s.web.Limiter = &web.Limiter{Burst: 2, Every: time.Hour, Now: s.clock.Now}
		s.want(s.fillIn("a@example.org", "weekly"), 200, "请查收确认信")
		s.want(s.fillIn("b@example.org", "weekly"), 200, "请查收确认信")
		a := s.fillIn("c@example.org", "weekly")
		s.want(a, 429, "操作过于频繁")
		if a.header.Get("Retry-After") == "" {
			t.Error("no Retry-After")
		}
		if got := s.states("c@example.org"); got != "unknown" {
			t.Errorf("a refused request was noted: %s", got)
		}
	})
}

func TestOneClick(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		for name, body := range map[string]func() (contentType, body string){
			"URLEncoded": func() (string, string) {
				return "application/x-www-form-urlencoded", "List-Unsubscribe=One-Click"
			},
			"Multipart": func() (string, string) {
				var b strings.Builder
				w := multipart.NewWriter(&b)
				w.WriteField("List-Unsubscribe", "One-Click")
				w.Close()
				return w.FormDataContentType(), b.String()
			},
			"Empty":       func() (string, string) { return "", "" },
			"BrokenBody":  func() (string, string) { return "multipart/form-data", "\x00%%%" },
			"OtherFields": func() (string, string) { return "application/x-www-form-urlencoded", "list=weekly&language=en" },
		} {
			t.Run(name, func(t *testing.T) {
				wipe(t, db)
				s := newSite(t, db)
				id := s.reader("a@example.org", s.weekly, s.monthly)
				var after string
				for try := range 2 {
					contentType, text := body()
					r := httptest.NewRequest("POST", "/u/"+s.keys.UnsubscribeToken(id, s.weekly.ID), strings.NewReader(text))
					r.Header.Set("Content-Type", contentType)
					a := s.serve(r)
					s.want(a, 200, "已退订")
					if a.header.Get("Location") != "" || a.header.Get("Set-Cookie") != "" {
						t.Errorf("headers %v: a redirect or a cookie", a.header)
					}
					if got, want := s.states("a@example.org"), "weekly=unsubscribed monthly=confirmed"; got != want {
						t.Errorf("post %d: got %q, want %q", try+1, got, want)
					}
					if try == 0 {
						after = s.dump()
					} else if diff := cmp.Diff(after, s.dump()); diff != "" {
						t.Errorf("the second post changed:\n%s", diff)
					}
					s.clock.Advance(time.Hour)
				}
				if log := s.log("a@example.org"); !strings.HasSuffix(log, "weekly unsubscribed  one-click\n") {
					t.Errorf("log:\n%s", log)
				}
			})
		}
	})
}

func TestUnsubscribePage(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		s := newSite(t, db)
		id := s.reader("a@example.org", s.weekly, s.monthly)
		of := s.do("GET", "/u/"+s.keys.UnsubscribeToken(id, s.monthly.ID), nil)
		if text := of.page.Find("main").Text(); !strings.Contains(text, "每月") || strings.Contains(text, "民政周报") {
			t.Errorf("the page of one list: %s", text)
		}
		all := s.do("GET", "/u/"+s.keys.UnsubscribeToken(id, 0), nil)
		if text := all.page.Find("main").Text(); !strings.Contains(text, "所有列表") || strings.Contains(text, "民政周报") || strings.Contains(all.body, "example.org") {
			t.Errorf("the page of all lists: %s", text)
		}
		action, values := all.form(t)
		s.want(s.do("POST", action, values), 200, "已退订")
		if got, want := s.states("a@example.org"), "weekly=unsubscribed monthly=unsubscribed"; got != want {
			t.Errorf("got %q, want %q", got, want)
		}
		if log := s.log("a@example.org"); !strings.HasSuffix(log, "monthly unsubscribed  page\n") {
			t.Errorf("log:\n%s", log)
		}
		for _, list := range []int64{0, s.monthly.ID} { // when it is opened again, there is no button
			again := s.do("GET", "/u/"+s.keys.UnsubscribeToken(id, list), nil)
			if s.want(again, 200, "已退订"); again.page.Find("button[type=submit]").Length() > 0 && strings.Contains(again.body, "One-Click") {
				t.Errorf("the page of list %d has the button still", list)
			}
		}
		s.want(s.do("POST", "/u/"+s.keys.UnsubscribeToken(999, 0), nil), 200, "已退订") // forgotten in the meantime
	})
}

// altered returns the token with a different first character, whatever that is.
func altered(token string) string {
	if token[0] == 'A' {
		return "B" + token[1:]
	}
	return "A" + token[1:]
}

// Each link opens its own page and no other, and an invalid one changes nothing.
func TestLinksOpenTheirOwnPageOnly(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		s := newSite(t, db)
		id := s.reader("a@example.org", s.weekly)
		mail := s.ask("a@example.org", s.monthly)
		_, form := s.do("GET", "/subscribe", nil).form(t)
		tokens := map[string]string{
			"/confirm/": mail.Token, "/preferences/": s.preferencesToken(id), "/u/": s.keys.UnsubscribeToken(id, 0),
			"bounce": s.keys.BounceToken(id), "form": form.Get("started"), "forged": altered(mail.Token),
			"expired": s.keys.Sign(tokens.Token{Action: tokens.ActionConfirm, Subscriber: id, Expires: testStart.Add(-time.Second)}),
		}
		before := s.dump()
		for _, page := range []string{"/confirm/", "/preferences/", "/u/"} {
			for of, token := range tokens {
				if of == page {
					continue
				}
				for _, method := range []string{"GET", "POST"} {
					a := s.do(method, page+token, url.Values{"language": {"en"}, "List-Unsubscribe": {"One-Click"}})
					if page == "/confirm/" && of == "expired" {
						s.want(a, 410, "链接已过期")
					} else {
						s.want(a, 404, "链接不完整")
					}
					if strings.Contains(a.body, "a@example.org") {
						t.Errorf("%s %s with the token of %s shows the address", method, page, of)
					}
				}
			}
		}
		if diff := cmp.Diff(before, s.dump()); diff != "" {
			t.Errorf("wrong tokens changed:\n%s", diff)
		}
	})
}

func TestPreferencePage(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		s := newSite(t, db)
		id := s.reader("a@example.org", s.weekly, s.inner)
		target := "/preferences/" + s.preferencesToken(id)
		page := s.do("GET", target, nil)
		s.want(page, 200, "偏好设置")
		action, values := page.form(t)
		want := url.Values{
			"language": {"zh"}, "list": {"weekly", "inner"}, "choices": {"1"}, "format": {"html"}, "paused": {""},
			"frequency.weekly": {"issue"}, "frequency.monthly": {"issue"}, "frequency.inner": {"issue"}, "profile": {"1"}, "profile.size": {""},
		}
		if diff := cmp.Diff(want, values); diff != "" {
			t.Errorf("the page (-want +got):\n%s", diff)
		}
		before := s.dump()
		s.want(s.do("POST", action, values), 200, "已保存")
		if diff := cmp.Diff(before, s.dump()); diff != "" {
			t.Errorf("saving what was there changed:\n%s", diff)
		}
		for name, form := range map[string]url.Values{"NoForm": nil, "Empty": {}, "OneClick": {"List-Unsubscribe": {"One-Click"}}} {
			if a := s.do("POST", action, form); a.status != 400 {
				t.Errorf("%s: got %d, want 400", name, a.status)
			}
		}
		broken := httptest.NewRequest("POST", action, strings.NewReader("language=zh&list=%zz"))
		broken.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		if a := s.serve(broken); a.status != 400 {
			t.Errorf("broken form: got %d, want 400", a.status)
		}
		if diff := cmp.Diff(before, s.dump()); diff != "" {
			t.Errorf("posts that are not the form's changed:\n%s", diff)
		}

		s.want(s.do("POST", action, url.Values{"language": {"en"}, "list": {"monthly", "inner"}}), 200, "已保存")
		if got, want := s.states("a@example.org"), "weekly=unsubscribed monthly=confirmed inner=confirmed"; got != want {
			t.Errorf("got %q, want %q", got, want)
		}
		if x, err := s.subscriberByID(t.Context(), id); err != nil || x.Language != "en" {
			t.Errorf("language %q, %v; want en", x.Language, err)
		}
		s.want(s.do("POST", action, url.Values{"language": {"en"}}), 200, "已保存")
		if got, want := s.states("a@example.org"), "weekly=unsubscribed monthly=unsubscribed inner=unsubscribed"; got != want {
			t.Errorf("got %q, want %q", got, want)
		}
		s.do("POST", action, url.Values{"language": {"en"}, "list": {"inner"}})
		if got, want := s.states("a@example.org"), "weekly=unsubscribed monthly=unsubscribed inner=unsubscribed"; got != want {
			t.Errorf("a reader who left a hidden list subscribed again without an invitation: %q", got)
		}
	})
}

func TestPagesInEnglish(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		s := newSite(t, db)
		page := s.do("GET", "/subscribe?lang=en", nil)
		s.want(page, 200, "Subscribe")
		action, v := page.form(t)
		v.Set("address", "a@example.org")
		v.Set("list", "weekly")
		s.clock.Advance(time.Minute)
		s.want(s.do("POST", action, v), 200, "Please check your email")
		mail := s.mail()
		if mail == nil || mail.Language != "en" {
			t.Errorf("mail %+v, want one in English", mail)
		}
	})
}

func TestHostileTextIsEscaped(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		s := newSite(t, db)
		s.create(List{Slug: "evil", Title: `<script>alert(1)</script>`, Description: `"><img src=x onerror=1>`})
		action, v := s.do("GET", "/subscribe", nil).form(t)
		v.Set("address", `"><script>alert(2)</script>`)
		s.clock.Advance(time.Minute)
		a := s.do("POST", action, v)
		if a.page.Find("script, img").Length() > 0 {
			t.Errorf("text became elements:\n%s", a.body)
		}
	})
}

// Run records requests after the response, and loses none when it stops.
func TestRunNotesRequests(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		s := newSite(t, db)
		ctx, stop := context.WithCancel(t.Context())
		defer stop()
		ended := make(chan error, 1)
		go func() { ended <- s.web.Run(ctx) }()
		const readers = 20
		for i := range readers {
			if i == readers/2 {
				stop()
			}
			s.want(s.fillIn(string(rune('a'+i))+"@example.org", "weekly"), 200, "请查收确认信")
		}
		if err := <-ended; err != nil {
			t.Fatal(err)
		}
		if got := len(s.mails); got != readers {
			t.Errorf("%d emails, want %d", got, readers)
		}
	})
}
