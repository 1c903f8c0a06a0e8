package digest

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"dibao/feed"
	"dibao/feed/amend"
	"dibao/feed/asks"
	"dibao/internal/database"
	"dibao/policy"
	"dibao/policy/division"
	"dibao/policy/theme"
	"dibao/templates"
)

// ReasonText says in a language why an article is in a list: the field of a
// [filter.Reason] and its value; codes are translated.
func ReasonText(language, field, value string) string {
	switch field {
	case "kind":
		value = templates.Words(language, "kind."+value)
	case "region":
		value = cmp.Or(division.NameIn(value, language), value)
	case "theme":
		value = theme.NameIn(theme.Named(value), language)
	}
	return templates.Words(language, "why."+field, value)
}

func (s *Service) itemView(it IssueItem, language string) templates.Item {
	v := feed.ItemView(it.Article, s.opts.BaseURL)
	for _, w := range it.Why {
		v.Why = append(v.Why, ReasonText(language, w.Field, w.Value))
	}
	for _, w := range it.Chosen {
		v.Why = append(v.Why, templates.Words(language, "mail.chosen", ReasonText(language, w.Field, w.Value)))
	}
	return v
}

// digestItem returns an item as an email shows it.
func (s *Service) digestItem(it IssueItem, language string, today policy.Date) templates.DigestItem {
	f := it.Article.Facts
	v := templates.DigestItem{Item: s.itemView(it, language), Language: language}
	v.Summary = database.Clip(v.Summary, maxSummary)
	v.Dates = shownDates(v.Dates, it)
	v.Badge, v.Urgent = badge(it, language, today)
	if it.Amended != nil && it.Amended.Evidence != "" && amend.NoticeOf(it.Event) != 0 {
		v.Summary = templates.Words(language, "call.sentence", it.Amended.Evidence)
	}
	if it.ChangedBy != 0 {
		v.BadgeURL = feed.ArticleURL(s.opts.BaseURL, it.ChangedBy)
	}
	for _, c := range f.Citations {
		if !slices.Contains(shownRelations, c.Relation) || len(v.Says) == maxSays || c.Relation == policy.RelationInterprets && it.Under != 0 {
			continue
		}
		v.Says = append(v.Says, templates.DocLink{Verb: templates.Words(language, "says."+c.Relation), Title: citedAs(c), URL: s.targetURL(it, c)})
	}
	if n := len(it.Same); n > 0 && it.Event == "" {
		v.Remarks = append(v.Remarks, templates.DocLink{Title: templates.Words(language, "mail.reposts", n), URL: v.URL})
	}
	if f.LateDays > 0 {
		v.Remarks = append(v.Remarks, templates.DocLink{Title: templates.Words(language, "mail.late", f.LateDays)})
	}
	return v
}

// shownRelations are the relations of an item to other documents that a reader should see.
var shownRelations = []string{
	policy.RelationRepeals, policy.RelationRepealsPart, policy.RelationAmends, policy.RelationExtends, policy.RelationImplements, policy.RelationInterprets,
}

// unquoted prepares a title for 《》: a pair of 《》 inside becomes 〈〉, as
// GB/T 15834 requires.
func unquoted(title string) string {
	return strings.NewReplacer("《", "〈", "》", "〉").Replace(title)
}

// citedAs writes how a document is named: 《title》（number）, as official texts do.
func citedAs(c policy.Citation) string {
	switch {
	case c.Title == "":
		return c.Number
	case c.Number == "":
		return "《" + unquoted(c.Title) + "》"
	}
	return "《" + unquoted(c.Title) + "》（" + c.Number + "）"
}

// targetURL returns the page of the document that a citation means, "" if there is
// none.
func (s *Service) targetURL(it IssueItem, c policy.Citation) string {
	for _, r := range it.Targets {
		if r.Kind == c.Relation && r.TargetNumber == c.Number && r.TargetTitle == c.Title {
			return fmt.Sprintf("%s/documents/%d", s.opts.BaseURL, r.Target)
		}
	}
	return ""
}

const (
	// maxSummary limits a summary in an email, in bytes.
	maxSummary = 600
	// maxSays is the maximum number of documents in the relations of an item.
	maxSays = 3
)

// shownDates leaves out dates that the badge already shows.
func shownDates(all []templates.DateFact, it IssueItem) []templates.DateFact {
	shown := "deadline"
	switch {
	case it.Event == eventExpiring:
		shown = "expires"
	case it.Section == sectionEffective:
		shown = "effective"
	}
	return slices.DeleteFunc(all, func(d templates.DateFact) bool { return d.Key == shown })
}

// dateText formats a date in one of the catalog's forms.
func dateText(language, form string, d policy.Date) string {
	weekday := d.In(time.UTC).Weekday()
	return templates.Words(language, form, d.Year, int(d.Month), d.Day, templates.Words(language, fmt.Sprint("weekday.", int(weekday))), d.Month.String()[:3])
}

// nearDays is the number of days within which a date is shown with its day of the week.
const nearDays = 14

// dayText formats a date as briefly as is unambiguous on the given day.
func dayText(language string, d, today policy.Date) string {
	switch {
	case !d.Before(today) && d.Before(today.AddDays(nearDays)):
		return dateText(language, "date.weekday", d)
	case d.Year == today.Year:
		return dateText(language, "date.short", d)
	}
	return dateText(language, "date.year", d)
}

// badge returns the date or state because of which an item is in its section.
func badge(it IssueItem, language string, today policy.Date) (text string, urgent bool) {
	f := it.Article.Facts
	day := func(d policy.Date) string { return dayText(language, d, today) }
	if it.Amended != nil && (amend.ChangesCall(it.Event) || it.isCanceled()) {
		return asks.In(language).Change(*it.Amended, day), true
	}
	switch it.Event {
	case eventEffective:
		return templates.Words(language, "badge.effective", day(f.EffectiveOn)), false
	case eventExpiring:
		return templates.Words(language, "badge.expiring", day(f.ExpiresOn)), true
	case eventRepealed, eventAmended:
		key, args := "badge."+it.Event, []any{}
		if it.Event == eventRepealed && today.Before(it.ChangedOn) {
			key, args = "badge.ending", []any{day(it.ChangedOn)}
		}
		if it.By != "" {
			key, args = key+".by", append(args, unquoted(it.By))
		}
		return templates.Words(language, key, args...), true
	}
	switch it.Section {
	case sectionDeadlines:
		if f.DeadlineOn.IsZero() {
			return templates.Words(language, "badge.open"), false
		}
		if f.DeadlineOn == today {
			return templates.Words(language, "badge.deadline.today", day(f.DeadlineOn)), true
		}
		if f.DeadlineOn == today.AddDays(1) {
			return templates.Words(language, "badge.deadline.tomorrow", day(f.DeadlineOn)), true
		}
		days := today.DaysUntil(f.DeadlineOn)
		return templates.Words(language, "badge.deadline", day(f.DeadlineOn), days), days <= 14
	case sectionEffective:
		return templates.Words(language, "badge.effective", day(f.EffectiveOn)), false
	}
	return "", false
}
