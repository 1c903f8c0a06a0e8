package digest_test

import (
	"database/sql"
	"flag"
	"fmt"
	"maps"
	"net/netip"
	"os"
	"regexp"
	"slices"
	"testing"
	"time"

	"github.com/emersion/go-smtp"
	"pgregory.net/rapid"

	"dibao/digest/delivery"
	"dibao/internal/database"
	"dibao/internal/database/databasetest"
	"dibao/internal/mail"
	"dibao/policy"
	"dibao/subscribers"
)

// The model defines in plain terms who gets what. It shares no code with the package: days
// are counted one by one, and every set is a map.

type modelArticle struct {
	id        int64
	number    int64 // in its title
	title     string
	theme     string
	withdrawn bool
	at        time.Time // when it was collected
}

type modelIssue struct {
	list     int64
	articles []*modelArticle
	at       time.Time // when it was composed
}

type modelList struct {
	list    subscribers.List
	theme   string // "" means all
	every   int    // days between due times: 1 or 7
	lastDue time.Time
	pending []*modelArticle
	issued  map[*modelArticle]bool
}

func (l *modelList) wants(a *modelArticle) bool {
	return !a.withdrawn && (l.theme == "" || l.theme == a.theme)
}

// due returns the last due time after the previous one, up to now.
func (l *modelList) due(now time.Time) (last time.Time, ok bool) {
	for day := l.lastDue.AddDate(0, 0, -1); !day.After(now.AddDate(0, 0, 1)); day = day.AddDate(0, 0, 1) {
		at := time.Date(day.Year(), day.Month(), day.Day(), 8, 0, 0, 0, shanghai)
		if at.After(l.lastDue) && !at.After(now) && (l.every == 1 || at.Weekday() == time.Monday) {
			last, ok = at, true
		}
	}
	return last, ok
}

type modelReader struct {
	id      int64
	name    string
	choices map[int64]subscribers.Choice // by subscribed list
	paused  policy.Date
	format  subscribers.Format
	sent    map[*modelArticle]bool
	lastOn  map[int64]policy.Date   // by list: date of the last email
	owed    map[int64][]*modelIssue // by list: skipped issues, oldest first
	refused bool                    // temporarily refused by the server

	suppressed time.Time           // zero means not suppressed
	confirmed  map[int64]time.Time // by subscribed list
	lifted     [][2]time.Time      // from when to when the reader was suppressed
	missed     []modelMissed       // articles of failed emails
}

// modelMissed is an article of an email that failed: it is offered again with the
// next numbered issue of its list, for 31 days.
type modelMissed struct {
	list    int64
	article *modelArticle
	due     time.Time
}

const offeredFor = 31 * 24 * time.Hour

var shanghai = time.FixedZone("CST", 8*3600)

// model is the expected result of a run of several weeks.
type model struct {
	*world
	articles []*modelArticle
	changed  map[*modelArticle]bool
	lists    []*modelList
	made     []*modelIssue
	readers  []*modelReader
}

func TestEveryReaderGetsWhatTheDefinitionGives(t *testing.T) {
	checks := "5"
	if os.Getenv("DIBAO_LONG") != "" {
		checks = "200"
	}
	if err := flag.Set("rapid.checks", checks); err != nil {
		t.Fatal(err)
	}
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		w := newWorld(t, db)
		run := 0
		rapid.Check(t, func(rt *rapid.T) {
			run++
			w.advance(60 * 24 * time.Hour) // articles of other runs are not news
			m := &model{world: w, changed: make(map[*modelArticle]bool)}
			m.begin(rt, run)
			for range rapid.IntRange(4, 14).Draw(rt, "steps") {
				m.step(rt)
			}
			for _, l := range m.lists {
				if err := w.readers.RemoveList(t.Context(), l.list.ID); err != nil {
					rt.Fatal(err)
				}
			}
		})
	})
}

var themes = []string{"民政", "教育", "卫生"}

