// Package match compares a reader's profile with the conditions of a call: which conditions
// agree, which contradict, and which the reader has to check. It never decides that a
// reader qualifies: a call whose conditions all agree may have others that the text does
// not state.
package match

import (
	"slices"
	"strings"

	"dibao/policy/call"
	"dibao/policy/division"
	"dibao/policy/theme"
)

// Notice is a call, with other facts about its article.
type Notice struct {
	Call   call.Call
	Region string // region of the issuer (GB/T 2260); "" for central bodies or if unknown
	Theme  string // "" if unknown
}

// Field is the subject of a condition.
type Field string

// The fields of conditions, in the order in which pages and emails list them.
const (
	FieldEntity        Field = "entity"
	FieldUnknown       Field = "unknown"  // those who may apply, in words that are not understood
	FieldRegion        Field = "region"   // where the applicant is registered
	FieldPlace         Field = "place"    // the region of the issuer: a notice of another province does not concern the reader
	FieldIndustry      Field = "industry" // code of GB/T 4754-2017
	FieldSize          Field = "size"
	FieldQualification Field = "qualification"
	FieldThreshold     Field = "threshold"
	FieldTopic         Field = "topic"
)

// Condition is a condition as the call states it.
type Condition struct {
	Field Field  `json:"f"`
	Value string `json:"v"`
}

// Result is the result of comparing a call with a profile. Every field that the
// call states is in one of the lists.
type Result struct {
	Contradicts []Condition `json:"-"`
	Why         []Condition `json:"w,omitempty"` // conditions that agree with the profile
	Check       []Condition `json:"c,omitempty"` // conditions about which the profile says nothing
}

// Fits reports whether nothing in the call contradicts the profile.
func (r Result) Fits() bool { return len(r.Contradicts) == 0 }

// IsUnknown reports whether the call names those who may apply with words that are not understood,
// and no others whom the profile agrees with.
func (r Result) IsUnknown() bool {
	return slices.ContainsFunc(r.Check, func(c Condition) bool { return c.Field == FieldUnknown })
}

// relation says how a value in a call relates to the profile.
type relation int

const (
	against relation = iota
	open
	agrees
)

// Match compares a profile with a notice. An empty field of the profile contradicts
// nothing, so that a reader who says less does not see fewer calls.
func Match(p Profile, n Notice) (r Result) {
	w := n.Call.Who
	unknown := values(w.Unknown)
	r.field(FieldEntity, append(values(w.Entities), unknown...), len(p.Entities) > 0, func(v string) relation {
		if slices.Contains(unknown, v) {
			return open
		}
		return best(p.Entities, func(own string) relation { return entities(own, v) })
	})
	for i, c := range r.Check {
		if slices.Contains(unknown, c.Value) {
			r.Check[i].Field = FieldUnknown
		}
	}
	r.field(FieldRegion, values(w.Regions), len(p.Regions) > 0, func(v string) relation {
		code := regionOf(v, n.Region)
		if code == "" {
			return open
		}
		return best(p.Regions, func(own string) relation { return within(own, code) })
	})
	if n.Region != "" && len(p.Regions) > 0 && len(w.Regions) == 0 {
		r.field(FieldPlace, []string{n.Region}, true, func(v string) relation { return best(p.Regions, func(own string) relation { return within(own, v) }) })
	}
	r.field(FieldIndustry, values(w.Industries), len(p.Industries) > 0, func(v string) relation {
		return best(p.Industries, func(own string) relation { return industries(own, v) })
	})
	r.field(FieldSize, values(w.Sizes), p.Size != "", func(v string) relation { return sizes(p, v) })
	r.qualifications(p, values(w.Qualifications))
	for _, t := range w.Thresholds {
		if c := (Condition{FieldThreshold, t.Text}); !slices.Contains(r.Check, c) { // one clause may have two numbers
			r.Check = append(r.Check, c)
		}
	}
	if n.Theme != "" && slices.ContainsFunc(p.Topics, func(t string) bool { return theme.Matches(t, n.Theme) }) {
		r.Why = append(r.Why, Condition{FieldTopic, n.Theme})
	}
	return r
}

