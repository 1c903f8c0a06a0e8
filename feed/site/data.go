package site

import (
	"time"

	"dibao/feed"
	"dibao/policy"
	"dibao/policy/division"
)

// describe returns the description of an article for programs: schema.org Legislation for
// official texts, NewsArticle or Article for the others. Unknown facts are left out.
func describe(a feed.Article, base string, today policy.Date) map[string]any {
	f := a.Facts
	d := map[string]any{
		"@context": "https://schema.org", "@type": "Article", "@id": feed.ArticleURL(base, a.ID), "url": feed.ArticleURL(base, a.ID),
		"name": a.Title(), "dateModified": a.UpdatedAt.UTC().Format(time.RFC3339), "isAccessibleForFree": true,
	}
	put := func(key, value string) {
		if value != "" {
			d[key] = value
		}
	}
	put("inLanguage", f.Language)
	put("description", f.Summary)
	put("datePublished", f.PublishedOn.String())
	put("isBasedOn", a.URL)
	var issuers []map[string]any
	for _, name := range f.Issuers {
		issuers = append(issuers, map[string]any{"@type": "GovernmentOrganization", "name": name})
	}
	switch f.Kind {
	case policy.KindDocument, policy.KindConsultation:
		d["@type"] = "Legislation"
		put("legislationIdentifier", f.DocumentNumber)
		put("legislationType", f.Type)
		put("legislationDate", f.IssuedOn.String())
		put("legislationJurisdiction", division.Name(f.Region))
		put("temporalCoverage", coverage(f))
		put("legislationLegalForce", force(statusOn(f, today)))
		if len(issuers) > 0 {
			d["legislationPassedBy"] = issuers
		}
	case policy.KindNews:
		d["@type"] = "NewsArticle"
		fallthrough
	default:
		d["headline"] = a.Title()
		switch {
		case f.Author != "":
			d["author"] = map[string]any{"@type": "Person", "name": f.Author}
		case f.AuthorBody != "":
			d["author"] = map[string]any{"@type": "Organization", "name": f.AuthorBody}
		}
		if len(issuers) > 0 {
			d["sourceOrganization"] = issuers
		}
		put("articleSection", themeName(f.Theme, "zh"))
	}
	d["publisher"] = map[string]any{"@type": "Organization", "name": a.SourceName}
	return d
}

// coverage returns the time in force as an ISO 8601 interval, open at the end if no end is
// stated.
func coverage(f policy.Facts) string {
	if f.EffectiveOn.IsZero() {
		return ""
	}
	if f.ExpiresOn.IsZero() {
		return f.EffectiveOn.String() + "/.."
	}
	return f.EffectiveOn.String() + "/" + f.ExpiresOn.String()
}

// force returns the schema.org name of a status.
func force(status string) string {
	switch status {
	case "in-force", "expiring", "ending":
		return "https://schema.org/InForce"
	case "not-yet", "expired", "repealed", "open", "closed":
		return "https://schema.org/NotInForce"
	}
	return ""
}
