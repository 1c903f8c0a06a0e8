// Package division contains the administrative divisions of China (行政区划): their names and
// codes, and the division that an issuer belongs to.
package division

import (
	_ "embed"
	"slices"
	"strings"
	"sync"
	"unicode/utf8"

	"dibao/policy/words"
)

// regionsText is GB/T 2260 from the package china-division 2.7.0 (WTFPL): a
// code of two digits for a province, four for a city, six for a county, and its
// name.
//
//go:embed regions.txt
var regionsText string

// Level is the administrative level of the organization that made a document.
type Level string

// The levels, highest first.
const (
	Central  Level = "central"  // 中共中央、全国人大、国务院、中央军委、最高人民法院
	Ministry Level = "ministry" // 国务院部门
	Province Level = "province"
	City     Level = "city"
	County   Level = "county"
)

// Levels contains all levels, highest first.
var Levels = []Level{Central, Ministry, Province, City, County}

type regionTable struct {
	names map[string]string   // by code
	codes map[string][]string // by name
	short map[string]string   // code of a province by its name without 省, 市, 自治区
}

// regions is built when a text first needs it, because few commands do.
var regions = sync.OnceValue(func() regionTable {
	t := regionTable{names: make(map[string]string), codes: make(map[string][]string), short: make(map[string]string)}
	for line := range strings.Lines(regionsText) {
		code, name, _ := strings.Cut(strings.TrimSpace(line), " ")
		t.names[code] = name
		t.codes[name] = append(t.codes[name], code)
		if len(code) == 2 {
			for _, end := range []string{"特别行政区", "壮族自治区", "回族自治区", "维吾尔自治区", "自治区", "省", "市"} {
				if s, ok := strings.CutSuffix(name, end); ok {
					t.short[s] = code
					break
				}
			}
		}
	}
	return t
})

// Name returns the name of a region with those above it (广东省深圳市);
// "" for a code that is not in the table.
func Name(code string) string {
	code = TrimCode(code)
	name := regions().names[code]
	if name == "" {
		return ""
	}
	for n := len(code) - 2; n >= 2; n -= 2 {
		name = regions().names[code[:n]] + name // 1101 (市辖区) has no name
	}
	return name
}

// TrimCode removes the zeros that fill a code up to six digits: 440000 is 44,
// 441900 is 4419. National codes (100000, 000000) become "".
func TrimCode(code string) string {
	code = strings.TrimSpace(code)
	if len(code) > 6 {
		code = code[:6]
	}
	for len(code) > 2 && len(code)%2 == 0 && strings.HasSuffix(code, "00") {
		code = code[:len(code)-2]
	}
	if code == "10" || code == "00" {
		return ""
	}
	return code
}

// OfSite returns the region of a SiteIDCode: bm and eight digits is a national body; ten
// digits begin with the code of a region (国办发〔2017〕47号). For a county that no longer exists
// it returns its city, or else its province.
func OfSite(id string) (code string, ok bool) {
	id = strings.ToLower(strings.TrimSpace(id))
	if strings.HasPrefix(id, "bm") {
		return "", true
	}
	if len(id) != 10 || strings.Trim(id, "0123456789") != "" {
		return "", false
	}
	for n := 6; n >= 2; n -= 2 {
		if code = TrimCode(id[:n]); regions().names[code] != "" {
			return code, true
		}
	}
	return "", false
}

var (
	centralIssuer  = words.New(`^(?:中共中央|中央|国务院|全国人大|全国人民代表大会|全国政协|最高人民|中华人民共和国(?:主席|国务院)|国家主席)`)
	ministryIssuer = words.New(`^(?:中华人民共和国|国家|中国人民银行|中国证券|中国银行|中国保险|中国气象|中国民用|海关总署|审计署|税务总局|教育部|科技部|科学技术部|` +
		`\p{Han}{2,10}部(?:办公厅|办公室)?$|\p{Han}{2,10}总局(?:办公厅|办公室)?$|公安部|财政部)`)
	bareIssuer = words.New(`^(省|市|区|县|自治区)((?:人民)?政府(?:办公厅|办公室)?|[^场域际直长\P{Han}]\p{Han}{0,9}(?:局|委|厅|办|办公室))$`)
)