func (m *model) begin(rt *rapid.T, run int) {
	for i := range rapid.IntRange(1, 3).Draw(rt, "lists") {
		l := &modelList{every: 7, issued: make(map[*modelArticle]bool)}
		cron, q := "0 8 * * 1", subscribers.Query{}
		if rapid.Bool().Draw(rt, "daily") {
			l.every, cron = 1, "0 8 * * *"
		}
		if rapid.Bool().Draw(rt, "narrow") {
			l.theme = rapid.SampledFrom(themes).Draw(rt, "theme")
			q.Themes = []string{l.theme}
		}
		l.list = must[subscribers.List](m.t)(m.world.readers.CreateList(m.t.Context(), subscribers.List{
			Slug: fmt.Sprintf("p%d-%d", run, i), Query: q, Cron: cron, MaxItems: rapid.SampledFrom([]int{2, 60}).Draw(rt, "most"),
		}))
		l.lastDue = m.now().In(shanghai)
		m.lists = append(m.lists, l)
	}
	for i := range rapid.IntRange(1, 4).Draw(rt, "readers") {
		r := &modelReader{name: fmt.Sprintf("p%d-%d", run, i), sent: make(map[*modelArticle]bool), lastOn: make(map[int64]policy.Date), owed: make(map[int64][]*modelIssue), confirmed: make(map[int64]time.Time), choices: make(map[int64]subscribers.Choice)}
		r.id = must[int64](m.t)(m.world.readers.AddConfirmed(m.t.Context(), r.name+"@test.example", "zh", []subscribers.List{m.lists[0].list}, "test"))
		m.readers = append(m.readers, r)
		m.choose(rt, r)
	}
}

// choose sets a reader's preferences.
func (m *model) choose(rt *rapid.T, r *modelReader) {
	before := r.choices
	r.choices = make(map[int64]subscribers.Choice)
	for _, l := range m.lists {
		if !rapid.Bool().Draw(rt, "takes") {
			continue
		}
		var c subscribers.Choice
		if rapid.IntRange(0, 2).Draw(rt, "picky") == 0 {
			c.Themes = rapid.SliceOfNDistinct(rapid.SampledFrom(themes), 1, 2, rapid.ID[string]).Draw(rt, "themes")
		}
		if rapid.IntRange(0, 3).Draw(rt, "rarely") == 0 {
			c.Frequency = subscribers.Weekly
		}
		r.choices[l.list.ID] = c
	}
	for list := range before {
		if _, still := r.choices[list]; !still {
			delete(r.owed, list)
			delete(r.confirmed, list)
		}
	}
	for list := range r.choices {
		if _, had := before[list]; !had {
			r.confirmed[list] = m.now()
		}
	}
	r.paused = policy.Date{}
	if rapid.IntRange(0, 3).Draw(rt, "pause") == 0 {
		r.paused = policy.DateOf(m.now().In(shanghai)).AddDays(rapid.IntRange(1, 20).Draw(rt, "days"))
	}
	r.format = rapid.SampledFrom([]subscribers.Format{subscribers.HTML, subscribers.Text}).Draw(rt, "format")
	err := m.world.readers.SetPreferences(m.t.Context(), r.id, subscribers.Preferences{
		Language: "zh", Format: r.format, PausedUntil: r.paused, Lists: maps.Clone(r.choices),
	}, netip.Prefix{})
	if err != nil {
		rt.Fatal(err)
	}
}

