package site

import (
	"testing"

	"dibao/policy"
	"dibao/templates"
)

// A last day that a notice moved names the day of the text, and no other fact does.
func TestSayMoved(t *testing.T) {
	t.Parallel()
	for language, want := range map[string]string{"zh": "后续通知，原为2026-12-18", "en": "a later notice; before: 2026-12-18"} {
		facts := []templates.Fact{{Key: "published"}, {Key: "deadline"}}
		sayMoved(facts, language, policy.Date{Year: 2026, Month: 12, Day: 18})
		if facts[0].Provenance != "" || facts[1].Provenance != want {
			t.Errorf("%s: %+v", language, facts)
		}
	}
}
