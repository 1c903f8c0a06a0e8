package site

import (
	"fmt"
	"net/url"
	"slices"
	"time"

	"dibao/feed"
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
	add("theme", f.ThemeFrom, false, templates.FactValue{Text: themeName(f.Theme), URL: themePath(f.Theme)})
	if f.Region != "" {
		add("region", "", false, templates.FactValue{Text: division.Name(f.Region), URL: "/regions/" + f.Region + "/"})
	}
	add("credit", "", false, templates.FactValue{Text: f.Credit})
	add("source", "", false, templates.FactValue{Text: a.SourceName, URL: fmt.Sprintf("/sources/%d/", a.SourceID)})
	if a.UpdatedAt.After(a.CollectedAt) {
		all = append(all, templates.Fact{Key: "updated", Date: true, Values: []templates.FactValue{{Text: a.UpdatedAt.In(a.Location()).Format(time.DateOnly)}}})
	}
	return all
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
