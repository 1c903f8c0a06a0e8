package mailaddr

import (
	"errors"
	"net/mail"
	"strings"
	"testing"
	"unicode"
)

func TestParseAddress(t *testing.T) {
	long := strings.Repeat("a", 60)
	for name, c := range map[string]struct{ typed, want string }{
		"Plain":                      {"reader@example.org", "reader@example.org"},
		"SpacesAround":               {"  reader@example.org\t\r\n", "reader@example.org"},
		"DomainInSmallLetters":       {"Reader@EXAMPLE.Org", "Reader@example.org"},
		"TagIsKept":                  {"reader+policy@example.org", "reader+policy@example.org"},
		"DisplayNameIsDropped":       {`"读者" <reader@example.org>`, "reader@example.org"},
		"IDNBecomesPunycode":         {"reader@例子.中国", "reader@xn--fsqu00a.xn--fiqs8s"},
		"FullWidthLetters":           {"ｒｅａｄｅｒ＠example．org", "reader@example.org"},
		"ChineseFullStop":            {"reader@例子。中国", "reader@xn--fsqu00a.xn--fiqs8s"},
		"LocalPartInChinese":         {"读者@example.org", "读者@example.org"},
		"Apostrophe":                 {"o'reader@example.org", "o'reader@example.org"},
		"LocalPartOf64":              {long + "abcd@example.org", long + "abcd@example.org"},
		"NumericLabelNotAtEnd":       {"123456@163.com", "123456@163.com"},
		"UnneededQuotesAreTakenOff":  {`"reader"@example.org`, "reader@example.org"},
		"Empty":                      {"", ""},
		"NoAt":                       {"reader.example.org", ""},
		"NoDomain":                   {"reader@", ""},
		"NoLocalPart":                {"@example.org", ""},
		"NoDot":                      {"reader@localhost", ""},
		"DotAtEnd":                   {"reader@example.org.", ""},
		"Literal":                    {"reader@[192.0.2.1]", ""},
		"IPAddress":                  {"reader@192.0.2.1", ""},
		"Two":                        {"a@example.org, b@example.org", ""},
		"Group":                      {"all: a@example.org;", ""},
		"LineBreak":                  {"reader@example.org\r\nBcc: all@example.org", ""},
		"BareCR":                     {"read\rer@example.org", ""},
		"NUL":                        {"reader\x00@example.org", ""},
		"LineBreakInsideName":        {"\"a\nb\" <reader@example.org>", ""},
		"ZeroWidthSpace":             {"read\u200ber@example.org", ""},
		"NotUTF8":                    {"read\xffer@example.org", ""},
		"QuotedSpace":                {`"a b"@example.org`, ""},
		"QuotedAt":                   {`"a@b"@example.org`, ""},
		"QuotedDots":                 {`"a..b"@example.org`, ""},
		"TwoDots":                    {"a..b@example.org", ""},
		"Comment":                    {"reader(me)@example.org", ""},
		"LocalPartOf65":              {long + "abcde@example.org", ""},
		"LongerThan254":              {"a@" + strings.Repeat(long+".", 5) + "org", ""},
		"HyphenAtTheEdgeOfTheDomain": {"reader@-example.org", ""},
		"UnderscoreInTheDomain":      {"reader@exa_mple.org", ""},
		"Megabyte":                   {strings.Repeat("a", 1<<20) + "@example.org", ""},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := Parse(c.typed)
			if got != c.want {
				t.Errorf("Parse(%.80q) = %q, %v; want %q", c.typed, got, err, c.want)
			}
			if (c.want == "") != errors.Is(err, ErrInvalid) {
				t.Errorf("Parse(%.80q): error %v; ErrInvalid wanted: %v", c.typed, err, c.want == "")
			}
			if err != nil && strings.ContainsAny(err.Error(), "\r\n\x00") {
				t.Errorf("Parse(%.80q): the error is not one line: %q", c.typed, err)
			}
		})
	}
}

func TestAddressKeyTellsTagsApartAndNotCase(t *testing.T) {
	if Key("Reader@example.org") != Key("rEADER@example.org") {
		t.Error("case tells two readers apart")
	}
	if Key("reader@example.org") == Key("reader+a@example.org") {
		t.Error("a tag does not tell two readers apart")
	}
}

// An accepted address stays the same when parsed again, is valid in SMTP, and can't break a header.
func FuzzParseAddress(f *testing.F) {
	for _, s := range []string{"reader@example.org", `"读者" <reader@example.org>`, "读者@例子.中国", `"a b"@example.org`, "a@b.c\r\nd", "＠", "a@[::1]"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, typed string) {
		got, err := Parse(typed)
		if err != nil {
			if got != "" || !errors.Is(err, ErrInvalid) {
				t.Fatalf("ParseAddress(%q) = %q, %v", typed, got, err)
			}
			return
		}
		if len(got) > maxAddress || strings.ContainsFunc(got, func(r rune) bool { return unicode.IsControl(r) || unicode.IsSpace(r) }) {
			t.Errorf("ParseAddress(%q) = %q: too long, or with spaces or control characters", typed, got)
		}
		if again, err := Parse(got); err != nil || again != got {
			t.Errorf("ParseAddress(%q) = %q, and of that %q, %v", typed, got, again, err)
		}
		if a, err := mail.ParseAddress(got); err != nil || a.Address != got {
			t.Errorf("ParseAddress(%q) = %q, which net/mail reads as %v, %v", typed, got, a, err)
		}
	})
}

// The displayed form of an address has the domain in its own letters, and is parsed as the
// same address.
func TestReadable(t *testing.T) {
	t.Parallel()
	for address, want := range map[string]string{
		"li@xn--fsqu00a.example": "li@例子.example", "reader@example.org": "reader@example.org", "a@xn--a.example": "a@xn--a.example",
	} {
		got := Readable(address)
		if got != want {
			t.Errorf("%s: got %s, want %s", address, got, want)
		}
		if back, err := Parse(got); got != address && (err != nil || back != address) {
			t.Errorf("%s reads back as %s (%v)", got, back, err)
		}
	}
}
