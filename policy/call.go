package policy

import (
	"slices"
	"strings"

	"dibao/policy/call"
	"dibao/policy/warn"
)

// CallOf reads what a text and the files attached to it ask of readers; it returns nil if they
// ask for nothing. It also corrects the deadline in f, and adds the warnings of the call.
func CallOf(f *Facts, e Evidence) *call.Call {
	var guides []call.Part
	for _, g := range e.Guides {
		guides = append(guides, call.Part{Name: g.Name, Paragraphs: g.Paragraphs})
	}
	c, ok := call.ExtractGuided(f.Title, partsOf(*f, e), guides, call.MadeOn(f.IssuedOn, f.PublishedOn))
	if !ok {
		return nil
	}
	f.settleDeadline(c)
	f.Warnings = append(f.Warnings, c.Warnings()...)
	return &c
}

// partsOf separates the text of an article from that of the file attached to it.
func partsOf(f Facts, e Evidence) []call.Part {
	at := fileFrom(f, e)
	if at == len(f.Paragraphs) {
		return []call.Part{{Paragraphs: f.Paragraphs}}
	}
	return []call.Part{{Paragraphs: f.Paragraphs[:at]}, {Name: e.File, Paragraphs: f.Paragraphs[at:]}}
}

// fileFrom returns the index of the first paragraph of an article that is from the file attached to
// it; the number of paragraphs if none is.
func fileFrom(f Facts, e Evidence) int {
	at := len(f.Paragraphs) // without the paragraphs of the page around the text
	if e.File == "" || e.FileFrom < 0 || e.FileFrom >= len(e.Paragraphs) {
		return at
	}
	inFile := make(map[string]bool)
	for _, p := range e.Paragraphs[e.FileFrom:] {
		inFile[strings.TrimSpace(p)] = true
	}
	for at > 0 && inFile[f.Paragraphs[at-1]] {
		at--
	}
	return at
}

// placeOf names the place of a quotation, as [Facts] has it in evidence.
func placeOf(inFile bool) string {
	if inFile {
		return "附件"
	}
	return "正文"
}

// settleDeadline removes a deadline that is not for readers. If the text has several last days,
// it sets the one that is, if the call assigns all others to somebody else or withholds them.
func (f *Facts) settleDeadline(c call.Call) {
	if len(f.lastDays) > 0 {
		if own := c.OwnAmong(f.lastDays); !own.Last.IsZero() {
			f.DeadlineOn, f.DeadlineFrom = own.Last, placeOf(own.In != "")+"“"+own.Evidence+"”"
			f.Warnings = slices.DeleteFunc(f.Warnings, func(w warn.Warning) bool { return w.Code == "deadlines-differ" })
		}
		return
	}
	bodies, unclear := c.IsOfOthers(f.DeadlineOn)
	if bodies { // the warnings of the call say which days are unclear
		f.Warnings = append(f.Warnings, warn.New("deadline-of-others", f.DeadlineOn))
	}
	if bodies || unclear {
		f.DeadlineOn, f.DeadlineFrom = Date{}, ""
	}
}
