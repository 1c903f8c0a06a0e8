package subscribers

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"
	"unicode/utf8"

	"dibao/policy/division"
	"dibao/policy/match"
	"dibao/policy/theme"
	"dibao/templates"
)

// profileField is a field of a profile with several values.
type profileField struct {
	name, words string // words is the prefix of the names of its values in the catalog
	values      func(*match.Profile) *[]string
	offered     []string
}

// profileFields are the fields of a profile, with their names on the preference page and in
// the columns of an export (after "profile_").
var profileFields = []profileField{
	{"entities", "entity.", func(p *match.Profile) *[]string { return &p.Entities }, match.Entities},
	{"regions", "", func(p *match.Profile) *[]string { return &p.Regions }, nil},
	{"industries", "industry.", func(p *match.Profile) *[]string { return &p.Industries }, match.Industries},
	{"qualifications", "qualification.", func(p *match.Profile) *[]string { return &p.Qualifications }, match.Qualifications},
	{"topics", "", func(p *match.Profile) *[]string { return &p.Topics }, nil},
}

// NoProfile is an empty profile.
var NoProfile match.Profile

// profileSize is the only field with a single value.
const profileSize = "size"

// SetProfileField sets a field of a profile: entities, regions, industries, size,
// qualifications or topics. Values are codes, their names in Chinese or English, or a
// unique part of the Chinese name; no values clear the field. An error lists the valid
// values.
func SetProfileField(p *match.Profile, field string, values []string) error {
	if field == profileSize {
		p.Size = ""
		if len(values) > 0 && values[0] != "" {
			size, err := coded("sizes", "size.", match.Sizes, values[0])
			if err != nil {
				return err
			}
			p.Size = size
		}
		return p.Check()
	}
	for _, f := range profileFields {
		if f.name != field {
			continue
		}
		var all []string
		for _, v := range values {
			if v = strings.TrimSpace(v); v == "" {
				continue
			}
			v, err := f.code(v)
			if err != nil {
				return err
			}
			if !slices.Contains(all, v) {
				all = append(all, v)
			}
		}
		*f.values(p) = all
		return p.Check()
	}
	return fmt.Errorf("a profile has no field %q", field)
}

// code returns the code of a value of a field.
func (f profileField) code(v string) (string, error) {
	switch f.name {
	case "regions":
		if code := division.Code(v); code != "" {
			return code, nil
		}
		return "", fmt.Errorf("region %q is unknown; specify its code or its name, such as 51 or 四川省", v)
	case "topics":
		if t := theme.Main(v); t != "" {
			return t, nil
		}
		return "", fmt.Errorf("%q is not a known topic of a profile; use one of: %s", v, strings.Join(themesOf(List{}), "；"))
	case "qualifications":
		if code := match.QualificationOf(v); code != "" && strings.Contains(templates.Words("zh", f.words+code), v) { // 专精特新 is part of two names
			return code, nil
		}
	}
	return coded(f.name, f.words, f.offered, v)
}

// coded returns the code of a value given by its code or name.
func coded(field, words string, codes []string, value string) (string, error) {
	var parts, known []string
	for _, code := range codes {
		chinese := templates.Words("zh", words+code)
		if value == code || value == chinese || strings.EqualFold(value, templates.Words("en", words+code)) {
			return code, nil
		}
		if utf8.RuneCountInString(value) > 1 && strings.Contains(chinese, value) {
			parts = append(parts, code)
		}
		known = append(known, code+" ("+chinese+")")
	}
	if len(parts) == 1 {
		return parts[0], nil
	}
	return "", fmt.Errorf("%q is not one of the %s of a profile; use one of: %s", value, field, strings.Join(known, ", "))
}

// ProfileLine is a field of a profile and its values in words.
type ProfileLine struct {
	Title  string
	Values []string
}

