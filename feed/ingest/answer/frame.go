package answer

import (
	"cmp"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/net/html"

	"dibao/internal/lazyregexp"
)

// frame is a frame that may contain a page's content.
type frame struct {
	address string
	area    int // in pixels, estimated if unknown
}

// frameSet contains the remaining sizes of the frames of a frameset.
type frameSet struct{ cols, rows []int }

// sizes returns the values of the attribute cols or rows of a frameset, in pixels.
func sizes(list string) (all []int) {
	for part := range strings.SplitSeq(list, ",") {
		all = append(all, pixels(part))
	}
	return all
}

// next returns the size of the next frame of a frameset.
func (f *frameSet) next() (width, height int) {
	take := func(all []int) (int, []int) {
		if len(all) > 1 {
			return all[0], all[1:]
		}
		return all[0], all
	}
	width, f.cols = take(f.cols)
	height, f.rows = take(f.rows)
	return width, height
}

// minFrame is the minimum width and height of a frame that may hold content.
const minFrame = 50

func (s *scan) takeFrame(tag string, attrs map[string]string) {
	width, height := pixels(attrs["width"]), pixels(attrs["height"])
	if tag == "frame" && len(s.sets) > 0 {
		width, height = s.sets[len(s.sets)-1].next()
	}
	style := strings.ReplaceAll(strings.ToLower(attrs["style"]), " ", "")
	if _, hidden := attrs["hidden"]; hidden || strings.Contains(style, "display:none") || strings.Contains(style, "visibility:hidden") || width < minFrame || height < minFrame {
		return
	}
	if name := strings.ToLower(attrs["name"] + " " + attrs["id"]); tag == "frame" && strings.Contains(name, "main") {
		width *= 10 // prefer the main frame of a frameset, whatever its position
	}
	to := cmp.Or(s.resolve(attrs["src"]), s.resolve(attrs["data-src"]), s.resolve(attrs["data-url"]))
	switch {
	case to == "":
		s.hollow = append(s.hollow, frame{area: width * height})
	case s.SameSite(to) && to != s.base.String():
		s.frames = append(s.frames, frame{to, width * height})
	}
}

// pixels returns a width or height in pixels; a value in other units counts as the size of
// a screen.
func pixels(value string) int {
	value = strings.TrimSuffix(strings.ToLower(strings.TrimSpace(value)), "px")
	if n, err := strconv.Atoi(value); err == nil && n >= 0 && n < 10000 {
		return n
	}
	return 600
}

var (
	written = lazyregexp.New(`(?i)<(?:meta\b[^<>]{0,40}http-equiv=\\?['"]?refresh|i?frame\s)[^<>]{0,400}>`)
	setsSrc = lazyregexp.New(`(?i)(?:\.src\s*=|\battr\s*\(\s*['"]src['"]\s*,)\s*['"]([^'"\s<>]{2,200})['"]`)
	notPage = lazyregexp.New(`(?i)\.(?:js|png|jpe?g|gif|svg|ico|css|mp[34]|pdf)(?:\?|$)`)
)

// takeWritten records the frames and refreshes that scripts write into the page, and the
// addresses that scripts assign to frames without one.
func (s *scan) takeWritten() {
	scripts := s.scripts[:min(len(s.scripts), maxRedirect)]
	for _, at := range written.FindAllStringIndex(scripts, maxWritten) {
		if ifMobile.MatchString(scripts[max(0, at[0]-300):at[0]]) {
			continue
		}
		z := html.NewTokenizer(strings.NewReader(strings.ReplaceAll(scripts[at[0]:at[1]], `\`, "")))
		if z.Next() == html.StartTagToken {
			name, more := z.TagName()
			s.takeTag(string(name), attributes(z, more))
		}
	}
	if len(s.hollow) == 0 {
		return
	}
	for _, m := range setsSrc.FindAllStringSubmatch(scripts, maxWritten) {
		if to := s.resolve(m[1]); to != "" && !notPage.MatchString(to) && s.SameSite(to) && to != s.base.String() {
			s.frames = append(s.frames, frame{to, slices.MaxFunc(s.hollow, func(a, b frame) int { return a.area - b.area }).area})
		}
	}
}

// maxWritten is the maximum number of elements written by scripts that are read.
const maxWritten = 8
