package policy

import (
	"slices"
	"strings"
	"unicode/utf8"

	"dibao/policy/division"
)

// region finds the region of a document: by its issuer, the title of a rule, its number,
// the issuer that runs the source, the site, or the source, in this order. A national
// document has none. If no name confirms the province of a number, and some name
// contradicts it, the region is unknown: 青政办发 is of the province 青海 and of any city that
// begins with 青.
func (u *understanding) region() {
	site, hasSite := "", false
	for _, p := range u.e.Meta {
		if strings.EqualFold(p.Name, "SiteIDCode") {
			site, hasSite = division.OfSite(p.Content)
		}
	}
	source := division.TrimCode(u.e.Region)
	home := site
	if home == "" {
		home = source
	}
	for i, issuer := range u.Issuers {
		u.Issuers[i] = division.ExpandIssuer(issuer, home)
	}
	if len(u.Issuers) > 0 {
		if code, level, ok := division.OfIssuer(u.Issuers[0], home); ok {
			u.Region, u.Level = code, level
			return
		}
	}
	if len(u.Issuers) == 0 && u.Kind == KindDocument { // 上海市优化营商环境条例
		switch u.title.Type {
		case "条例", "办法", "规定", "细则", "规则":
			if code, level, ok := division.OfIssuer(u.title.Title, home); ok && code != "" && u.title.Relation == "" {
				u.Region, u.Level = code, level
				return
			}
		}
	}
	// Cities share characters with provinces: 青政 is also that of 青岛, 宁政 that of 南京.
	code := division.OfNumber(u.DocumentNumber)
	if shared := len(home) > 2 || strings.HasPrefix(u.DocumentNumber, "宁政发"); code != "" && (home == "" || strings.HasPrefix(home, code) || !shared) {
		if place := u.elsewhere(code, home); place != "" {
			u.warn("number-of-other-region", u.DocumentNumber, division.OwnName(code), place)
			return
		}
		u.Region = code
		if strings.HasPrefix(home, code) {
			u.Region = home
		}
		u.Level = division.LevelOf(u.Region)
		return
	}
	if code, level, ok := division.OfIssuer(u.e.Issuer, home); ok && code != "" && strings.HasPrefix(code, home) {
		u.Region, u.Level = code, level // an issuer of a city on a source with the code of the province
		return
	}
	if hasSite {
		u.Region = site
	} else {
		u.Region = source
	}
	u.Level = division.LevelOf(u.Region)
}

// elsewhere returns a place in the issuers, the title or the source's name that is not in
// the province of the document's number; "" if there is none. home is the region of the
// site or source.
func (u *understanding) elsewhere(province, home string) string {
	for _, issuer := range append(slices.Clone(u.Issuers), u.e.Issuer, u.siteName()) {
		if place := division.Elsewhere(issuer, province); place != "" {
			return place
		}
	}
	if place := division.Elsewhere(u.title.Title, province); len(u.Issuers) == 0 && (strings.HasSuffix(place, "市") || division.Code(place) != "") {
		return place // only these: titles also begin with words such as 推进县… and 打造区…
	}
	first, _ := utf8.DecodeRuneInString(u.DocumentNumber)
	if home != province && len(home) == 2 && division.HasPlace(home, string(first)) {
		return division.OwnName(home)
	}
	return ""
}

// partOf reports whether an organization belongs to the government that runs the source:
// its bureaus sign what its site publishes.
func (u *understanding) partOf(issuer, source string) bool {
	place, _, ok := strings.Cut(source, "人民政府")
	if !ok || place == "" {
		return false
	}
	home, _, known := division.OfIssuer(source, division.TrimCode(u.e.Region))
	if strings.HasPrefix(issuer, place) || division.ExpandIssuer(issuer, home) != issuer {
		return true
	}
	code, _, in := division.OfIssuer(issuer, home)
	return known && in && home != "" && strings.HasPrefix(code, home)
}
