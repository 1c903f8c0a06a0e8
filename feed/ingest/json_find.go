package ingest

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode/utf8"

	"dibao/feed/ingest/jsonpath"
	"dibao/feed/ingest/list"
	"dibao/policy/when"
)

// Limits on the search for a list in a response.
const (
	maxWalkDepth = 8
	maxWalkNodes = 20000
	maxSampled   = 200  // elements of an array that are examined
	maxRowKeys   = 1000 // keys of an element; an element with more is not a row of a list
	maxInner     = 2    // levels of objects in an element: {"source":{"urls":{"pc":"/a.html"}}}
	maxCounted   = 200_000
	minJSONRows  = 2
)

// Limits on the length of a title in a response, in characters.
const (
	minRowTitle = 5
	maxRow      = 400
)

// ProposeJSON searches for the list of articles in a JSON or JSONP response: an array whose
// elements each have a title and an address, or markup that contains a list. It returns the
// paths for reading it; the source's own settings take precedence.
func ProposeJSON(p Page, src Source) (Settings, error) {
	doc, err := decodeJSON(p, src.Settings.Charset)
	if err != nil {
		return src.Settings, err
	}
	found, err := proposeJSON(doc, p, src)
	return found.set, err
}

// proposal contains the settings for reading the list of a response.
type proposal struct {
	set     Settings
	score   float64
	dropped list.Drops // parts that were not searched
}

func proposeJSON(doc any, p Page, src Source) (found proposal, err error) {
	set, score := src.Settings, 0.0
	found.set = set
	f := &jsonFinder{src: src, page: p, clock: clockOf(p, src), arrays: make(map[string][]any), template: strings.Contains(set.Link, "{")}
	f.walk(doc, "", 0)
	var best Settings
	for _, at := range slices.Sorted(maps.Keys(f.arrays)) {
		if found, n := f.weigh(f.arrays[at]); n > score {
			best, score = found, n
			best.Item = at
		}
	}
	if f.markupScore > score {
		best, score = Settings{Item: f.markup + " |"}, f.markupScore
	}
	if score == 0 {
		if f.withoutAddress != "" {
			return found, fmt.Errorf("the rows of the response contain no addresses; set a template with keys of a row, such as --link 'https://…/detail?id={%s}'", f.withoutAddress)
		}
		if len(f.dropped) > 0 {
			return found, fmt.Errorf("no list of articles was found in the response: %s; set the paths --item, --title, --link and --date", f.dropped[0].Reason)
		}
		return found, errors.New("no list of articles was found in the response; set the paths --item, --title, --link and --date")
	}
	set.Item = firstOf(set.Item, best.Item)
	set.Link, set.Title, set.Date = firstOf(set.Link, best.Link), firstOf(set.Title, best.Title), firstOf(set.Date, best.Date)
	return proposal{set, score, f.dropped}, nil
}

// jsonFinder collects the arrays of a response, and objects whose keys are ids, by path.
type jsonFinder struct {
	src            Source
	page           Page
	clock          when.Clock
	arrays         map[string][]any
	nodes, counted int    // values that were examined
	template       bool   // the source has a template for addresses
	markup         string // path of the markup with the best list
	markupScore    float64
	withoutAddress string // a key that distinguishes rows without an address
	dropped        list.Drops
}

func (f *jsonFinder) walk(v any, at string, depth int) {
	if f.nodes++; depth > maxWalkDepth || f.nodes > maxWalkNodes {
		return
	}
	switch v := v.(type) {
	case map[string]any:
		if len(v) > maxRowKeys {
			f.dropped.Add(list.ManyKeys, cmp.Or(at, "."), "")
			return
		}
		if jsonpath.IsKeyed(v) {
			for _, name := range slices.Sorted(maps.Keys(v))[:min(len(v), maxSampled)] {
				f.arrays[at+"{}"] = append(f.arrays[at+"{}"], v[name])
			}
		}
		if jsonpath.IsGrouped(v) {
			all, _ := jsonpath.Walk([]any{v}, "{}[]", nil)
			f.arrays[at+"{}[]"] = append(f.arrays[at+"{}[]"], all[:min(len(all), maxSampled)]...)
		}
		for _, name := range slices.Sorted(maps.Keys(v)) {
			if !strings.ContainsAny(name, ".[]|{}") {
				f.walk(v[name], strings.TrimPrefix(at+"."+name, "."), depth+1)
			}
		}
	case []any:
		v = v[:min(len(v), maxSampled)]
		f.arrays[at+"[]"] = append(f.arrays[at+"[]"], v...)
		for _, inner := range v {
			f.walk(inner, at+"[]", depth+1)
		}
	case string:
		if len(v) > 100 && hasLinkTag.MatchString(v) && !strings.Contains(at, "[]") {
			f.weighMarkup(v, at)
		}
	}
}

