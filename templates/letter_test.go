package templates

import (
	"strings"
	"testing"
)

// letters returns all emails that are not digests, by kind.
func letters(language, hostile string) map[string]func() (Mail, error) {
	return map[string]func() (Mail, error){
		"confirmation": Confirmation{Language: language, SiteName: "邸报", Lists: []string{"周刊", hostile}, ConfirmURL: "https://a.example/confirm/x", Days: 7}.Mail,
		"change, old":  AddressChange{Language: language, SiteName: "邸报", Old: true, NewAddress: hostile, ConfirmURL: "https://a.example/confirm/x", Hours: 24}.Mail,
		"change, new":  AddressChange{Language: language, SiteName: "邸报", NewAddress: hostile, ConfirmURL: "https://a.example/confirm/x", Hours: 24}.Mail,
		"delete":       ReaderLink{Language: language, SiteName: "邸报", Key: "delete", URL: "https://a.example/delete/x", Hours: 24}.Mail,
		"data":         ReaderLink{Language: language, SiteName: "邸报", Key: "data", URL: "https://a.example/data/x", Hours: 24}.Mail,
		"link":         ReaderLink{Language: language, SiteName: "邸报", Key: "link", URL: "https://a.example/preferences/x"}.Mail,
		"notice": Letter{
			Language: language, SiteName: "邸报", Title: hostile, Preheader: hostile, Lead: hostile, Rows: []LetterRow{{Name: "Sent", Value: hostile}, {Name: hostile, Value: "2"}},
			Commands: []string{hostile}, Remarks: []string{hostile},
		}.Mail,
		"bare": Letter{Language: language, SiteName: "邸报", Title: "标题 " + hostile}.Mail,
	}
}

// The letters are valid in mail programs as the digest is, whatever they contain.
func TestLettersHoldInMailPrograms(t *testing.T) {
	for _, language := range []string{"zh", "en"} {
		for _, text := range []string{"样例〔2026〕12号", hostileText} {
			for name, write := range letters(language, text) {
				m, err := write()
				if err != nil {
					t.Fatal(err)
				}
				name = language + " " + name
				check(t, name, m.HTML)
				if text != hostileText {
					lint(t, name, m.HTML)
				}
				if strings.Contains(m.Text, "&lt;") || strings.Contains(m.Text, "<td") || !strings.Contains(m.Text, "邸报") {
					t.Errorf("%s: the text part is not as it should be:\n%s", name, m.Text)
				}
				if !strings.Contains(name, "bare") && !strings.Contains(name, "notice") {
					for part, s := range map[string]string{"text": m.Text, "HTML": m.HTML} {
						until := map[bool]string{true: "7", false: "24"}[strings.Contains(name, "confirmation")]
						if !strings.Contains(s, "https://a.example/") || !strings.Contains(s, until) && !strings.Contains(name, "link") {
							t.Errorf("%s: the %s part does not say where to confirm, or until when", name, part)
						}
					}
				}
			}
		}
		for _, subject := range []string{Confirmation{Language: language, SiteName: "邸报"}.Subject(), AddressChange{Language: language, SiteName: "邸报"}.Subject(), ReaderLink{Language: language, SiteName: "邸报", Key: "delete"}.Subject()} {
			if !strings.Contains(subject, "邸报") {
				t.Errorf("subject %q", subject)
			}
		}
	}
}
