package site

import (
	"context"
	"fmt"
	"net/url"
	"slices"
	"time"

	"dibao/feed"
	"dibao/feed/amend"
	"dibao/policy"
	"dibao/policy/division"
	"dibao/templates"
)

// articleFacts returns the box of facts. A fact that a document should state and does not
// is listed without a value; for other articles only known facts are shown.
func articleFacts(a feed.Article, language string) []templates.Fact {
	f := a.Facts
	var all []templates.Fact
	add := func(key, from string, expected bool, values ...templates.FactValue) {
		values = slices.DeleteFunc(values, func(v templates.FactValue) bool { return v.Text == "" })
		if len(values) > 0 || expected {
			all = append(all, templates.Fact{Key: key, Values: values, Provenance: templates.Provenance(language, from)})
		}
	}
	date := func(key, from string, expected bool, on policy.Date) {
		if on.IsZero() {
			add(key, "", expected)
			return
		}
		all = append(all, templates.Fact{Key: key, Values: []templates.FactValue{{Text: on.String()}}, Date: true, Provenance: templates.Provenance(language, from)})
	}
	official := f.Kind == policy.KindDocument
	draft := f.Kind == policy.KindConsultation
	add("number", "", official, templates.FactValue{Text: f.DocumentNumber})
	var issuers []templates.FactValue
	for _, name := range f.Issuers {
		issuers = append(issuers, templates.FactValue{Text: name, URL: issuerPath(name)})
	}
	add("issuers", "", official, issuers...)
	author := f.Author
	if author == "" {
		author = f.AuthorOffice
	}
	add("author", "", false, templates.FactValue{Text: author})
	date("issued", f.IssuedFrom, official, f.IssuedOn)
	date("published", f.PublishedFrom, true, f.PublishedOn)
	if f.LateDays > 0 {
		add("late", "", false, templates.FactValue{Text: templates.Words(language, "fact.latedays", f.LateDays)})
	}
	date("effective", f.EffectiveFrom, official, f.EffectiveOn)
	date("expires", f.ExpiresFrom, official, f.ExpiresOn)
	date("deadline", f.DeadlineFrom, draft, f.DeadlineOn)
	add("type", "", false, templates.FactValue{Text: f.Type})
	add("theme", f.ThemeFrom, false, templates.FactValue{Text: themeName(f.Theme, language), URL: themePath(f.Theme)})
	if f.Region != "" {
		add("region", "", false, templates.FactValue{Text: division.NameIn(f.Region, language), URL: "/regions/" + f.Region + "/"})
	}
	add("credit", "", false, templates.FactValue{Text: f.Credit})
	add("source", "", false, templates.FactValue{Text: a.SourceName, URL: fmt.Sprintf("/sources/%d/", a.SourceID)})
	if a.UpdatedAt.After(a.CollectedAt) {
		all = append(all, templates.Fact{Key: "updated", Date: true, Values: []templates.FactValue{{Text: a.UpdatedAt.In(a.Location()).Format(time.DateOnly)}}})
	}
	return all
}

// moveDeadline replaces the last day of a call with that of the latest notice about it, also in its
// steps. It returns the last day of its own text, zero if no notice moved it.
func (h *Web) moveDeadline(ctx context.Context, a *feed.Article) (was policy.Date, err error) {
	states, err := amend.States(ctx, h.Store.DB(), []int64{a.ID})
	until := states[a.ID].Until
	if err != nil || until.IsZero() || until == a.Facts.DeadlineOn {
		return policy.Date{}, err
	}
	was, a.Facts.DeadlineOn, a.Facts.DeadlineFrom = a.Facts.DeadlineOn, until, ""
	if a.Call != nil {
		moved := *a.Call
		moved.Steps = slices.Clone(moved.Steps)
		for i, s := range moved.Steps {
			if s.Last == was {
				moved.Steps[i].Last, moved.Steps[i].Time, moved.Steps[i].Moved = until, "", true
			}
		}
		a.Call = &moved
	}
	return was, nil
}

// sayMoved names the last day before the notices that moved it.
func sayMoved(facts []templates.Fact, language string, was policy.Date) {
	for i := range facts {
		if facts[i].Key == "deadline" {
			facts[i].Provenance = templates.Words(language, "fact.moved", was.String())
		}
	}
}

func issuerPath(name string) string { return "/issuers/" + url.PathEscape(name) + "/" }

// themePath returns the page of a theme, "" if there is none.
func themePath(theme string) string {
	if theme == "" {
		return ""
	}
	return "/themes/" + url.PathEscape(theme) + "/"
}

// publicWarnings returns the warnings of an article that are also for readers.
func publicWarnings(a feed.Article, language string) (all []string) {
	for _, w := range a.Warnings {
		if text := templates.Warning(language, w.Code, w.Params); text != "" {
			all = append(all, text)
		}
	}
	return all
}