// weighMarkup searches for a list in the markup that a response contains.
func (f *jsonFinder) weighMarkup(markup, at string) {
	l, err := readMarkup(markup, f.page, f.src)
	if err != nil || len(l.Items) < minJSONRows {
		return
	}
	n := 0.0
	for _, it := range l.Items {
		n += float64(min(utf8.RuneCountInString(it.Title), 40))
	}
	if n *= float64(len(l.Items)); n > f.markupScore {
		f.markup, f.markupScore = at, n
	}
}

// tally counts the kinds of values of one key.
type tally struct {
	titles, addresses, dates, future, chars int
	texts                                   map[string]bool
}

// undatedCounts is the divisor of the score of an array without dates.
const undatedCounts = 10

// weigh returns the keys of an array's elements that contain title, address and
// date, and a score for the array.
func (f *jsonFinder) weigh(all []any) (found Settings, score float64) {
	keys := make(map[string]*tally)
	elements := 0
	for _, v := range all[:min(len(all), maxSampled)] {
		if m, ok := v.(map[string]any); ok {
			elements++
			f.count(keys, "", m)
		}
	}
	if elements < minJSONRows {
		return found, 0
	}
	title, titles := bestKey(keys, func(name string, t *tally) float64 { return t.asTitle(name, elements) })
	link, links := bestKey(keys, func(name string, t *tally) float64 { return t.asAddress(name, elements) })
	if titles == 0 {
		return found, 0
	}
	t := keys[title]
	score = float64(t.titles) * float64(min(t.chars, 40*t.titles))
	if f.template {
		link = ""
	} else if links == 0 {
		if id, n := bestKey(keys, func(name string, t *tally) float64 { return asID(name, t, elements) }); n > 0 && f.withoutAddress == "" {
			f.withoutAddress = id
		}
		return found, 0
	}
	found = Settings{Title: title, Link: link}
	var dates float64
	if found.Date, dates = bestKey(keys, func(name string, t *tally) float64 { return t.asDate(name, elements) }); dates == 0 {
		score /= undatedCounts // it may be a menu
	}
	return found, score
}

// count examines the values of an element, and those of the objects in it.
func (f *jsonFinder) count(keys map[string]*tally, prefix string, m map[string]any) {
	if f.counted += len(m); len(m) > maxRowKeys || f.counted > maxCounted {
		return
	}
	for name, value := range m {
		if inner, ok := value.(map[string]any); ok && strings.Count(prefix, ".") < maxInner && !strings.ContainsAny(name, ".[]|{}") {
			f.count(keys, prefix+name+".", inner)
			continue
		}
		text := collapse(clip(textOfJSON(value), 2000))
		if text == "" || strings.ContainsAny(name, ".[]|{}") {
			continue
		}
		t := keys[prefix+name]
		if t == nil {
			t = &tally{texts: make(map[string]bool)}
			keys[prefix+name] = t
		}
		t.texts[text] = true
		chars := utf8.RuneCountInString(text)
		w, isDate := when.When{}, false
		if chars <= 40 {
			w, isDate = readJSONDate(text, f.clock)
		}
		switch {
		case isAddress(text):
			t.addresses++
		case isDate:
			if t.dates++; !f.clock.Now.IsZero() && w.Instant(f.clock.Zone).After(f.clock.Now.AddDate(0, 0, 1)) {
				t.future++
			}
		case chars >= minRowTitle && chars <= maxRow && hasLetters(text):
			t.titles++
			t.chars += chars
		}
	}
}

// hasLetters reports whether a text has at least four letters in any script.
func hasLetters(s string) bool {
	n := 0
	for _, r := range s {
		if r >= 0x2E80 || r|0x20 >= 'a' && r|0x20 <= 'z' {
			n++
		}
	}
	return n >= 4 && strings.ContainsFunc(s, func(r rune) bool { return r >= 0x2E80 || r == ' ' })
}

// bestKey returns the key with the highest score; in a tie, the first one alphabetically.
func bestKey(keys map[string]*tally, count func(name string, t *tally) float64) (name string, n float64) {
	for _, key := range slices.Sorted(maps.Keys(keys)) {
		if c := count(key, keys[key]); c > n {
			name, n = key, c
		}
	}
	return name, n
}