// ProfileLines returns the fields of a profile that are set, with the names that the
// preference page uses.
func ProfileLines(p match.Profile, language string) (all []ProfileLine) {
	for _, f := range profileFields {
		line := ProfileLine{Title: templates.Words(language, "profile."+f.name)}
		for _, v := range *f.values(&p) {
			line.Values = append(line.Values, f.said(v, language))
		}
		if len(line.Values) > 0 {
			all = append(all, line)
		}
	}
	if p.Size != "" {
		all = append(all, ProfileLine{templates.Words(language, "profile.size"), []string{templates.Words(language, "size."+p.Size)}})
	}
	return all
}

// said returns a value of a field in words.
func (f profileField) said(v, language string) string {
	switch {
	case f.name == "regions":
		return cmp.Or(division.NameIn(v, language), v)
	case f.name == "topics":
		return theme.NameIn(v, language)
	case f.words != "":
		return templates.Words(language, f.words+v)
	}
	return v
}

// encodeProfile returns a profile as it is stored, "" if it is empty.
func encodeProfile(p match.Profile) string {
	if p.IsZero() {
		return ""
	}
	return toJSON(p)
}

// profileCache caches profiles, by their stored form: a mailing reads each reader twice,
// and many profiles are the same. Callers must not change a profile.
type profileCache struct {
	mu    sync.Mutex
	known map[string]*match.Profile
}

func (c *profileCache) of(stored string) (*match.Profile, error) {
	if stored == "" { // nearly always
		return nil, nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if p, ok := c.known[stored]; ok {
		return p, nil
	}
	p := new(match.Profile)
	if err := json.Unmarshal([]byte(stored), p); err != nil {
		return nil, fmt.Errorf("stored profile: %w", err)
	}
	if c.known == nil || len(c.known) >= maxChoices {
		c.known = make(map[string]*match.Profile)
	}
	c.known[stored] = p
	return p, nil
}

// profiles is shared by all stores of a process, because profiles do not identify readers.
var profiles profileCache

// profileView returns a profile as the preference page shows it.
func profileView(p match.Profile, language string) templates.ProfileForm {
	v := templates.ProfileForm{Open: !p.IsZero()}
	for _, f := range profileFields {
		field := templates.ProfileField{Name: f.name}
		switch f.name {
		case "regions":
			field.Choices = boxes(regionsOf(List{}), full(p.Regions), func(code string) string { return division.NameIn(code, language) })
		case "topics":
			field.Choices = boxes(themesOf(List{}), p.Topics, func(t string) string { return theme.NameIn(t, language) })
		default:
			field.Choices = boxes(f.offered, *f.values(&p), func(code string) string { return templates.Words(language, f.words+code) })
		}
		v.Fields = append(v.Fields, field)
	}
	for _, size := range match.Sizes {
		v.Sizes = append(v.Sizes, templates.Choice{Value: size, Title: templates.Words(language, "size."+size), Chosen: p.Size == size})
	}
	return v
}

// full returns codes of regions with six digits, as the checkboxes have them.
func full(codes []string) (all []string) {
	for _, c := range codes {
		all = append(all, (c + "000000")[:max(6, len(c))])
	}
	return all
}

// profileIn returns the profile in a form.
func profileIn(form map[string][]string) (p match.Profile, err error) {
	for _, f := range profileFields {
		if err = SetProfileField(&p, f.name, form["profile."+f.name]); err != nil {
			return p, err
		}
	}
	if size := form["profile."+profileSize]; len(size) > 0 && size[0] != "" {
		err = SetProfileField(&p, profileSize, size)
	}
	return p, err
}

// profileRecord returns the columns of a profile in an export.
func profileRecord(stored string) ([]string, error) {
	p, err := profiles.of(stored)
	if err != nil {
		return nil, err
	}
	if p == nil {
		p = new(match.Profile)
	}
	return []string{strings.Join(p.Entities, "|"), strings.Join(p.Regions, "|"), strings.Join(p.Industries, "|"), p.Size, strings.Join(p.Qualifications, "|"), strings.Join(p.Topics, "|")}, nil
}
