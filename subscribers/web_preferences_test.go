package subscribers

import (
	"encoding/json"
	"fmt"
	"net/url"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"dibao/internal/database"
	"dibao/internal/database/databasetest"
	"dibao/internal/trust"
	"dibao/policy"
	"dibao/policy/match"
	"dibao/subscribers/tokens"
)

func TestPreferencePageTakesEveryChoice(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		s := newSite(t, db)
		narrow := s.create(List{Slug: "narrow", Query: Query{Themes: []string{"民政", "财政"}, Regions: []string{"110000"}}})
		id := s.reader("a@example.org", s.weekly, narrow)
		target := "/preferences/" + s.preferencesToken(id)
		page := s.do("GET", target, nil)
		if got := page.page.Find(`input[name="theme.narrow"]`).Length(); got != 2 {
			t.Errorf("%d themes of a list with two", got)
		}
		if page.page.Find(`input[name="region.narrow"]`).Length() != 0 || page.page.Find(`input[name="region.weekly"]`).Length() < 31 {
			t.Error("regions: want none to choose of one, and all provinces of a list without any")
		}
		action, values := page.form(t)
		values.Set("paused", "2026-12-24")
		values.Set("format", "text")
		values.Set("empty", "1")
		values.Set("frequency.weekly", "monthly")
		values["region.weekly"] = []string{"440000", "990000"} // one is not offered
		values["theme.narrow"] = []string{"民政"}
		values["profile.entities"], values["profile.regions"], values["profile.industries"] = []string{"enterprise"}, []string{"510000"}, []string{"C"}
		values.Set("profile.size", "small")
		s.want(s.do("POST", action, values), 200, "已保存")
		want := Preferences{
			Language: "zh", Format: Text, WantsEmpty: true, PausedUntil: policy.Date{Year: 2026, Month: 12, Day: 24},
			Lists:   map[int64]Choice{s.weekly.ID: {Regions: []string{"440000"}, Frequency: Monthly}, narrow.ID: {Themes: []string{"民政"}}},
			Profile: match.Profile{Entities: []string{"enterprise"}, Regions: []string{"51"}, Industries: []string{"C"}, Size: "small"},
		}
		got, err := s.Preferences(t.Context(), id)
		if err != nil || cmp.Diff(want, got) != "" {
			t.Errorf("%v\n%s", err, cmp.Diff(want, got))
		}
		// Saving what the page shows again changes nothing; a post without the form's fields
		// leaves the choices unchanged.
		action, values = s.do("GET", target, nil).form(t)
		s.want(s.do("POST", action, values), 200, "已保存")
		s.want(s.do("POST", action, url.Values{"language": {"zh"}, "list": {"weekly", "narrow"}}), 200, "已保存")
		if got, err := s.Preferences(t.Context(), id); err != nil || cmp.Diff(want, got) != "" {
			t.Errorf("after saving again: %v\n%s", err, cmp.Diff(want, got))
		}
		values.Set("paused", "2020-01-01") // a date in the past does not pause
		values["theme.narrow"] = []string{"民政", "财政"}
		s.want(s.do("POST", action, values), 200, "已保存")
		if got, err := s.Preferences(t.Context(), id); err != nil || !got.PausedUntil.IsZero() || got.Lists[narrow.ID].Themes != nil {
			t.Errorf("all of a list, not paused: %+v, %v", got, err)
		}
		before := s.dump()
		for name, c := range map[string][2]string{"Date": {"paused", "tomorrow"}, "Frequency": {"frequency.weekly", "hourly"}, "Format": {"format", "pdf"}, "Profile": {"profile.entities", "emperor"}} {
			_, bad := s.do("GET", target, nil).form(t)
			bad.Set(c[0], c[1])
			if a := s.do("POST", action, bad); a.status != 400 || a.page.Find(".error").Text() == "" {
				t.Errorf("%s: got %d without a word on it", name, a.status)
			}
		}
		if diff := cmp.Diff(before, s.dump()); diff != "" {
			t.Errorf("refused posts changed:\n%s", diff)
		}
	})
}

// preferencesToken returns the token in an email to a reader.
func (s *site) preferencesToken(id int64) string {
	s.t.Helper()
	reader, err := s.subscriberByID(s.t.Context(), id)
	if err != nil {
		s.t.Fatal(err)
	}
	return s.keys.PreferencesToken(id, reader.Address)
}