// asTitle rates the values of a key as titles: different texts, of the length of a title,
// in most elements. The name of the key counts, too.
func (t *tally) asTitle(name string, elements int) float64 {
	if t.titles*2 < elements {
		return 0
	}
	average := float64(t.chars) / float64(t.titles)
	n := float64(len(t.texts)) / float64(elements) * min(average, 25) * float64(t.titles) / float64(elements)
	if average > 80 {
		n /= 3
	}
	switch short := baseName(name); {
	case slices.Contains(titleNames, short):
		n *= 4
	case strings.Contains(short, "title") && !strings.Contains(short, "sub") || short == "name":
		n *= 3
	case containsAnyOf(short, "content", "summary", "abstract", "desc", "keyword", "intro", "digest", "subtitle", "source", "author", "text"):
		n /= 4
	}
	return n
}

// asAddress rates the values of a key as addresses of articles.
func (t *tally) asAddress(name string, elements int) float64 {
	if t.addresses*2 < elements || len(t.texts)*2 < elements {
		return 0
	}
	n := float64(t.addresses) / float64(elements) * float64(len(t.texts)) / float64(elements)
	switch short := baseName(name); {
	case slices.Contains(addressNames, short):
		n *= 4
	case containsAnyOf(short, "img", "image", "pic", "thumb", "logo", "cover", "icon", "file", "attach", "source", "origin", "mobile", "wap", "qr"):
		n /= 8
	case strings.Contains(short, "url") || strings.Contains(short, "link"):
		n *= 2
	}
	return n
}

// asDate rates the values of a key as publication dates; an element may have
// several dates.
func (t *tally) asDate(name string, elements int) float64 {
	if t.dates*2 < elements {
		return 0
	}
	n := float64(t.dates) / float64(elements)
	if t.future*3 > t.dates {
		n /= 20
	}
	switch short := baseName(name); {
	case slices.Contains(dateNames, short):
		n *= 8
	case containsAnyOf(short, "creat", "update", "modif", "edit", "write", "cwrq", "cwsj", "yxq", "abolish", "expire", "end", "stop", "effect", "sxrq", "ssrq"):
		n /= 8
	case containsAnyOf(short, "publish", "pub", "release", "fb", "issue"):
		n *= 4
	}
	return n
}

// asID rates the values of a key as ids from which an address can be made:
// whether they distinguish the elements.
func asID(name string, t *tally, elements int) float64 {
	switch short := strings.ToLower(name); {
	case len(t.texts) < elements:
		return 0
	case strings.HasSuffix(short, "id"):
		return 1 / float64(len(name))
	case strings.HasSuffix(short, "url") || strings.HasSuffix(short, "path"): // part of an address
		return 0.1 / float64(len(name))
	}
	return 0
}

// Common names, in lower case, of keys for title, address and publication date.
var (
	titleNames   = []string{"title", "name", "topic", "bt", "biaoti", "subject", "headline", "infotitle", "doctitle", "wjmc", "mc", "articletitle"}
	addressNames = []string{"url", "link", "href", "articleurl", "infourl", "docurl", "docpuburl", "lj", "puburl", "publishurl", "linkurl", "pageurl"}
	dateNames    = []string{"pubdate", "publishtime", "publishdate", "publishedtime", "pubtime", "releasetime", "releasedate", "docreltime", "docrelpubtime", "docpubtime", "date", "time", "fbrq", "fbsj", "daytime", "showdate", "deploytime"}
)

// baseName returns the last step of a path, in lower case and without underscores.
func baseName(name string) string {
	return strings.ToLower(strings.ReplaceAll(name[strings.LastIndexByte(name, '.')+1:], "_", ""))
}

func containsAnyOf(s string, words ...string) bool {
	return slices.ContainsFunc(words, func(w string) bool { return strings.Contains(s, w) })
}

// isPictureAddress reports whether an address is that of a picture.
func isPictureAddress(s string) bool {
	path, _, _ := strings.Cut(s, "?")
	switch strings.ToLower(path[strings.LastIndexByte(path, '.')+1:]) {
	case "png", "jpg", "jpeg", "gif", "webp", "svg", "bmp", "ico":
		return true
	}
	return false
}

// isAddress reports whether a value is an address, absolute or on the site.
func isAddress(s string) bool {
	if strings.ContainsAny(s, " \u3000<>") || strings.HasPrefix(s, "/Date(") || strings.HasSuffix(s, ".json") || isPictureAddress(s) {
		return false
	}
	for _, head := range []string{"http://", "https://", "./", "../"} {
		if strings.HasPrefix(s, head) {
			return true
		}
	}
	if strings.HasPrefix(s, "/") && len(s) > 1 {
		return true
	}
	path, _, _ := strings.Cut(s, "?")
	for _, tail := range []string{".html", ".htm", ".shtml", ".jsp", ".aspx", ".jhtml", ".php"} {
		if strings.HasSuffix(strings.ToLower(path), tail) {
			return true
		}
	}
	return false
}
