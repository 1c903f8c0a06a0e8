package policy

import (
	"dibao/policy/division"
	"strings"
)

// region finds the region of a document: by its issuer, its number, the site,
// the source, in this order. A national document has none.
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
	for i, organ := range u.Issuers {
		u.Issuers[i] = division.ExpandOrgan(organ, home)
	}
	if len(u.Issuers) > 0 {
		if code, level, ok := division.OfOrgan(u.Issuers[0], home); ok {
			u.Region, u.Level = code, level
			return
		}
	}
	if len(u.Issuers) == 0 && u.Kind == KindDocument { // 上海市优化营商环境条例
		switch u.title.Type {
		case "条例", "办法", "规定", "细则", "规则":
			if code, level, ok := division.OfOrgan(u.title.Title, home); ok && code != "" && u.title.Relation == "" {
				u.Region, u.Level = code, level
				return
			}
		}
	}
	if code := division.OfNumber(u.DocumentNumber); code != "" && (home == "" || strings.HasPrefix(home, code) || !strings.HasPrefix(u.DocumentNumber, "宁政发")) {
		u.Region = code
		if strings.HasPrefix(home, code) {
			u.Region = home
		}
		u.Level = division.LevelOf(u.Region)
		return
	}
	if hasSite {
		u.Region = site
	} else {
		u.Region = source
	}
	u.Level = division.LevelOf(u.Region)
}
