package feed

import (
	"fmt"
	"slices"
	"strings"

	"dibao/policy"
)

// maxQuote limits a quoted sentence, in characters.
const maxQuote = 200

// relations returns the relations that the article's text states.
func (a *batchArticle) relations() []Relation {
	if a.said != nil {
		return a.said
	}
	all := []Relation{}
	for _, c := range a.Facts.Citations {
		r := Relation{
			Article: a.ID, Kind: c.Relation, TargetNumber: c.Number, TargetTitle: c.Title, TargetIssuers: c.Issuers,
			targetName: policy.TitleKey(c.Title),
		}
		if c.Status == policy.StatusPromised {
			r.Kind = RelationPromises
			r.targetHead = head(promisedSubject(c.Title))
		}
		own := r.TargetNumber != "" && r.TargetNumber == a.Facts.DocumentNumber || r.TargetNumber == "" && r.targetName == a.titleKey
		if own || r.TargetNumber == "" && r.targetName == "" ||
			slices.ContainsFunc(all, func(x Relation) bool {
				return x.Kind == r.Kind && x.TargetNumber == r.TargetNumber && x.targetName == r.targetName
			}) {
			continue
		}
		r.SaidIn, r.Quote = a.quote(c)
		all = append(all, r)
	}
	for _, l := range a.Facts.Originals {
		if name := pageName(l.URL); name != "" && name != pageName(a.URL) {
			all = append(all, Relation{Article: a.ID, Kind: policy.RelationInterprets, targetName: name, TargetTitle: l.Text, SaidIn: "text", Quote: l.Text})
		}
	}
	a.said = once(all, func(r Relation) string { return fmt.Sprint(r.Kind, "\n", r.TargetNumber, "\n", r.targetName) })
	return a.said
}

// quote finds the sentence that mentions a document.
func (a *batchArticle) quote(c policy.Citation) (saidIn, sentence string) {
	for _, what := range []string{c.Title, c.Number} {
		if what == "" {
			continue
		}
		if strings.Contains(a.Facts.Title, what) {
			return "title", a.Facts.Title
		}
		for _, p := range a.Facts.Paragraphs {
			at := strings.Index(p, what)
			if at < 0 {
				continue
			}
			from, to := strings.LastIndex(p[:at], "。"), len(p)
			if from >= 0 {
				from += len("。")
			}
			if i := strings.Index(p[at:], "。"); i >= 0 {
				to = at + i + len("。")
			}
			return "text", cutRunes(p[max(from, 0):to], at-max(from, 0))
		}
	}
	return "text", ""
}

// cutRunes returns s, or about maxQuote characters of it around a byte offset.
func cutRunes(s string, at int) string {
	runes := []rune(s)
	if len(runes) <= maxQuote {
		return s
	}
	middle := len([]rune(s[:at]))
	from := max(0, min(middle-maxQuote/3, len(runes)-maxQuote))
	cut := string(runes[from : from+maxQuote])
	if from > 0 {
		cut = "…" + cut
	}
	if from+maxQuote < len(runes) {
		cut += "…"
	}
	return cut
}

// citing is a relation and what is known about the text that states it.
type citing struct {
	Relation
	region   string
	on       policy.Date
	titleKey string
	hidden   bool
}

func (a *batchArticle) citing(r Relation) citing {
	on := a.Facts.IssuedOn
	if on.IsZero() {
		on = a.Facts.PublishedOn
	}
	return citing{Relation: r, region: a.Facts.Region, on: on, titleKey: a.titleKey, hidden: a.Hidden}
}

// resolve returns the known document that a text means; nil if none is known or several are
// possible. It depends only on the documents and the text, so that the order of their
// arrival does not matter.
func (b *batch) resolve(r citing) *candidate {
	var found []*candidate
	if r.TargetNumber != "" {
		for _, c := range b.named[r.TargetNumber] {
			if c.id != r.Document && !(len(r.TargetIssuers) > 0 && len(c.issuers) > 0 && len(b.named[r.TargetNumber]) > 1 && !shareIssuer(c.issuers, r.TargetIssuers)) {
				found = append(found, c)
			}
		}
		found = nearest(found, r.region)
	}
	if len(found) == 0 && r.targetName != "" {
		for _, c := range b.named[r.targetName] {
			switch {
			case c.id == r.Document,
				r.TargetNumber != "" && c.number != "" && !slices.Contains(policy.NumberNames(c.number, c.region), r.TargetNumber),
				len(r.TargetIssuers) > 0 && len(c.issuers) > 0 && !shareIssuer(c.issuers, r.TargetIssuers),
				!strings.HasPrefix(r.region, c.region) && !strings.HasPrefix(c.region, r.region),
				r.Kind != RelationPromises && !r.on.IsZero() && !c.issuedOn.IsZero() && r.on.Before(c.issuedOn),
				r.Kind == RelationPromises && !r.on.IsZero() && (c.issuedOn.IsZero() || c.issuedOn.Before(r.on)):
			default:
				found = append(found, c)
			}
		}
		found = nearest(found, r.region)
	}
	if len(found) == 0 {
		return nil
	}
	if len(found) > 1 { // versions: the one in force when the text was written
		for _, c := range found[1:] {
			if c.work == "" || c.work != found[0].work {
				return nil
			}
		}
		slices.SortFunc(found, func(x, y *candidate) int {
			if c := y.issuedOn.Compare(x.issuedOn); c != 0 {
				return c
			}
			return int(x.id - y.id)
		})
	}
	return found[0]
}

// nearest selects, from documents of several governments, those of the text's region, or
// else of the region above it.
func nearest(all []*candidate, region string) []*candidate {
	if len(all) < 2 {
		return all
	}
	for n := len(region); n >= 0; n -= 2 {
		var near []*candidate
		for _, c := range all {
			if c.region == region[:n] {
				near = append(near, c)
			}
		}
		if len(near) > 0 {
			return near
		}
	}
	return all
}
