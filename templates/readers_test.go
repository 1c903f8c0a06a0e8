package templates

import (
	"strings"
	"testing"
)

func TestAddressChangeMail(t *testing.T) {
	for _, language := range []string{"zh", "en"} {
		for _, old := range []bool{true, false} {
			v := AddressChange{Language: language, SiteName: "邸报", Old: old, NewAddress: "new<b>@example.org", ConfirmURL: "https://a.example/change/x", Days: 7}
			markup, err := v.HTML()
			if err != nil {
				t.Fatal(err)
			}
			check(t, language+" mail of a change", markup)
			text, err := v.Text()
			if err != nil || !strings.Contains(text, v.ConfirmURL) || !strings.Contains(text, v.NewAddress) || strings.Contains(text, "change.") || strings.Contains(markup, "<b>") {
				t.Errorf("%s, old %t: %v\n%s", language, old, err, text)
			}
			if s := v.Subject(); !strings.Contains(s, "邸报") {
				t.Errorf("subject %q", s)
			}
		}
	}
}