// askFor presses the button of an email's link and returns the token in the second email,
// "" if none was sent.
func (s *site) askFor(link string, what AskedFor) string {
	s.t.Helper()
	action, values := s.do("GET", link+"/"+string(what), nil).form(s.t)
	s.want(s.do("POST", action, values), 200, "请查收邮件")
	m := s.mail()
	if m == nil {
		return ""
	}
	if m.Kind != Kind(what) {
		s.t.Errorf("mail of kind %q, want %q", m.Kind, what)
	}
	return m.Token
}

func TestReaderTakesTheirDataAndGoes(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		s := newSite(t, db)
		id := s.reader("a@example.org", s.weekly)
		target := "/preferences/" + s.preferencesToken(id)
		action, values := s.do("GET", "/data/"+s.askFor(target, AskedData), nil).form(t)
		data := s.do("POST", action, values)
		var person Person
		if err := json.Unmarshal([]byte(data.body), &person); err != nil || person.Address != "a@example.org" || len(person.Consents) != 1 || data.header.Get("Content-Disposition") == "" {
			t.Errorf("data %v: %s", err, data.body)
		}
		action, values = s.do("GET", "/delete/"+s.askFor(target, AskedDelete), nil).form(t)
		if s.states("a@example.org") != "weekly=confirmed" {
			t.Error("looking at the page deleted the reader")
		}
		s.want(s.do("POST", action, values), 200, "已删除")
		if s.states("a@example.org") != "unknown" {
			t.Error("the reader is still there")
		}
		s.want(s.do("POST", action, values), 200, "已删除")
		if a := s.do("GET", target, nil); a.status != 404 {
			t.Errorf("preferences of nobody: %d", a.status)
		}
	})
}

// The link of a forwarded or stolen email once allowed deleting the reader, downloading all
// their data and seeing their address. Now these are only possible with a link that is
// mailed to the reader.
func TestLeakedLinkCannotDeleteExportOrChangeTheAddress(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		s := newSite(t, db)
		id := s.reader("reader@example.org", s.weekly)
		link := "/preferences/" + s.preferencesToken(id)
		var mails []Confirmation
		for _, method := range []string{"GET", "POST"} {
			for _, path := range []string{"", "/data", "/delete", "/address", "/link"} {
				a := s.do(method, link+path, url.Values{"address": {"thief@example.net"}})
				if strings.Contains(a.body, "reader@example.org") || strings.Contains(a.header.Get("Content-Type"), "json") {
					t.Errorf("%s %s shows who the reader is:\n%s", method, path, a.body)
				}
			}
		}
		for m := s.mail(); m != nil; m = s.mail() {
			mails = append(mails, *m)
		}
		if got := s.states("reader@example.org"); got != "weekly=confirmed" {
			t.Errorf("the reader is %s", got)
		}
		kinds := map[Kind]string{}
		for _, m := range mails {
			kinds[m.Kind] = m.Address
		}
		want := map[Kind]string{
			KindData: "reader@example.org", KindDelete: "reader@example.org", KindLink: "reader@example.org",
			KindChangeOld: "reader@example.org", KindChangeNew: "thief@example.net",
		}
		if diff := cmp.Diff(want, kinds); diff != "" {
			t.Errorf("mails:\n%s", diff)
		}
		// The new mailbox alone changes nothing, and no token works for another action.
		for _, m := range mails {
			for _, page := range []string{"/delete/", "/data/", "/change/"} {
				if m.Address == "thief@example.net" || page != "/"+string(m.Kind)+"/" && !strings.HasPrefix(string(m.Kind), "change") {
					s.do("POST", page+m.Token, nil)
				}
			}
		}
		if got := s.states("reader@example.org"); got != "weekly=confirmed" {
			t.Errorf("the reader is %s", got)
		}
	})
}

