package policy

import (
	"encoding/csv"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"
)

// fullTexts are the documents of the shared test data as pages that contain only text.
func fullTexts(t *testing.T) map[string]Evidence {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(sharedData(t, "fulltext"), "open.json"))
	if err != nil {
		t.Fatal(err)
	}
	var docs []struct {
		ID    string `json:"idx"`
		Title string
		Link  string
		Body  string
	}
	if err := json.Unmarshal(b, &docs); err != nil || len(docs) == 0 {
		t.Fatalf("%d documents, %v", len(docs), err)
	}
	all := make(map[string]Evidence)
	for _, d := range docs {
		e := Evidence{Title: d.Title, URL: d.Link}
		for line := range strings.SplitSeq(d.Body, "\n") {
			if line = strings.Join(strings.Fields(line), " "); line != "" {
				e.Paragraphs = append(e.Paragraphs, line)
			}
		}
		all[d.ID] = e
	}
	return all
}

// A summary consists of pieces of the text: no word is invented, and the lead has at most
// 120 characters.
func TestSummariesInventNothing(t *testing.T) {
	t.Parallel()
	summaries := 0
	for id, e := range fullTexts(t) {
		f := Understand(e)
		if f.Summary == "" {
			continue
		}
		summaries++
		text := fold(f.Title + "\n" + strings.Join(f.Paragraphs, "\n"))
		pieces := strings.FieldsFunc(fold(f.Summary), func(r rune) bool { return strings.ContainsRune("：；。…", r) })
		for _, p := range pieces {
			for _, verb := range []string{"印发", "转发", "批转", "下发"} {
				p = strings.TrimPrefix(p, verb) // 现将《…》印发给你们 is 印发《…》
			}
			if !strings.Contains(text, p) {
				t.Errorf("%s: %q is not in the text", id, p)
			}
		}
		if n := utf8.RuneCountInString(pieces[0]); n > maxLead {
			t.Errorf("%s: the lead has %d characters", id, n)
		}
	}
	t.Logf("%d summaries", summaries)
	if summaries < 15 {
		t.Errorf("%d summaries", summaries)
	}
}

// Kinds of the 25 full texts: 23 documents and 2 reports.
func TestKindsOfFullTexts(t *testing.T) {
	t.Parallel()
	kinds := make(map[Kind]int)
	for id, e := range fullTexts(t) {
		k := Understand(e).Kind
		kinds[k]++
		if want := map[bool]Kind{true: KindNews, false: KindDocument}[id == "100455" || id == "102676"]; k != want {
			t.Errorf("%s is %s, want %s", id, k, want)
		}
	}
	t.Log(kinds)
}

// Six work reports announce thirteen rules; what they say about the past year is not an
// announcement.
func TestPromisesOfWorkReports(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob(filepath.Join(sharedData(t, "workreports"), "*.csv"))
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	promised := 0
	for _, name := range files {
		b, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		rows, err := csv.NewReader(strings.NewReader(strings.TrimPrefix(string(b), "\ufeff"))).ReadAll()
		if err != nil {
			t.Fatal(err)
		}
		for _, row := range rows[1:] {
			for _, c := range Understand(Evidence{Title: row[2], ListDate: row[4], Paragraphs: strings.Split(row[5], "\n")}).Citations {
				if c.Status == StatusPromised {
					promised++
					t.Log(row[0], c.Title)
				}
			}
		}
	}
	if promised < 12 || promised > 15 {
		t.Errorf("%d promises", promised)
	}
}