func (m *model) step(rt *rapid.T) {
	for range rapid.IntRange(0, 5).Draw(rt, "articles") {
		a := &modelArticle{theme: rapid.SampledFrom(themes).Draw(rt, "theme")}
		m.serial++
		a.id = m.store(rt, fmt.Sprintf("关于第〈%d〉号样例的通知", m.serial), a)
		m.articles = append(m.articles, a)
		m.changed[a] = true
	}
	for range rapid.IntRange(0, 2).Draw(rt, "changes") {
		if len(m.articles) == 0 {
			break
		}
		a := rapid.SampledFrom(m.articles).Draw(rt, "article")
		if rapid.Bool().Draw(rt, "withdrawal") {
			a.withdrawn = !a.withdrawn
		} else {
			a.theme = rapid.SampledFrom(themes).Draw(rt, "theme")
		}
		m.update(rt, a)
		m.changed[a] = true
	}
	if rapid.Bool().Draw(rt, "preferences") {
		m.choose(rt, rapid.SampledFrom(m.readers).Draw(rt, "reader"))
	}
	for _, r := range m.readers {
		r.refused = rapid.IntRange(0, 4).Draw(rt, "refused") == 0
		if rapid.IntRange(0, 4).Draw(rt, "suppression") == 0 {
			m.toggle(rt, r)
		}
	}
	m.advance(time.Duration(rapid.IntRange(1, 24*10).Draw(rt, "hours")) * time.Hour)
	if rapid.Bool().Draw(rt, "clock") { // the clock is set back and corrected
		back := time.Duration(rapid.IntRange(1, 30).Draw(rt, "back")) * time.Hour
		m.advance(-back)
		m.compose(rt)
		m.advance(back)
	}
	m.compose(rt)
}

// toggle suppresses a reader, or lifts the suppression.
func (m *model) toggle(rt *rapid.T, r *modelReader) {
	address, now := r.name+"@test.example", m.now()
	if r.suppressed.IsZero() {
		r.suppressed = now
		if err := m.world.readers.Suppress(m.t.Context(), address, subscribers.ReasonAdmin, ""); err != nil {
			rt.Fatal(err)
		}
		return
	}
	if _, err := m.world.readers.Unsuppress(m.t.Context(), address, "test"); err != nil {
		rt.Fatal(err)
	}
	r.lifted = append(r.lifted, [2]time.Time{r.suppressed, now})
	r.suppressed = time.Time{}
}

// offers returns what a reader did not get from a list and is offered again at a due time:
// the articles of emails that failed recently, and recent issues that were composed while
// the reader was subscribed and suppressed.
func (m *model) offers(r *modelReader, list int64, at time.Time) (all []*modelArticle) {
	for _, x := range r.missed {
		if x.list == list && x.due.After(at.Add(-offeredFor)) {
			all = append(all, x.article)
		}
	}
	for _, x := range r.lifted {
		from, to := x[0], x[1]
		for _, later := range []time.Time{to.Add(-offeredFor), r.confirmed[list]} {
			if later.After(from) {
				from = later
			}
		}
		for _, i := range m.made {
			if to.After(at.Add(-offeredFor)) && i.list == list && i.at.After(from) && i.at.Before(to) {
				all = append(all, i.articles...)
			}
		}
	}
	return all
}

