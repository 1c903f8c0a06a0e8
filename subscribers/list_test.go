package subscribers

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"dibao/internal/database"
	"dibao/internal/database/databasetest"
)

func TestListIsChecked(t *testing.T) {
	long := strings.Repeat("长", 3000)
	for name, c := range map[string]struct {
		list List
		want string // part of the error, "" for none
	}{
		"OnlyAName":            {List{Slug: "weekly"}, ""},
		"EverythingSet":        {List{Slug: "w-1", Title: "周报", Cron: "30 7 * * 1-5", Zone: "Europe/Paris", Sender: "邸报 <list@example.org>", Language: "en", MaxItems: 500, Visibility: Hidden}, ""},
		"Descriptor":           {List{Slug: "w", Cron: "@weekly"}, ""},
		"LeapDay":              {List{Slug: "w", Cron: "0 8 29 2 *"}, ""},
		"SlugWithCapitals":     {List{Slug: "Weekly"}, "lowercase letters"},
		"SlugBeginsWithHyphen": {List{Slug: "-weekly"}, "lowercase letters"},
		"SlugTooLong":          {List{Slug: strings.Repeat("a", 64)}, "lowercase letters"},
		"SlugWithNewline":      {List{Slug: "weekly\n"}, "lowercase letters"},
		"NoSlug":               {List{Title: "周报"}, "lowercase letters"},
		"BadCron":              {List{Slug: "w", Cron: "61 8 * * 1"}, "0 8 * * 1"},
		"CronOfSixFields":      {List{Slug: "w", Cron: "0 0 8 * * 1"}, "0 8 * * 1"},
		"CronWithZone":         {List{Slug: "w", Cron: "TZ=UTC 0 8 * * 1"}, "zone of the list"},
		"CronWithZoneAlone":    {List{Slug: "w", Cron: "CRON_TZ=UTC"}, "zone of the list"}, // the parser panics on it
		"CronEvery":            {List{Slug: "w", Cron: "@every 1s"}, "no times of day"},
		"CronNeverDue":         {List{Slug: "w", Cron: "0 8 31 2 *"}, "is never due"},
		"BadZone":              {List{Slug: "w", Zone: "Mars/Olympus"}, "Asia/Shanghai"},
		"ZoneOfTheMachine":     {List{Slug: "w", Zone: "Local"}, "Asia/Shanghai"},
		"ZoneIsAPath":          {List{Slug: "w", Zone: "../../etc/passwd"}, "Asia/Shanghai"},
		"TitleOfTwoLines":      {List{Slug: "w", Title: "a\r\nBcc: b"}, "one line"},
		"TitleTooLong":         {List{Slug: "w", Title: long}, "title"},
		"DescriptionTooLong":   {List{Slug: "w", Description: long}, "description"},
		"SenderIsNoAddress":    {List{Slug: "w", Sender: "nobody"}, "name@example.org"},
		"SenderWithNewline":    {List{Slug: "w", Sender: "a@example.org\nBcc: b@example.org"}, "one line"},
		"BadLanguage":          {List{Slug: "w", Language: "fr"}, "zh or en"},
		"BadVisibility":        {List{Slug: "w", Visibility: "secret"}, "public, hidden or invitation"},
		"NegativeItems":        {List{Slug: "w", MaxItems: -1}, "1 to 500"},
		"TooManyItems":         {List{Slug: "w", MaxItems: 501}, "1 to 500"},
		"HugeQuery":            {List{Slug: "w", Query: Query{Any: []string{strings.Repeat("a", 70<<10)}}}, "query"},
	} {
		t.Run(name, func(t *testing.T) {
			l := c.list
			l.fill()
			err := l.check()
			if c.want == "" && err != nil {
				t.Errorf("%+v: got %v, want no error", c.list, err)
			}
			if c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "\n")) {
				t.Errorf("%+v: got %v, want one line with %q", c.list, err, c.want)
			}
		})
	}
}

