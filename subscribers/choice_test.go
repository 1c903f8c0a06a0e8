package subscribers

import (
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"dibao/internal/database"
	"dibao/internal/database/databasetest"
	"dibao/policy"
)

func TestPreferencesAreWhatAMailingIsTold(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		f := newFixture(t, db)
		ctx := t.Context()
		id := f.reader("a@example.org", f.weekly, f.monthly)
		plain := f.reader("b@example.org", f.weekly)
		chosen := Preferences{
			Language: "en", Format: Text, PausedUntil: policy.Date{Year: 2026, Month: 12, Day: 24}, WantsEmpty: true,
			Lists: map[int64]Choice{
				f.weekly.ID: {Themes: []string{"民政", "财政"}, Regions: []string{"110000"}, Frequency: Monthly},
				f.inner.ID:  {},
			},
		}
		if err := f.SetPreferences(ctx, id, chosen, testNetwork); err != nil {
			t.Fatal(err)
		}
		if got, err := f.Preferences(ctx, id); err != nil || cmp.Diff(chosen, got) != "" {
			t.Errorf("read back: %v\n%s", err, cmp.Diff(chosen, got))
		}
		page, err := f.ForMailing(ctx, []int64{f.weekly.ID, f.inner.ID}, 0, 10)
		if err != nil {
			t.Fatal(err)
		}
		want := []Reader{
			{
				ID: id, Address: "a@example.org", Language: "en", Format: Text, PausedUntil: chosen.PausedUntil, WantsEmpty: true,
				Lists: []int64{f.weekly.ID, f.inner.ID}, Choices: map[int64]Choice{f.weekly.ID: chosen.Lists[f.weekly.ID]},
			},
			{ID: plain, Address: "b@example.org", Language: "zh", Format: HTML, Lists: []int64{f.weekly.ID}},
		}
		if diff := cmp.Diff(want, page); diff != "" {
			t.Errorf("ForMailing:\n%s", diff)
		}
		if got, want := f.states("a@example.org"), "weekly=confirmed monthly=unsubscribed inner=confirmed"; got != want {
			t.Errorf("states %q, want %q", got, want)
		}

		for _, bad := range []Preferences{
			{Format: "pdf"},
			{Lists: map[int64]Choice{f.weekly.ID: {Frequency: "hourly"}}},
			{Lists: map[int64]Choice{f.weekly.ID: {Themes: make([]string, maxChosen+1)}}},
		} {
			if err := f.SetPreferences(ctx, id, bad, testNetwork); err == nil {
				t.Errorf("%+v was accepted", bad)
			}
		}
		if err := f.SetPreferences(ctx, 999, Preferences{}, testNetwork); !errors.Is(err, ErrNotFound) {
			t.Errorf("of nobody: got %v, want ErrNotFound", err)
		}
	})
}

// The history of a reader says what was changed, where, and by whom.
func TestPreferenceChangesAreLogged(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		f := newFixture(t, db)
		ctx := t.Context()
		id := f.reader("a@example.org", f.weekly)
		f.ask("a@example.org", f.monthly)
		own := Preferences{Language: "en", Format: Text, PausedUntil: policy.Date{Year: 2026, Month: 12, Day: 24}, WantsEmpty: true, Lists: map[int64]Choice{f.weekly.ID: {Frequency: Weekly}}}
		if err := f.EditPreferences(ctx, id, func(p *Preferences) error {
			c := p.Lists[f.weekly.ID]
			p.Lists[f.weekly.ID], p.Language = c, "en"
			if err := errors.Join(c.SetThemes(f.weekly, []string{"财政", "民政、扶贫、救灾"}), c.SetRegions(f.weekly, []string{"四川省", "5101"})); err != nil {
				return err
			}
			p.Lists[f.weekly.ID] = c
			return nil
		}); err != nil {
			t.Fatal(err)
		}
		if got, err := f.Preferences(ctx, id); err != nil || cmp.Diff([]string{"510000", "510100"}, got.Lists[f.weekly.ID].Regions) != "" || len(got.Lists[f.weekly.ID].Themes) != 2 {
			t.Errorf("%+v, %v", got, err)
		}
		if got, want := f.states("a@example.org"), "weekly=confirmed monthly=pending"; got != want {
			t.Errorf("an admin's change left %q, want %q", got, want)
		}
		for range 2 { // the second changes nothing
			if err := f.SetPreferences(ctx, id, own, testNetwork); err != nil {
				t.Fatal(err)
			}
		}
		log, err := f.ConsentLog(ctx, id)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, e := range log {
			if e.Event == "preferences changed" {
				got = append(got, fmt.Sprint(e.List != nil, e.Network != nil, " ", *e.Detail))
			}
		}
		want := []string{
			"false false by an admin: language en", "true false by an admin: themes 财政、金融、审计|民政、扶贫、救灾; regions 四川省|四川省成都市",
			"false true on the preference page: format text; paused until 2026-12-24; mail even if nothing is new",
			"true true on the preference page: frequency weekly; all themes; all regions",
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
		var c Choice
		if c.SetThemes(List{Query: Query{Themes: []string{"民政、扶贫、救灾"}}}, []string{"财政"}) == nil || c.SetRegions(List{Query: Query{Regions: []string{"510000"}}}, []string{"北京市"}) == nil || c.SetRegions(f.weekly, []string{"某地"}) == nil {
			t.Errorf("values that the list does not offer: %+v", c)
		}
	})
}