// compose composes and delivers, and compares the result with the definition.
func (m *model) compose(rt *rapid.T) {
	type sending struct {
		lists    map[int64]bool
		articles []*modelArticle
		through  map[*modelArticle]int64 // by article: the list that contains it
	}
	due := make(map[*modelList]time.Time)
	var at time.Time
	now := m.now().In(shanghai)
	for _, l := range m.lists {
		if d, ok := l.due(now); ok {
			due[l] = d
			if d.After(at) {
				at = d
			}
		}
	}
	want := make(map[*modelReader]sending)
	if len(due) > 0 {
		m.matchModel()
		today := policy.DateOf(at)
		issues := make(map[*modelList]*modelIssue)
		for l, d := range due {
			l.lastDue = d
			n := min(len(l.pending), l.list.MaxItems)
			if n > 0 {
				issues[l] = &modelIssue{l.list.ID, slices.Clone(l.pending[:n]), m.now()}
				defer func(i *modelIssue) { m.made = append(m.made, i) }(issues[l])
				l.pending = l.pending[n:]
				for _, a := range issues[l].articles {
					l.issued[a] = true
				}
			}
		}
		for _, r := range m.readers {
			s := sending{lists: make(map[int64]bool), through: make(map[*modelArticle]int64)}
			for _, l := range m.lists { // by id: the first list that has an article contains it
				_, isDue := due[l]
				choice, takes := r.choices[l.list.ID]
				if !isDue || !takes {
					continue
				}
				if !r.suppressed.IsZero() {
					if issues[l] != nil && len(r.owed[l.list.ID]) > 0 { // a reader who waits for an issue also waits for all later ones
						r.owed[l.list.ID] = append(r.owed[l.list.ID], issues[l])
					}
					continue
				}
				last, had := r.lastOn[l.list.ID]
				if today.Before(r.paused) || had && choice.Frequency == subscribers.Weekly && today.Before(last.AddDays(7)) {
					if issues[l] != nil {
						r.owed[l.list.ID] = append(r.owed[l.list.ID], issues[l])
					}
					continue
				}
				bring := r.owed[l.list.ID]
				delete(r.owed, l.list.ID)
				if issues[l] != nil { // missed articles are sent only with a numbered issue
					bring = append(bring, &modelIssue{articles: m.offers(r, l.list.ID, at)}, issues[l])
				}
				for _, i := range bring {
					for _, a := range i.articles {
						if a.withdrawn || r.sent[a] || slices.Contains(s.articles, a) || len(choice.Themes) > 0 && !slices.Contains(choice.Themes, a.theme) {
							continue
						}
						s.articles = append(s.articles, a)
						s.through[a] = l.list.ID
						s.lists[l.list.ID] = true
					}
				}
			}
			if len(s.articles) > 0 {
				want[r] = s
			}
		}
	}
	if _, err := m.service.ComposeDue(m.t.Context()); err != nil {
		rt.Fatal(err)
	}
	if again, err := m.service.ComposeDue(m.t.Context()); err != nil || len(again) > 0 {
		rt.Fatalf("composed again: %v, %v", again, err)
	}
	if rapid.IntRange(0, 3).Draw(rt, "meanwhile") == 0 { // between composing and sending
		m.choose(rt, rapid.SampledFrom(m.readers).Draw(rt, "reader"))
	}
	if rapid.IntRange(0, 5).Draw(rt, "suppressed meanwhile") == 0 {
		if r := rapid.SampledFrom(m.readers).Draw(rt, "reader"); r.suppressed.IsZero() {
			m.toggle(rt, r)
		}
	}
	m.rejecting(func(to string) *smtp.SMTPError {
		for _, r := range m.readers {
			if r.refused && to == r.name+"@test.example" {
				return &smtp.SMTPError{Code: 552, EnhancedCode: smtp.EnhancedCode{5, 3, 4}, Message: "too large for us"}
			}
		}
		return nil
	})
	before := m.box.Count()
	d := must[*delivery.Deliverer](m.t)(m.service.NewDeliverer(delivery.Options{
		Server: mail.Options{Addr: m.addr, TLS: mail.TLSNone}, Connections: 2, MessageKey: []byte("key"),
	}))
	if _, err := d.Deliver(m.t.Context()); err != nil {
		rt.Fatal(err)
	}
	got := make(map[string][]string)
	mails := make(map[string]int)
	for _, x := range m.box.Messages()[before:] {
		mails[x.To]++
		for _, line := range itemLine.FindAllStringSubmatch(x.Text, -1) {
			got[x.To] = append(got[x.To], line[1])
		}
	}
	for _, r := range m.readers {
		var titles []string
		s, ok := want[r]
		stays := false
		for list := range s.lists {
			_, takes := r.choices[list]
			stays = stays || takes
		}
		if ok && (!r.suppressed.IsZero() || stays && r.refused) {
			for _, a := range s.articles {
				r.missed = append(r.missed, modelMissed{s.through[a], a, at})
			}
		} else if ok && stays {
			for _, a := range s.articles {
				r.sent[a] = true
				titles = append(titles, fmt.Sprintf("〈%d〉", m.number(a)))
			}
			for list := range s.lists {
				r.lastOn[list] = policy.DateOf(at)
			}
		}
		have := got[r.name+"@test.example"]
		slices.Sort(have)
		slices.Sort(titles)
		if !slices.Equal(have, titles) || mails[r.name+"@test.example"] > 1 {
			for l, d := range due {
				rt.Logf("due at %s: %s, every %d days, theme %q, at most %d", d, l.list.Slug, l.every, l.theme, l.list.MaxItems)
			}
			for _, x := range r.missed {
				rt.Logf("missed 〈%d〉 of list %d, due %s", x.article.number, x.list, x.due)
			}
			rt.Logf("suppressed %s, lifted %s, refused %v", r.suppressed, r.lifted, r.refused)
			rt.Fatalf("at %s %s got %v in %d emails, want %v; choices %+v, paused %s, last %v", now, r.name, have, mails[r.name+"@test.example"], titles, r.choices, r.paused, r.lastOn)
		}
	}
}