func TestScheduleText(t *testing.T) {
	for _, c := range []struct{ cron, zh, en string }{
		{"0 8 * * 1", "每周一 08:00", "Mondays at 08:00"},
		{"5 18 * * 0", "每周日 18:05", "Sundays at 18:05"},
		{"30 7 * * *", "每天 07:30", "daily at 07:30"},
		{"0 9 * * 1-5", "周一至周五 09:00", "Monday to Friday at 09:00"},
		{"0 9 * * 1,4", "每周一、四 09:00", "Mondays and Thursdays at 09:00"},
		{"0 9 * * 1,3,5", "每周一、三、五 09:00", "Mondays, Wednesdays and Fridays at 09:00"},
		{"0 8 1 * *", "每月 1 日 08:00", "day 1 of every month at 08:00"},
		{"0 8 31 * *", "每月 31 日 08:00", "day 31 of every month at 08:00"},
		{"*/5 * * * *", "每天多次", "daily, several times a day"},
		{"0 8,17 * * MON-FRI", "周一至周五 08:00、17:00", "Monday to Friday at 08:00 and 17:00"},
		{"0 8 1,15 * *", "每月 1、15 日 08:00", "days 1 and 15 of every month at 08:00"},
		{"0 8 1 1 *", "每年 1 月 1 日 08:00", "day 1 in January at 08:00"},
		{"0 9 1 */3 *", "每年 1、4、7、10 月 1 日 09:00", "day 1 in January, April, July and October at 09:00"},
		{"0 8 1 * 1", "每月 1 日及每周一 08:00", "day 1 and Mondays of every month at 08:00"},
		{"0 8 * 7,8 2", "每年 7、8 月每周二 08:00", "Tuesdays in July and August at 08:00"},
		{"@weekly", "每周日 00:00", "Sundays at 00:00"},
		{"0 8 32 * *", "0 8 32 * *", "0 8 32 * *"},
		{"", "", ""},
	} {
		if got := (List{Cron: c.cron}).ScheduleText("zh"); got != c.zh {
			t.Errorf("ScheduleText(%q, zh) = %q, want %q", c.cron, got, c.zh)
		}
		if got := (List{Cron: c.cron}).ScheduleText("en"); got != c.en {
			t.Errorf("ScheduleText(%q, en) = %q, want %q", c.cron, got, c.en)
		}
	}
}

func TestScheduleTextOfSettings(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		list   List
		zh, en string
	}{
		{List{Cron: DefaultCron, AsItHappens: true, MinGap: 2 * time.Hour}, "随到随发，至少间隔 2 小时", "as it happens, at least 2 hours apart"},
		{List{Cron: DefaultCron, AsItHappens: true, MinGap: time.Hour, WorkingDays: true}, "随到随发，至少间隔 1 小时；仅在工作日", "as it happens, at least 1 hour apart; on working days"},
		{List{AsItHappens: true, MinGap: 90 * time.Minute}, "随到随发，至少间隔 90 分钟", "as it happens, at least 90 minutes apart"},
		{List{Cron: "0 9 1 * *", WorkingDays: true}, "每月 1 日 09:00；遇休息日顺延", "day 1 of every month at 09:00; after days off, on the next working day"},
	} {
		if zh, en := c.list.ScheduleText("zh"), c.list.ScheduleText("en"); zh != c.zh || en != c.en {
			t.Errorf("got %q and %q, want %q and %q", zh, en, c.zh, c.en)
		}
	}
}

