// Package plain cleans text that readers see.
package plain

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// Collapse replaces every run of whitespace, including U+3000 and U+00A0, by
// one space, removes zero-width and bidirectional control characters, and trims
// the ends.
func Collapse(s string) string {
	if isCollapsed(s) {
		return s
	}
	var b strings.Builder
	b.Grow(len(s))
	space := false
	for _, r := range s {
		switch {
		case IsSpace(r):
			space = true
		case isInvisible(r):
		default:
			if space && b.Len() > 0 {
				b.WriteByte(' ')
			}
			space = false
			b.WriteRune(r)
		}
	}
	return b.String()
}

// isCollapsed reports whether there is nothing to do, the common case, so that nothing is
// copied.
func isCollapsed(s string) bool {
	if strings.HasPrefix(s, " ") || strings.HasSuffix(s, " ") || strings.Contains(s, "  ") {
		return false
	}
	return !strings.ContainsFunc(s, func(r rune) bool {
		if r >= ' ' && r < 0x7F || r >= 0x4E00 && r < 0xA000 || r > 0x3000 && r < 0x3100 {
			return false // true for most characters of most texts
		}
		return r != ' ' && IsSpace(r) || isInvisible(r) || r == utf8.RuneError
	})
}

// IsSpace reports whether a character is in the Unicode category Zs or is a
// line or page break.
func IsSpace(r rune) bool {
	return unicode.IsSpace(r) || r == '\u180e'
}

// isInvisible reports whether a character is invisible to readers but makes two texts
// differ: control and format characters, soft hyphens, byte order marks, direction marks.
// The joiners of emoji and of Indic scripts are included.
func isInvisible(r rune) bool {
	return unicode.Is(unicode.Cf, r) || unicode.IsControl(r) && !IsSpace(r)
}

// IsBase64 reports whether a text is entirely in base64; shorter texts may be words.
func IsBase64(s string) bool {
	s = strings.TrimSuffix(strings.TrimSuffix(s, "="), "=")
	return len(s) >= 24 && strings.Trim(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/") == ""
}