// itemLine matches the line of an item in the text part.
var itemLine = regexp.MustCompile(`(?m)^· 关于第(〈\d+〉)号样例的通知`)

// matchModel matches every list with what changed, in the order of arrival.
func (m *model) matchModel() {
	for _, a := range m.articles {
		if !m.changed[a] {
			continue
		}
		for _, l := range m.lists {
			at := slices.Index(l.pending, a)
			switch {
			case l.wants(a) && at < 0 && !l.issued[a] && m.now().Sub(a.at) <= 45*24*time.Hour: // later it is not news
				l.pending = append(l.pending, a)
			case !l.wants(a) && at >= 0:
				l.pending = slices.Delete(l.pending, at, at+1)
			}
		}
	}
	clear(m.changed)
}

func (m *model) facts(a *modelArticle, title string) string {
	return fmt.Sprintf(`{"title":%q,"kind":"news","theme":%q,"published_on":%q}`, title, a.theme, m.now().Format(time.DateOnly))
}

func (m *model) number(a *modelArticle) int64 { return a.number }

// store stores an article as a source would have provided it.
func (m *model) store(rt *rapid.T, title string, a *modelArticle) (id int64) {
	a.number, a.title, a.at = int64(m.serial), title, m.now()
	at := m.now().UTC().Truncate(time.Microsecond)
	err := m.db.Write(m.t.Context(), func(tx *sql.Tx) error {
		if _, err := tx.ExecContext(m.t.Context(), `
			INSERT INTO sources (id, url, kind, name, next_at, created_at) VALUES (1, 'http://a.example/', 'feed', '样例', $1, $1)
			ON CONFLICT (url) DO NOTHING`, at); err != nil {
			return err
		}
		return tx.QueryRowContext(m.t.Context(), `
			INSERT INTO articles (source, guid, url, title, facts, page_state, collected_at, updated_at)
			VALUES (1, $1, $2, $3, $4, 'complete', $5, $5) RETURNING id`,
			fmt.Sprint(m.serial), fmt.Sprintf("http://a.example/%d", m.serial), title, m.facts(a, title), at).Scan(&id)
	})
	if err != nil {
		rt.Fatal(err)
	}
	return id
}

// update corrects an article, or withdraws it.
func (m *model) update(rt *rapid.T, a *modelArticle) {
	err := m.db.Write(m.t.Context(), func(tx *sql.Tx) error {
		var gone sql.Null[time.Time]
		if a.withdrawn {
			gone = sql.Null[time.Time]{V: m.now().UTC().Truncate(time.Microsecond), Valid: true}
		}
		_, err := tx.ExecContext(m.t.Context(), `UPDATE articles SET facts = $2, withdrawn_at = $3 WHERE id = $1`, a.id, m.facts(a, a.title), gone)
		return err
	})
	if err != nil {
		rt.Fatal(err)
	}
}
