package feed

import (
	"testing"

	"dibao/policy"
)

// A model's summary is stored by the hash of the text. A better rule for our own summary
// must not change the hash, which would cost another request.
func TestTextHash(t *testing.T) {
	t.Parallel()
	f := policy.Facts{Title: "样例", Summary: "甲", Paragraphs: []string{"正文"}}
	g := f
	if g.Summary = "乙"; hashText(f) != hashText(g) {
		t.Error("another summary of the same text makes another text")
	}
	if g.Paragraphs = []string{"正文。"}; hashText(f) == hashText(g) {
		t.Error("another text has the same hash")
	}
	f.Paragraphs, g.Paragraphs = nil, nil
	if hashText(f) == hashText(g) {
		t.Error("where there is no text, the summary of the feed is not in the hash")
	}
}