func TestLists(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		f := newFixture(t, db)
		ctx := t.Context()
		if f.weekly.Cron != DefaultCron || f.weekly.Zone != DefaultZone || f.weekly.MaxItems != DefaultMaxItems || f.weekly.Visibility != Public {
			t.Errorf("a list without settings got %+v", f.weekly)
		}
		full := List{
			Slug: "zhili", Title: "治理", Description: "两办与民政", Cron: "0 9 * * 2", Zone: "Europe/Paris", Sender: "邸报 <a@example.org>",
			Query: Query{
				Themes: []string{"民政"}, Regions: []string{"110000"}, Issuers: []string{"民政部"}, Kinds: []string{"document"},
				Sources: []int64{1 << 40}, Any: []string{"养老"}, All: []string{"通知"}, None: []string{"招标"},
			},
			Language: "en", MaxItems: 7, Visibility: Hidden,
		}
		created := f.create(full)
		got, err := f.ListBySlug(ctx, "zhili")
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(created, got); diff != "" {
			t.Errorf("read and created differ:\n%s", diff)
		}
		full.ID, full.PageKey, full.CreatedAt, full.UpdatedAt = got.ID, got.PageKey, testStart.Truncate(time.Microsecond), testStart.Truncate(time.Microsecond)
		if diff := cmp.Diff(full, got); diff != "" {
			t.Errorf("read and given differ:\n%s", diff)
		}

		if _, err := f.CreateList(ctx, List{Slug: "zhili"}); err == nil || !strings.Contains(err.Error(), "already exists") {
			t.Errorf("a second list of the name: got %v", err)
		}

		f.clock.Advance(time.Hour)
		got.Title, got.Query.Any = "社会治理", nil
		changed, err := f.UpdateList(ctx, got)
		if err != nil {
			t.Fatal(err)
		}
		if changed.Title != "社会治理" || changed.Query.Any != nil || !changed.UpdatedAt.Equal(testStart.Add(time.Hour)) || !changed.CreatedAt.Equal(testStart) {
			t.Errorf("after the update: %+v", changed)
		}
		got.Slug = "weekly"
		if _, err := f.UpdateList(ctx, got); err == nil || !strings.Contains(err.Error(), "already exists") {
			t.Errorf("renamed to the name of another list: got %v", err)
		}
		if _, err := f.UpdateList(ctx, List{ID: 999, Slug: "no", Title: "no", Cron: DefaultCron, Zone: DefaultZone, Language: "zh", MaxItems: 1, Visibility: Public}); !errors.Is(err, ErrNotFound) {
			t.Errorf("update of no list: got %v, want ErrNotFound", err)
		}
		for _, empty := range []func(l *List){func(l *List) { l.Title = "" }, func(l *List) { l.Zone = "" }, func(l *List) { l.Cron = "" }, func(l *List) { l.Language = "" }} {
			l := changed
			empty(&l)
			if _, err := f.UpdateList(ctx, l); err == nil {
				t.Errorf("an update replaced an empty setting: %+v", l)
			}
		}
		if _, err := f.ListBySlug(ctx, "no"); !errors.Is(err, ErrNotFound) {
			t.Errorf("ListBySlug of no list: got %v, want ErrNotFound", err)
		}
	})
}

func TestRemovedListEndsItsSubscriptions(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		f := newFixture(t, db)
		ctx := t.Context()
		id := f.reader("a@example.org", f.weekly, f.monthly)
		if err := f.RemoveList(ctx, f.weekly.ID); err != nil {
			t.Fatal(err)
		}
		if err := f.RemoveList(ctx, f.weekly.ID); !errors.Is(err, ErrNotFound) {
			t.Errorf("removed twice: got %v, want ErrNotFound", err)
		}
		lists, err := f.Lists(ctx)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff([]string{"monthly", "inner"}, []string{lists[0].Slug, lists[1].Slug}); diff != "" || len(lists) != 2 {
			t.Errorf("lists that stay: %s", diff)
		}
		want := "weekly~1 added  signed a form\nmonthly added  signed a form\nweekly~1 unsubscribed  the list was removed\n"
		if got := f.log("a@example.org"); got != want {
			t.Errorf("log:\n%swant:\n%s", got, want)
		}
		readers, err := f.Readers(ctx, []int64{id})
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff([]int64{f.monthly.ID}, readers[id].Lists); diff != "" {
			t.Errorf("lists of the reader: %s", diff)
		}
		f.create(List{Slug: "weekly"}) // the name is available again
	})
}

// The count of a list's readers once included suppressed ones, who get no mail.
func TestListCountsNoSuppressedReaders(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		f := newFixture(t, db)
		f.reader("a@example.org", f.weekly)
		f.reader("b@example.org", f.weekly, f.monthly)
		if err := f.Suppress(t.Context(), "b@example.org", ReasonBounce, ""); err != nil {
			t.Fatal(err)
		}
		counts, err := f.CountStates(t.Context(), f.weekly.ID)
		if err != nil || counts["confirmed"] != 1 || counts["suppressed"] != 1 {
			t.Errorf("%v, %v; want 1 confirmed, 1 suppressed", counts, err)
		}
	})
}
