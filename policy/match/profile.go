package match

import (
	"fmt"
	"slices"
	"strings"

	"dibao/policy/division"
	"dibao/policy/theme"
)

// Profile is what readers state about themselves. Fields can be empty, which means unknown.
type Profile struct {
	Entities       []string `json:"entities,omitempty"`       // enterprise, university, individual and so on
	Regions        []string `json:"regions,omitempty"`        // codes of GB/T 2260
	Industries     []string `json:"industries,omitempty"`     // sections of GB/T 4754-2017
	Size           string   `json:"size,omitempty"`           // micro, small, medium or large
	Qualifications []string `json:"qualifications,omitempty"` // high-tech, specialized and so on
	Topics         []string `json:"topics,omitempty"`         // themes
}

// The values that a profile can contain.
var (
	Entities       = []string{"enterprise", "self-employed", "cooperative", "university", "institute", "institution", "association", "school", "student", "graduate", "individual", "government"}
	Industries     = strings.Split("ABCDEFGHIJKLMNOPQRST", "") // sections of GB/T 4754-2017
	Sizes          = []string{"micro", "small", "medium", "large"}
	Qualifications = []string{"high-tech", "tech-sme", "innovative-sme", "specialized", "little-giant", "champion", "tech-service", "above-scale"}
)

// maxValues limits each field of a profile.
const maxValues = 40

// IsZero reports whether a profile is empty.
func (p Profile) IsZero() bool {
	return len(p.Entities)+len(p.Regions)+len(p.Industries)+len(p.Size)+len(p.Qualifications)+len(p.Topics) == 0
}

// Check returns an error if a value of the profile is invalid.
func (p Profile) Check() error {
	for _, f := range []struct {
		name   string
		values []string
		known  func(string) bool
	}{
		{"entity", p.Entities, among(Entities)},
		{"region", p.Regions, func(v string) bool { return division.Name(v) != "" }},
		{"industry", p.Industries, among(Industries)},
		{"qualification", p.Qualifications, among(Qualifications)},
		{"topic", p.Topics, among(theme.Names)},
	} {
		if len(f.values) > maxValues {
			return fmt.Errorf("a profile has at most %d values of %s", maxValues, f.name)
		}
		for _, v := range f.values {
			if !f.known(v) {
				return fmt.Errorf("%q is not a known %s of a profile", v, f.name)
			}
		}
	}
	if p.Size != "" && !slices.Contains(Sizes, p.Size) {
		return fmt.Errorf("%q is not a known size of a profile", p.Size)
	}
	return nil
}

func among(all []string) func(string) bool {
	return func(v string) bool { return slices.Contains(all, v) }
}

// has reports whether a profile contains a qualification, or one that requires it: a 小巨人 is
// 专精特新 (工信部企业〔2022〕63号).
func (p Profile) has(qualification string) bool {
	return slices.Contains(p.Qualifications, qualification) || qualification == "specialized" && slices.Contains(p.Qualifications, "little-giant")
}

// qualificationWords are the words for qualifications in calls; the first one that a name
// contains counts.
var qualificationWords = []struct{ word, qualification string }{
	{"小巨人", "little-giant"}, {"专精特新", "specialized"}, {"高新技术企业", "high-tech"}, {"科技型中小企业", "tech-sme"},
	{"创新型中小企业", "innovative-sme"}, {"单项冠军", "champion"}, {"技术先进型服务企业", "tech-service"},
}

// QualificationOf returns the qualification that a Chinese name means, "" if it is unknown.
func QualificationOf(name string) string {
	for _, q := range qualificationWords {
		if strings.Contains(name, q.word) {
			return q.qualification
		}
	}
	return ""
}
