package answer

import (
	"cmp"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"dibao/internal/lazyregexp"
)

var (
	literalPath = lazyregexp.New("(?:([A-Za-z_$][\\w$]*)\\s*\\+\\s*['\"]|['\"]|`(?:\\$\\{([A-Za-z_$][\\w$]*)\\})?)((?:https?:)?/?/?[\\w.~-]*[./][\\w./~%-]*(?:\\?[\\w.,=&%~+-]*)?)(['\"`]|\\$\\{)")
	basePath    = lazyregexp.New("\\b(?:baseURL|baseUrl|base_url|apiUrl|API_URL|VUE_APP_BASE_API)['\"]?\\s*[:=]\\s*['\"]((?:https?://)?/?[\\w./:-]{2,100})['\"]")
	ofData      = lazyregexp.New(`(?i)api|interface|query|search|rest|service|\.json\b|\.do\b|\.action\b|ajax|front|data|list|page`)
	ofList      = lazyregexp.New(`(?i)list|article|news|notice|polic|doc|content|info|announce|publish|search|zcfg|zcwj|tzgg|wenjian|page`)
	ofAPI       = lazyregexp.New(`(?i)api|rest|interface`)
	ofOther     = lazyregexp.New(`(?i)login|logout|auth|captcha|token|user|upload|dict|config|menu|i18n|locale|manifest|package|password|sms|wechat|weixin|pay|comment|count|visit|hit|stat|log\b|banner|weather|node_modules|webpack|\.vue\b|detail`)
	notData     = lazyregexp.New(`(?i)\.(?:js|mjs|css|png|jpe?g|gif|svg|ico|woff2?|ttf|eot|map|html?|vue|ts|pdf|mp4|wasm)(?:\?|$)|^//?$|\.\.$`)
)

// maxSearched is how many bytes of scripts are searched for addresses.
const maxSearched = 1 << 20

// maxEndpoints is the maximum number of addresses that are returned.
const maxEndpoints = 3

// maxCandidates is the maximum number of paths that are completed to addresses.
const maxCandidates = 12

// Endpoints returns addresses of the same site from which scripts request data, the most
// likely list of articles first. page is the address of the page that runs the scripts.
func Endpoints(page, scripts string) []string {
	base, err := url.Parse(page)
	if err != nil {
		return nil
	}
	scripts = scripts[:min(len(scripts), maxSearched)]
	prefix := ""
	if m := basePath.FindStringSubmatch(scripts); m != nil {
		prefix = strings.TrimRight(m[1], "/")
	}
	type candidate struct {
		path, name string // name is the variable that a script puts before the path
		score      int
	}
	var found []candidate
	seen := make(map[string]bool)
	for _, m := range literalPath.FindAllStringSubmatch(scripts, 4000) {
		c := candidate{m[3], cmp.Or(m[1], m[2]), scorePath(m[3])}
		if c.score > 0 && !seen[c.path] && c.path != prefix {
			seen[c.path] = true
			found = append(found, c)
		}
	}
	slices.SortStableFunc(found, func(a, b candidate) int { return cmp.Compare(b.score, a.score) })
	var all []string
	for _, c := range found[:min(len(found), maxCandidates)] {
		if c.name != "" && strings.HasPrefix(c.path, "/") {
			c.path = valueOf(scripts, c.name) + c.path
		}
		if prefix != "" && strings.HasPrefix(c.path, "/") && !strings.HasPrefix(c.path, "//") && !strings.HasPrefix(c.path, prefix) {
			c.path = prefix + c.path
		}
		u, err := base.Parse(c.path)
		if err != nil || u.Host == "" || !SameSite(page, u.String()) || u.String() == page || slices.Contains(all, u.String()) {
			continue
		}
		if all = append(all, u.String()); len(all) == maxEndpoints {
			break
		}
	}
	return all
}

// valueOf returns the literal that a script assigns to a variable, without a trailing
// slash; "" if there is none.
func valueOf(scripts, name string) string {
	m := regexp.MustCompile(`(?:^|[^\w$.])` + regexp.QuoteMeta(name) + `\s*=\s*['"]([\w./:-]{1,100})['"]`).FindStringSubmatch(scripts)
	if m == nil {
		return ""
	}
	return strings.TrimRight(m[1], "/")
}

// scorePath returns how likely a literal is the address of a list in JSON; 0 means that it is not.
func scorePath(path string) int {
	if len(path) < 5 || notData.MatchString(path) || !strings.Contains(path, "/") && !strings.Contains(path, ".json") || !ofData.MatchString(path) || ofOther.MatchString(path) {
		return 0
	}
	score := 1
	if ofList.MatchString(path) {
		score += 3
	}
	if strings.Contains(path, ".json") || ofAPI.MatchString(path) {
		score += 2
	}
	if strings.HasPrefix(path, "/") || strings.HasPrefix(path, "http") || strings.HasPrefix(path, "./") {
		score++
	} else {
		score--
	}
	if score < 4 {
		return 0
	}
	return score
}