// The second link works once, for a day, and only the latest one; a thief can't fill the
// reader's mailbox with them.
func TestSecondLinkIsShortLived(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		s := newSite(t, db)
		id := s.reader("a@example.org", s.weekly)
		link := "/preferences/" + s.preferencesToken(id)
		first := s.askFor(link, AskedDelete)
		if second := s.askFor(link, AskedDelete); second != "" {
			t.Error("a second email within the hour")
		}
		s.clock.Advance(2 * time.Hour)
		second := s.askFor(link, AskedDelete)
		if a := s.do("POST", "/delete/"+first, nil); a.status != 410 {
			t.Errorf("the link of an earlier email: %d", a.status)
		}
		s.clock.Advance(AskHours * time.Hour)
		if a := s.do("POST", "/delete/"+second, nil); a.status != 410 {
			t.Errorf("a link of yesterday: %d", a.status)
		}
		mails := 2
		for range 20 {
			s.clock.Advance(2 * time.Hour)
			if s.askFor(link, AskedDelete) != "" {
				mails++
			}
		}
		if mails != maxAsks || s.states("a@example.org") != "weekly=confirmed" {
			t.Errorf("%d unwanted emails, want at most %d; the reader is %s", mails, maxAsks, s.states("a@example.org"))
		}
	})
}

// A link to the preferences expires after 90 days, with a change of address, or if it is of
// the kind that never expired; the page then offers a new one.
func TestLinkToPreferencesEnds(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		s := newSite(t, db)
		id := s.reader("a@example.org", s.weekly)
		good := s.preferencesToken(id)
		links := map[string]string{
			"OfAnotherAddress": s.keys.PreferencesToken(id, "b@example.org"),
			"WithoutEnd":       s.keys.Sign(tokens.Token{Action: tokens.ActionPreferences, Subscriber: id}),
			"Old":              good,
		}
		s.want(s.do("GET", "/preferences/"+good, nil), 200, "偏好设置")
		s.clock.Advance(tokens.PreferencesDays * 24 * time.Hour)
		for name, token := range links {
			for _, path := range []string{"", "/data", "/delete", "/address"} {
				for _, method := range []string{"GET", "POST"} {
					if a := s.do(method, "/preferences/"+token+path, url.Values{"language": {"en"}}); a.status != 410 {
						t.Errorf("%s: %s %s: got %d, want 410", name, method, path, a.status)
					}
				}
			}
			action, values := s.do("GET", "/preferences/"+token, nil).form(t)
			s.want(s.do("POST", action, values), 200, "请查收邮件")
			m := s.mail()
			if m == nil || m.Address != "a@example.org" {
				t.Fatalf("%s: mail %+v", name, m)
			}
			s.want(s.do("GET", "/preferences/"+m.Token, nil), 200, "偏好设置")
			s.clock.Advance(2 * time.Hour)
		}
		if s.states("a@example.org") != "weekly=confirmed" {
			t.Error("an old link changed something")
		}
	})
}

// askChange requests a new address on the page and returns the two links.
func (s *site) askChange(id int64, address string) (old, fresh string) {
	s.t.Helper()
	action, values := s.do("GET", "/preferences/"+s.preferencesToken(id)+"/address", nil).form(s.t)
	values.Set("address", address)
	s.want(s.do("POST", action, values), 200, "请查收两封邮件")
	for m := s.mail(); m != nil; m = s.mail() {
		if m.Kind == KindChangeOld {
			old = "/change/" + m.Token
		} else {
			fresh = "/change/" + m.Token
		}
	}
	return old, fresh
}