// field compares the values that a call states for a field; one that agrees is enough.
func (r *Result) field(f Field, stated []string, said bool, judge func(string) relation) {
	var agreed, unsure []Condition
	for _, v := range stated {
		c := Condition{f, v}
		switch {
		case !said:
			unsure = append(unsure, c)
		case judge(v) == agrees:
			agreed = append(agreed, c)
		case judge(v) == open:
			unsure = append(unsure, c)
		}
	}
	switch {
	case len(agreed) > 0:
		r.Why = append(r.Why, agreed...)
	case len(unsure) > 0:
		r.Check = append(r.Check, unsure...)
	case len(stated) > 0:
		for _, v := range stated {
			r.Contradicts = append(r.Contradicts, Condition{f, v})
		}
	}
}

// qualifications compares qualifications, which never contradict: nobody lists all that
// they have.
func (r *Result) qualifications(p Profile, stated []string) {
	for _, v := range stated {
		c := Condition{FieldQualification, v}
		if p.has(QualificationOf(v)) {
			r.Why = append(r.Why, c)
		} else {
			r.Check = append(r.Check, c)
		}
	}
}

func best(own []string, judge func(string) relation) (s relation) {
	for _, o := range own {
		s = max(s, judge(o))
	}
	return s
}

func values(all []call.Said) (out []string) {
	for _, s := range all {
		out = append(out, s.Value)
	}
	return out
}

// openTo are, for each kind of reader, the kinds that a call may name without excluding the
// reader, who must check that. (An individual business is not an enterprise by law, but is
// often meant.)
var openTo = map[string]string{
	"enterprise": "legal-entity public", "institution": "legal-entity public university institute school", "university": "institution legal-entity public institute",
	"institute": "institution legal-entity public enterprise", "association": "legal-entity public", "school": "institution legal-entity public",
	"self-employed": "enterprise individual public", "cooperative": "enterprise legal-entity public", "student": "graduate", "graduate": "student",
	"individual": "student graduate self-employed", "government": "institution public",
}

// alsoIs are other kinds that include a kind of reader.
var alsoIs = map[string]string{"student": "individual public", "graduate": "individual public", "individual": "public"}

func entities(own, stated string) relation {
	switch {
	case own == stated, slices.Contains(strings.Fields(alsoIs[own]), stated):
		return agrees
	case slices.Contains(strings.Fields(openTo[own]), stated):
		return open
	}
	return against
}

// regionOf returns the code of a region named in a call, with the help of the issuer's
// region if the name alone is ambiguous.
func regionOf(name, issuer string) string {
	if code := division.Code(name); code != "" {
		return code
	}
	if above := division.Name(issuer); above != "" {
		return division.Code(above + name)
	}
	return ""
}

// within compares a reader's region with one in a call: it may be within it, or contain it.
func within(own, stated string) relation {
	own, stated = division.TrimCode(own), division.TrimCode(stated)
	switch {
	case strings.HasPrefix(own, stated):
		return agrees
	case strings.HasPrefix(stated, own):
		return open
	}
	return against
}

// industries compares a reader's section with a section or division in a call.
func industries(own, stated string) relation {
	switch {
	case own == stated:
		return agrees
	case strings.HasPrefix(stated, own):
		return open
	}
	return against
}

// sizesOf are the sizes that a word means (工信部联企业〔2011〕300号: 中型, 小型 and 微型
// are 中小企业).
func sizesOf(stated string) string {
	switch {
	case strings.HasPrefix(stated, "大中型"):
		return "medium large"
	case strings.HasPrefix(stated, "小微"), strings.HasPrefix(stated, "小型微"):
		return "micro small"
	case strings.HasPrefix(stated, "中小"):
		return "micro small medium"
	case strings.HasPrefix(stated, "微型"):
		return "micro"
	case strings.HasPrefix(stated, "小型"):
		return "small"
	case strings.HasPrefix(stated, "中型"):
		return "medium"
	case strings.HasPrefix(stated, "大型"):
		return "large"
	}
	return ""
}

func sizes(p Profile, stated string) relation {
	all := sizesOf(stated)
	switch {
	case all == "" && strings.HasPrefix(stated, "规模以上") && p.has("above-scale"):
		return agrees
	case all == "": // 规模以上 depends on revenue, which no profile contains
		return open
	case slices.Contains(strings.Fields(all), p.Size):
		return agrees
	}
	return against
}
