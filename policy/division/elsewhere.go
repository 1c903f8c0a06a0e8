package division

import (
	"strings"
	"unicode"
)

// maxPlace is the maximum length of the name of a place, in characters.
const maxPlace = 10

// placeEnds are the characters that end the names of places, with the characters before and
// after them that make them part of another word: 城市, 社区, 全省, 市场.
var placeEnds = map[rune]struct{ before, after string }{
	'省': {"全我本各跨", "级际属直"},
	'市': {"城都超股上门夜楼早全我本各", "场容值域级属辖直长"},
	'县': {"全我本各", "域级属乡"},
	'区': {"社城园校小辖片街景地山灾库牧林老新特疫税范验贸发全我本各", "域块间级属"},
	'州': {"神", ""},
	'盟': {"联同加结", ""},
	'旗': {"国党红", ""},
}

// placeAtStart returns the place at the beginning of a name, known or not: 青山市 in 青山市人民政府.
func placeAtStart(name string) string {
	name = strings.TrimPrefix(strings.TrimPrefix(name, "中国共产党"), "中共")
	all := []rune(name)
	for i := 1; i < min(len(all), maxPlace); i++ {
		end, ok := placeEnds[all[i]]
		if !unicode.Is(unicode.Han, all[i-1]) {
			return ""
		}
		rest := string(all[i:])
		if strings.HasPrefix(rest, "市民") && !strings.HasPrefix(rest, "市民政") && !strings.HasPrefix(rest, "市民族") {
			continue
		}
		if ok && !strings.ContainsRune(end.before, all[i-1]) && (i+1 == len(all) || !strings.ContainsRune(end.after, all[i+1])) {
			return string(all[:i+1])
		}
	}
	return ""
}

// Elsewhere returns the place at the beginning of a name if it is not in a province: a
// place of another province, or an unknown one. For the names of national bodies, and for
// those without a place, it returns "".
func Elsewhere(name, province string) string {
	if code, _, ok := OfIssuer(name, province); ok {
		if strings.HasPrefix(code, province) || code == "" {
			return ""
		}
		return OwnName(code)
	}
	place := placeAtStart(name)
	if place == "" {
		return cityAtStart(name, province)
	}
	if regionIn(place, province) != "" || Code(place) == province {
		return ""
	}
	return place
}

// cityAtStart returns the city of another province whose name without 市 is at the beginning
// of a name: 青岛政务网.
func cityAtStart(name, province string) string {
	for n := 4 * 3; n >= 2*3; n -= 3 {
		if len(name) <= n {
			continue
		}
		if code := pickRegion(regions().codes[name[:n]+"市"], "", true); len(code) == 4 && !strings.HasPrefix(code, province) {
			return OwnName(code)
		}
	}
	return ""
}

// HasPlace reports whether a text begins with the name of a city or county in a region.
func HasPlace(region, begins string) bool {
	for code, name := range regions().names {
		if len(code) > 2 && strings.HasPrefix(code, region) && strings.HasPrefix(name, begins) {
			return true
		}
	}
	return false
}