func TestChangeOfAddressNeedsBothMailboxes(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		s := newSite(t, db)
		id := s.reader("old@example.org", s.weekly)
		s.reader("taken@example.org", s.weekly)
		old, fresh := s.askChange(id, "New@example.org")
		if old == "" || fresh == "" {
			t.Fatal("not two emails")
		}
		before := s.dump()
		for _, link := range []string{old, fresh} {
			s.want(s.do("GET", link, nil), 200, "更换邮箱地址")
		}
		if before != s.dump() {
			t.Error("looking at the links changed something")
		}
		s.want(s.do("POST", fresh, nil), 200, "还需另一个邮箱确认")
		s.want(s.do("POST", fresh, nil), 200, "还需另一个邮箱确认") // again
		if s.states("new@example.org") != "unknown" {
			t.Error("one side was enough")
		}
		s.want(s.do("POST", old, nil), 200, "地址已更换")
		if s.states("new@example.org") != "weekly=confirmed" || s.states("old@example.org") != "unknown" {
			t.Errorf("states %q, %q", s.states("new@example.org"), s.states("old@example.org"))
		}
		s.want(s.do("POST", old, nil), 200, "地址已更换")

		// Requests again at once, for another reader's address, and for an invalid one.
		if a, b := s.askChange(id, "newer@example.org"); a+b != "" {
			t.Error("a second change within the hour")
		}
		s.clock.Advance(2 * time.Hour)
		if a, b := s.askChange(id, "taken@example.org"); a+b != "" {
			t.Error("emails for an address that another reader has")
		}
		action, _ := s.do("GET", "/preferences/"+s.preferencesToken(id)+"/address", nil).form(t)
		if a := s.do("POST", action, url.Values{"address": {"nonsense"}}); a.status != 400 {
			t.Errorf("a bad address: %d", a.status)
		}

		// A later request invalidates the links of an earlier one; links expire.
		first, _ := s.askChange(id, "third@example.org")
		s.clock.Advance(2 * time.Hour)
		second, _ := s.askChange(id, "fourth@example.org")
		if a := s.do("POST", first, nil); a.status != 410 {
			t.Errorf("a link of an earlier request: %d", a.status)
		}
		s.clock.Advance(25 * time.Hour)
		if a := s.do("POST", second, nil); a.status != 410 {
			t.Errorf("a link that is too old: %d", a.status)
		}
		if s.states("new@example.org") != "weekly=confirmed" {
			t.Error("the address changed")
		}
	})
}

func TestFormAsksWhetherAnAddressIsASlip(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		s := newSite(t, db)
		a := s.fillIn("reader@gmial.com", "weekly")
		if a.status != 400 || !strings.Contains(a.body, "reader@gmail.com") || s.mail() != nil {
			t.Fatalf("got %d: %s", a.status, a.body)
		}
		action, values := a.form(t)
		if values.Get("address") != "reader@gmial.com" {
			t.Error("the typed address was corrected")
		}
		values["list"] = []string{"weekly"}
		s.want(s.do("POST", action, values), 200, "请查收确认信") // sent again unchanged
		if m := s.mail(); m == nil || m.Address != "reader@gmial.com" {
			t.Errorf("mail to %v, want what was insisted on", m)
		}
		action, values = s.fillIn("other@gmial.com", "weekly").form(t)
		values["list"] = []string{"weekly"}
		values.Set("meant", "other@gmail.com")
		s.want(s.do("POST", action, values), 200, "请查收确认信")
		if m := s.mail(); m == nil || m.Address != "other@gmail.com" {
			t.Errorf("mail to %v, want what was chosen", m)
		}
		if a := s.fillIn("noreply@example.org", "weekly"); a.status != 400 {
			t.Errorf("the address of a program: %d", a.status)
		}
	})
}

func TestInvitation(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		s := newSite(t, db)
		club := s.create(List{Slug: "club", Title: "会员", Visibility: Invitation})
		if strings.Contains(s.do("GET", "/subscribe", nil).body, "会员") {
			t.Error("shown without an invitation")
		}
		page := s.do("GET", "/subscribe?invite="+s.keys.InviteToken(club.ID), nil)
		if !strings.Contains(page.body, "会员") {
			t.Fatal("not shown with an invitation")
		}
		action, values := page.form(t)
		values.Set("address", "a@example.org")
		values["list"] = []string{"club"}
		s.clock.Advance(time.Minute)
		s.want(s.do("POST", action, values), 200, "请查收确认信")
		if m := s.mail(); m == nil || len(m.Lists) != 1 || m.Lists[0].ID != club.ID {
			t.Errorf("mail %+v", m)
		}
		for name, invite := range map[string]string{"None": "", "OfAnotherList": s.keys.InviteToken(s.inner.ID), "Unsubscribe": s.keys.UnsubscribeToken(0, club.ID)} {
			values.Set("invite", invite)
			values.Set("address", name+"@example.org")
			if a := s.do("POST", action, values); a.status != 400 || s.mail() != nil {
				t.Errorf("%s: got %d", name, a.status)
			}
		}
	})
}