// OfIssuer returns the region and level of an issuer. within is a region that decides which
// 鼓楼区 is meant; "" if it is unknown. ok is false if the name shows neither.
func OfIssuer(issuer, within string) (code string, level Level, ok bool) {
	issuer = strings.TrimPrefix(strings.TrimPrefix(issuer, "中共"), "中国共产党")
	if centralIssuer.MatchString(issuer) || strings.HasPrefix(issuer, "中央") {
		return "", Central, true
	}
	rest := issuer
	if c, r, found := CutProvince(rest); found {
		code, rest = c, r
	}
	parent := code
	if parent == "" && len(within) >= 2 {
		parent = within[:2]
	}
	for n := 12 * 3; n >= 2*3; n -= 3 { // names of two to twelve characters
		if len(rest) <= n {
			continue
		}
		if c := pickRegion(regions().codes[rest[:n]], parent, code != ""); c != "" {
			code, rest = c, rest[n:]
			if len(c) == 4 { // one of its counties may follow
				if d, _, found := regionOfIssuerRest(rest, c); found {
					code = d
				}
			}
			break
		}
	}
	switch len(code) {
	case 2:
		return code, Province, true
	case 4:
		return code, City, true
	case 6:
		return code, County, true
	}
	if ministryIssuer.MatchString(issuer) {
		return "", Ministry, true
	}
	return "", "", false
}

func regionOfIssuerRest(rest, parent string) (code, after string, ok bool) {
	for n := 12 * 3; n >= 2*3; n -= 3 {
		if len(rest) > n {
			if c := pickRegion(regions().codes[rest[:n]], parent, true); c != "" {
				return c, rest[n:], true
			}
		}
	}
	return "", "", false
}

// CutProvince removes the name of a province, in full or short, from the beginning.
func CutProvince(s string) (code, rest string, ok bool) {
	for n := 9 * 3; n >= 2*3; n -= 3 {
		if len(s) < n {
			continue
		}
		codes := regions().codes[s[:n]]
		for _, c := range codes {
			if len(c) == 2 {
				return c, s[n:], true
			}
		}
		if len(codes) > 0 { // 吉林市, 海南藏族自治州
			return "", s, false
		}
		if c := regions().short[s[:n]]; c != "" {
			return c, s[n:], true
		}
	}
	return "", s, false
}

// pickRegion returns the code of a name: the only one, or the only one in parent.
func pickRegion(codes []string, parent string, must bool) string {
	inside := codes
	if parent != "" {
		inside = slices.DeleteFunc(slices.Clone(codes), func(c string) bool { return !strings.HasPrefix(c, parent) || c == parent })
	}
	switch {
	case len(inside) == 1:
		return inside[0]
	case !must && len(codes) == 1:
		return codes[0]
	}
	return ""
}

// numberRegions are the characters with which numbers of provincial governments begin.
// Districts also use single characters (青府 is 青浦 and not 青海), so only these count.
var numberRegions = map[string]string{
	"京政": "11", "京发": "11", "津政": "12", "津党": "12", "冀政": "13", "冀发": "13", "晋政": "14", "晋发": "14", "内政": "15", "内党": "15", "辽政": "21", "辽委": "21",
	"吉政": "22", "吉发": "22", "黑政": "23", "沪府": "31", "沪委": "31", "苏政": "32", "苏发": "32", "浙政": "33", "浙委": "33", "皖政": "34", "皖发": "34",
	"闽政": "35", "闽委": "35", "赣府": "36", "赣发": "36", "鲁政": "37", "鲁发": "37", "豫政": "41", "豫发": "41", "鄂政": "42", "鄂发": "42", "湘政": "43", "湘发": "43",
	"粤府": "44", "粤办": "44", "粤发": "44", "桂政": "45", "桂发": "45", "琼府": "46", "琼发": "46", "渝府": "50", "渝委": "50", "川府": "51", "川办": "51", "川委": "51",
	"黔府": "52", "黔党": "52", "云政": "53", "云发": "53", "滇政": "53", "藏政": "54", "藏党": "54", "陕政": "61", "陕发": "61", "甘政": "62", "甘发": "62",
	"青政": "63", "青发": "63", "宁政": "64", "宁党": "64", "新政": "65", "新党": "65",
}

