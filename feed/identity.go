package feed

import (
	"fmt"
	"slices"
	"strings"

	"dibao/policy"
	"dibao/policy/division"
)

// rank orders the sites that show one text: the issuer's own first, then other
// official ones.
func (a *batchArticle) rank() int {
	official := a.Licence == LicenceOfficial
	own := a.Evidence.Issuer != "" && slices.ContainsFunc(a.Facts.Issuers, func(s string) bool {
		return strings.HasSuffix(s, a.Evidence.Issuer) || strings.HasSuffix(a.Evidence.Issuer, s)
	})
	switch {
	case official && own:
		return 0
	case official:
		return 1
	case own:
		return 2
	}
	return 3
}

// containsDocument reports whether the article is the text of a document. A
// title that only a list gave may be truncated.
func (a *batchArticle) containsDocument() bool {
	return a.Facts.Kind == policy.KindDocument && a.PageState != PageWanted
}

// name is a name of a document.
type name struct{ name, kind string }

// title returns what the article's title says about its document.
func (a *batchArticle) title() policy.Names {
	if a.titles == nil {
		n := policy.NamesOf(a.Facts)
		a.titles = &n
	}
	return *a.titles
}

// names returns the names under which an article's document may be cited.
func (a *batchArticle) names() []name {
	var all []name
	for _, n := range policy.NumberNames(a.Facts.DocumentNumber, a.Facts.Region) {
		all = append(all, name{n, "number"})
	}
	add := func(title, kind string) {
		if title != "" && !slices.ContainsFunc(all, func(n name) bool { return n.name == title }) {
			all = append(all, name{title, kind})
		}
	}
	titles := a.title()
	add(titles.Key, "title")
	for _, inner := range titles.Inner {
		add(inner, "inner")
	}
	add(titles.Bare, "inner")
	return all
}

// identify returns the known document that an article contains; nil if it is
// new. A number identifies one document within its region, unless the titles
// have little in common; without a number title, date and issuer decide.
func (b *batch) identify(a *batchArticle) *candidate {
	f := a.Facts
	for _, n := range policy.NumberNames(f.DocumentNumber, f.Region) {
		for _, c := range b.named[n] {
			key := policy.TitleKey(c.title)
			if key == a.titleKey || division.Compatible(c.region, f.Region) && policy.TitlesShare(c.title, f.Title) >= 0.5 {
				return c
			}
		}
	}
	if f.IssuedOn.IsZero() || a.titleKey == "" {
		return nil
	}
	for _, c := range b.named[a.titleKey] {
		numbers := f.DocumentNumber == "" || c.number == "" || slices.Contains(policy.NumberNames(c.number, c.region), f.DocumentNumber)
		if numbers && c.issuedOn == f.IssuedOn && !b.inner[fmt.Sprint(a.titleKey, "\n", c.id)] &&
			(len(c.issuers) == 0 || len(f.Issuers) == 0 || shareIssuer(c.issuers, f.Issuers)) {
			return c
		}
	}
	return nil
}

// shareIssuer reports whether two lists of issuers have an issuer in common, written with or
// without its region (民政厅, 四川省民政厅).
func shareIssuer(a, b []string) bool {
	for _, x := range a {
		for _, y := range b {
			if strings.HasSuffix(x, y) || strings.HasSuffix(y, x) {
				return true
			}
		}
	}
	return false
}

// documentKey is the identity of a new document. A document with neither a
// number nor a date is identified by its article alone.
func documentKey(a *batchArticle) string {
	f := a.Facts
	switch {
	case f.DocumentNumber != "":
		return "n " + f.Region + " " + f.DocumentNumber + " " + a.titleKey
	case f.IssuedOn.IsZero() || a.titleKey == "":
		return fmt.Sprintf("a %d", a.ID)
	}
	return "t " + f.IssuedOn.String() + " " + a.titleKey + " " + strings.Join(f.Issuers, " ")
}
