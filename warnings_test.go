package dibao_test

import (
	"encoding/json"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
)

var (
	warnCall = regexp.MustCompile(`\b(?:warn\.New|\.warn)\("([a-z-]+)"`)
	warnName = regexp.MustCompile(`(?:inFrame|BehindLogin|storedWarning) = "([a-z-]+)"`)
)

// TestWarningsHaveSentences compares the codes of warnings with their sentences in both
// languages.
func TestWarningsHaveSentences(t *testing.T) {
	t.Parallel()
	used := make(map[string]bool)
	eachFile(t, func(_ string, src []byte) {
		for _, m := range append(warnCall.FindAllSubmatch(src, -1), warnName.FindAllSubmatch(src, -1)...) {
			used[string(m[1])] = true
		}
	})
	if len(used) < 30 {
		t.Fatalf("%d codes were found; the test looks for the wrong calls", len(used))
	}
	sentences := make(map[string]map[string]string)
	for _, language := range []string{"zh", "en"} {
		words := make(map[string]string)
		b, err := os.ReadFile("templates/words/warnings." + language + ".json")
		if err == nil {
			err = json.Unmarshal(b, &words)
		}
		if err != nil {
			t.Fatal(err)
		}
		sentences[language] = words
		for code := range used {
			if words["warning."+code]+words["admin.warning."+code] == "" {
				t.Errorf("the warning %s has no sentence in %s", code, language)
			}
		}
		for key := range words {
			if code := strings.TrimPrefix(strings.TrimPrefix(key, "admin."), "warning."); !used[code] {
				t.Errorf("%s is the sentence of no warning", key)
			}
		}
	}
	if zh, en := slices.Sorted(maps.Keys(sentences["zh"])), slices.Sorted(maps.Keys(sentences["en"])); !slices.Equal(zh, en) {
		t.Errorf("the sentences differ by language: %q, %q", zh, en)
	}
}