// The response for a known address takes as long as the one for an unknown one: the medians
// of many, taken in turns, differ by less than the responses among themselves.
func TestAnswerTimeTellsNothing(t *testing.T) {
	s := newSite(t, databasetestSQLite(t))
	s.web.Limiter.Burst = 1 << 20
	s.reader("known@example.org", s.weekly)
	go func() {
		for range s.mails { // emails are sent in the background
		}
	}()
	running := make(chan struct{})
	go func() { close(running); _ = s.web.Run(t.Context()) }()
	<-running
	rounds := 150
	if os.Getenv("DIBAO_LONG") != "" {
		rounds = 2000
	}
	action, values := s.do("GET", "/subscribe", nil).form(t)
	values["list"] = []string{"weekly"}
	s.clock.Advance(time.Minute)
	took := map[string][]time.Duration{}
	for i := range rounds {
		order := []string{"known@example.org", "unknown" + string(rune('a'+i%26)) + "@example.org"}
		if i%2 == 1 {
			slices.Reverse(order)
		}
		for _, address := range order {
			values.Set("address", address)
			start := time.Now()
			a := s.do("POST", action, values)
			kind := "unknown"
			if strings.HasPrefix(address, "known") {
				kind = "known"
			}
			took[kind] = append(took[kind], time.Since(start))
			if a.status != 200 {
				t.Fatalf("got %d", a.status)
			}
		}
	}
	quantile := func(all []time.Duration, q float64) time.Duration {
		all = slices.Sorted(slices.Values(all))
		return all[int(q*float64(len(all)-1))]
	}
	known, unknown := quantile(took["known"], 0.5), quantile(took["unknown"], 0.5)
	spread := quantile(took["known"], 0.75) - quantile(took["known"], 0.25) + quantile(took["unknown"], 0.75) - quantile(took["unknown"], 0.25)
	t.Logf("medians: known %s, unknown %s; spread %s", known, unknown, spread)
	if diff := (known - unknown).Abs(); diff > spread {
		t.Errorf("known %s, unknown %s: they differ by more than their spread %s", known, unknown, spread)
	}
	trust.Report(t, "time of an answer to a known address", "%s beside %s, spread %s", known, unknown, spread)
}

func databasetestSQLite(t *testing.T) *database.DB {
	t.Helper()
	db, err := database.Open(t.Context(), databasetest.SQLite(t), database.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	if err := db.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	return db
}

// The reader's profile is part of their data, and is deleted with them; an import never
// replaces it.
func TestProfileOfReader(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		s, ctx := newSite(t, db), t.Context()
		id := s.reader("a@example.org", s.weekly)
		own := match.Profile{Entities: []string{"enterprise"}, Qualifications: []string{"high-tech"}}
		set := func(profile match.Profile) error {
			return s.EditPreferences(ctx, id, func(p *Preferences) error { p.Profile = profile; return nil })
		}
		if err := set(own); err != nil {
			t.Fatal(err)
		}
		if err := set(match.Profile{Size: "huge"}); err == nil {
			t.Error("a size that does not exist was stored")
		}
		file := "address,list,profile_entities,profile_regions,profile_size\na@example.org,monthly,高等学校,,\nb@example.org,weekly,企业|institute,四川省,小型企业\nc@example.org,weekly,emperor,,\n"
		out, err := s.Import(ctx, Import{Open: opener(file), Consent: "form 7", Apply: true})
		if err != nil || out.Refused != 1 || out.Readers != 1 {
			t.Fatalf("%+v, %v", out, err)
		}
		person, err := s.Person(ctx, id)
		if err != nil || person.Profile == nil || cmp.Diff(own, *person.Profile) != "" {
			t.Errorf("%+v, %v", person.Profile, err)
		}
		b, err := s.SubscriberByAddress(ctx, "b@example.org")
		if err != nil {
			t.Fatal(err)
		}
		got, err := s.Preferences(ctx, b.ID)
		if want := (match.Profile{Entities: []string{"enterprise", "institute"}, Regions: []string{"51"}, Size: "small"}); err != nil || cmp.Diff(want, got.Profile) != "" {
			t.Errorf("%v\n%s", err, cmp.Diff(want, got.Profile))
		}
		if err := s.ForgetReader(ctx, id); err != nil {
			t.Fatal(err)
		}
		if strings.Contains(fmt.Sprint(s.dump()), "high-tech") {
			t.Error("a profile stays behind its reader")
		}
	})
}