func TestWelcomeIsOwedOnceAndToWhoConfirmed(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		f := newFixture(t, db)
		ctx := t.Context()
		greeting := f.create(List{Slug: "greeting", Welcome: true})
		mail := f.ask("a@example.org", greeting, f.weekly)
		f.ask("pending@example.org", greeting)
		f.reader("imported@example.org", greeting) // with an admin's statement; somebody who was on a list before needs no welcome
		f.confirm(mail.Token, greeting, f.weekly)

		due, err := f.DueWelcomes(ctx, 10)
		if err != nil || len(due) != 1 || due[0].List != greeting.ID {
			t.Fatalf("due: %v, %v; want the one who confirmed", due, err)
		}
		for i, want := range []bool{true, false} {
			err := db.Write(ctx, func(tx *sql.Tx) error {
				was, err := f.Welcomed(ctx, tx, due[0])
				if was != want {
					t.Errorf("welcomed for the %d. time: due %v, want %v", i+1, was, want)
				}
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
		}
		if due, err := f.DueWelcomes(ctx, 10); err != nil || len(due) != 0 {
			t.Errorf("afterwards: %v, %v", due, err)
		}
	})
}

func TestListsOfSchedulesThatReadersUnderstand(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		f := newFixture(t, db)
		want := List{
			Slug: "flash", AsItHappens: true, MinGap: 2 * time.Hour, WorkingDays: true, Welcome: true, Hold: true, Visibility: Invitation,
			Query: Query{Types: []string{"通知"}, Documents: []string{"国办发〔2023〕15号"}, Chains: []string{"国发〔2022〕9号"}},
		}
		made := f.create(want)
		got, err := f.ListBySlug(t.Context(), "flash")
		if err != nil || cmp.Diff(made, got) != "" {
			t.Errorf("read back: %v\n%s", err, cmp.Diff(made, got))
		}
		if !got.AsItHappens || got.MinGap != 2*time.Hour || !got.WorkingDays || !got.Welcome || !got.Hold || got.Visibility != Invitation || cmp.Diff(want.Query, got.Query) != "" {
			t.Errorf("got %+v", got)
		}
		got.AsItHappens, got.WorkingDays, got.Welcome, got.Hold, got.MinGap = false, false, false, false, 0
		if changed, err := f.UpdateList(t.Context(), got); err != nil || changed.AsItHappens || changed.WorkingDays || changed.Welcome || changed.Hold || changed.MinGap != 0 {
			t.Errorf("after the update: %+v, %v", changed, err)
		}
		for _, bad := range []List{{Slug: "a", AsItHappens: true}, {Slug: "a", AsItHappens: true, MinGap: time.Minute}, {Slug: "a", MinGap: -1}, {Slug: "a", MinGap: time.Millisecond}} {
			if _, err := f.CreateList(t.Context(), bad); err == nil || !strings.Contains(err.Error(), "gap") {
				t.Errorf("%+v: got %v, want a word on the gap", bad, err)
			}
		}
	})
}