func LevelOf(code string) Level {
	switch len(code) {
	case 2:
		return Province
	case 4:
		return City
	case 6:
		return County
	}
	return ""
}

// shortIssuers are abbreviations that mean the same organization everywhere.
var shortIssuers = map[string]string{"国办": "国务院办公厅", "中办": "中共中央办公厅", "全国人大常委会": "全国人民代表大会常务委员会"}

// ExpandIssuer expands the short name that a government uses locally: 市政府 on
// the site of 31 is 上海市人民政府, 市科委 is 上海市科委.
func ExpandIssuer(issuer, region string) string {
	if full, ok := shortIssuers[issuer]; ok {
		return full
	}
	m := bareIssuer.FindStringSubmatch(issuer)
	if m == nil || region == "" {
		return issuer
	}
	name := ""
	for n := 2; n <= len(region); n += 2 {
		if full := regions().names[region[:n]]; strings.HasSuffix(full, m[1]) {
			name = full
			break
		}
	}
	if name == "" {
		return issuer
	}
	rest := m[2]
	if after, ok := strings.CutPrefix(rest, "政府"); ok {
		rest = "人民政府" + after
	}
	return name + rest
}

// ProvinceOf returns the code of the province with an abbreviation such as 渝 or 川.
func ProvinceOf(c string) string {
	for prefix, code := range numberRegions {
		if strings.HasPrefix(prefix, c) {
			return code
		}
	}
	return ""
}

// Code returns the code of a region by its name, with or without its kind (四川) and the
// regions above it, or of a province by its English name; an ambiguous name needs one above it. It returns "" if the region is
// unknown.
func Code(name string) string {
	name = strings.Join(strings.Fields(name), "")
	if code := TrimCode(name); regions().names[code] != "" {
		return code
	}
	if code := regions().short[name]; code != "" {
		return code
	}
	code, rest := "", name
	if c, r, ok := CutProvince(name); ok {
		if code, rest = c, r; rest == "" {
			return code
		}
	}
	if c := regionIn(rest, code); c != "" {
		return c
	}
	if name != "" && name[0] < utf8.RuneSelf {
		return fromEnglish(name)
	}
	// A city and one of its counties: 杭州市滨江区.
	for n := range rest {
		if city := regionIn(rest[:n], code); len(city) == 4 {
			if c := regionIn(rest[n:], city); c != "" {
				return c
			}
		}
	}
	return ""
}

// regionIn returns the code of a city or county in parent ("" means in the country), by its name
// with or without its kind.
func regionIn(name, parent string) string {
	for _, form := range []string{name, name + "市", name + "县", name + "区"} {
		if c := pickRegion(regions().codes[form], parent, parent != ""); c != "" {
			return c
		}
	}
	return ""
}

// Compatible reports whether two codes may belong to one document: one
// is unknown or contains the other.
func Compatible(a, b string) bool {
	return strings.HasPrefix(a, b) || strings.HasPrefix(b, a)
}

// OwnName returns the name of a region alone (深圳市), "" if its code is unknown.
func OwnName(code string) string { return regions().names[code] }

// IsProvince reports whether a text is the name of a province without 省,
// 市 or 自治区.
func IsProvince(s string) bool { return regions().short[s] != "" }

// OfNumber returns the code of the province whose government's numbers begin with these
// characters, "" if there is none.
func OfNumber(number string) string {
	if len(number) < 2*3 {
		return ""
	}
	return numberRegions[number[:2*3]]
}
