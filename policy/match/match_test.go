package match

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"dibao/policy/call"
	"dibao/policy/theme"
)

// parse reads key=a,b pairs.
func parse(t interface{ Fatalf(string, ...any) }, s string) map[string][]string {
	all := make(map[string][]string)
	for part := range strings.FieldsSeq(s) {
		key, value, ok := strings.Cut(part, "=")
		if !ok {
			t.Fatalf("%q has no =", part)
		}
		all[key] = strings.Split(value, ",")
	}
	return all
}

func profileOf(m map[string][]string) Profile {
	return Profile{Entities: m["entity"], Regions: m["region"], Industries: m["industry"], Size: strings.Join(m["size"], ""), Qualifications: m["qualification"], Topics: m["topic"]}
}

func noticeOf(m map[string][]string) Notice {
	said := func(key string) (all []call.Said) {
		for _, v := range m[key] {
			all = append(all, call.Said{Value: v, Evidence: v})
		}
		return all
	}
	n := Notice{Region: strings.Join(m["place"], ""), Theme: strings.Join(m["topic"], "")}
	n.Call.Who = call.Who{Entities: said("entity"), Regions: said("region"), Industries: said("industry"), Sizes: said("size"), Qualifications: said("qualification")}
	n.Call.Who.Unknown = said("unknown")
	for _, v := range m["threshold"] {
		n.Call.Who.Thresholds = append(n.Call.Who.Thresholds, call.Threshold{Text: v})
	}
	return n
}

func brief(all []Condition) string {
	if len(all) == 0 {
		return "-"
	}
	var s []string
	for _, c := range all {
		s = append(s, string(c.Field)+"="+c.Value)
	}
	return strings.Join(s, " ")
}

// TestMatch compares profiles and calls with the conditions that agree, that must be
// checked, and that contradict.
func TestMatch(t *testing.T) {
	t.Parallel()
	b, err := os.ReadFile("testdata/match.tsv")
	if err != nil {
		t.Fatal(err)
	}
	rows := strings.Split(strings.TrimSpace(string(b)), "\n")[1:]
	if len(rows) < 60 {
		t.Fatalf("%d rows", len(rows))
	}
	for i, row := range rows {
		f := strings.Split(row, "\t")
		if len(f) != 5 {
			t.Fatalf("row %d has %d columns, want 5", i+2, len(f))
		}
		for j := range f {
			f[j] = strings.TrimSpace(f[j])
			if f[j] == "-" && j < 2 {
				f[j] = ""
			}
		}
		p := profileOf(parse(t, f[0]))
		if err := p.Check(); err != nil {
			t.Errorf("row %d: %v", i+2, err)
		}
		r := Match(p, noticeOf(parse(t, f[1])))
		if got := [3]string{brief(r.Why), brief(r.Check), brief(r.Contradicts)}; got != [3]string{f[2], f[3], f[4]} {
			t.Errorf("row %d: %s × %s:\n got %q\nwant %q", i+2, f[0], f[1], got, f[2:])
		}
	}
}

var (
	regions        = []string{"51", "510100", "5101", "44", "440300", "33", "330110", "11"}
	statedRegions  = []string{"四川省", "成都市", "广东省", "深圳市", "余杭区", "样例区", "北京市"}
	statedEntities = append(slices.Clone(Entities), "legal-entity", "public")
	statedSizes    = []string{"中小微企业", "小微企业", "中小企业", "规模以上工业企业", "大中型企业", "小型企业", "微型企业", "中型企业", "大型企业", "小型微利企业", "中小型企业"}
	statedQuality  = []string{"高新技术企业", "国家高新技术企业", "专精特新中小企业", "专精特新“小巨人”企业", "科技型中小企业", "样例企业"}
	statedIndustry = []string{"A", "C", "I65", "G59", "K"}
)

func some(t *rapid.T, all []string, name string) []string {
	return rapid.SliceOfNDistinct(rapid.SampledFrom(all), 0, 3, rapid.ID[string]).Draw(t, name)
}

func anyProfile(t *rapid.T) Profile {
	p := Profile{Entities: some(t, Entities, "entities"), Regions: some(t, regions, "regions"), Industries: some(t, Industries, "industries"),
		Qualifications: some(t, Qualifications, "qualifications"), Topics: some(t, []string{theme.Names[0], theme.Names[9]}, "topics")}
	p.Size = rapid.SampledFrom(append([]string{""}, Sizes...)).Draw(t, "size")
	return p
}

func anyNotice(t *rapid.T) Notice {
	return noticeOf(map[string][]string{
		"entity": some(t, statedEntities, "stated entities"), "unknown": some(t, []string{"样例馆", "样例户"}, "unknown"), "region": some(t, statedRegions, "stated regions"), "industry": some(t, statedIndustry, "stated industries"),
		"size": some(t, statedSizes, "stated sizes"), "qualification": some(t, statedQuality, "stated qualifications"), "threshold": some(t, []string{"营业收入2000万元以上", "注册满1年"}, "thresholds"),
		"place": {rapid.SampledFrom([]string{"", "51", "4403", "11"}).Draw(t, "place")}, "topic": {rapid.SampledFrom([]string{"", theme.Names[9]}).Draw(t, "theme")},
	})
}

// A call never fits if none of its values for a field can be the reader's: for entities,
// regions, industries and sizes, defined here independently from the meaning of the words.
func TestContradictionNeverFits(t *testing.T) {
	t.Parallel()
	outside := map[string]string{"51": "四川省 成都市", "44": "广东省 深圳市", "33": "余杭区", "11": "北京市"}
	rapid.Check(t, func(t *rapid.T) {
		p, n := anyProfile(t), anyNotice(t)
		fits := Match(p, n).Fits()
		none := func(what string, stated []call.Said, own []string, never func(own, stated string) bool) {
			if len(stated) == 0 || len(own) == 0 || !fits {
				return
			}
			for _, s := range stated {
				for _, o := range own {
					if !never(o, s.Value) {
						return
					}
				}
			}
			t.Fatalf("%+v fits %+v, though its %s contradicts", p, n.Call.Who, what)
		}
		known := n.Call.Who.Entities
		if len(n.Call.Who.Unknown) > 0 { // an unknown kind may be the reader's
			known = nil
		}
		none("entity", known, p.Entities, func(own, stated string) bool {
			people := []string{"student", "graduate", "individual", "self-employed"}
			return slices.Contains(people, own) && slices.Contains([]string{"university", "institute", "association", "school", "institution", "cooperative", "government"}, stated) ||
				!slices.Contains(people, own) && slices.Contains([]string{"student", "graduate", "individual"}, stated)
		})
		none("region", n.Call.Who.Regions, p.Regions, func(own, stated string) bool {
			for code, names := range outside {
				if slices.Contains(strings.Fields(names), stated) {
					return code != own[:2]
				}
			}
			return false // 样例区 is an unknown region
		})
		none("industry", n.Call.Who.Industries, p.Industries, func(own, stated string) bool { return own[0] != stated[0] })
		if p.Size == "large" {
			none("size", n.Call.Who.Sizes, []string{"large"}, func(_, stated string) bool { return strings.Contains(stated, "小") })
		}
	})
}

// A reader who says less about themselves does not see fewer calls, and every field that a
// call states is listed: as agreeing, or as to be checked.
func TestSayingLessLosesNothing(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		p, n := anyProfile(t), anyNotice(t)
		r := Match(p, n)
		if !r.Fits() {
			return
		}
		for i, without := range []func(*Profile){
			func(p *Profile) { p.Entities = nil }, func(p *Profile) { p.Regions = nil }, func(p *Profile) { p.Industries = nil },
			func(p *Profile) { p.Size = "" }, func(p *Profile) { p.Qualifications = nil }, func(p *Profile) { p.Topics = nil },
		} {
			less := p
			without(&less)
			if !Match(less, n).Fits() {
				t.Fatalf("%+v fits %+v, and without field %d it does not", p, n.Call.Who, i)
			}
		}
		told := fmt.Sprint(r.Why, r.Check)
		if w := n.Call.Who; len(w.Entities)+len(w.Unknown) > 0 && !strings.Contains(told, "{entity ") && !r.IsUnknown() {
			t.Fatalf("those who may apply, %+v, are not told: %s", w, told)
		}
		for f, stated := range map[Field]int{FieldRegion: len(n.Call.Who.Regions), FieldIndustry: len(n.Call.Who.Industries),
			FieldSize: len(n.Call.Who.Sizes), FieldQualification: len(n.Call.Who.Qualifications), FieldThreshold: len(n.Call.Who.Thresholds)} {
			if stated > 0 && !strings.Contains(told, "{"+string(f)+" ") {
				t.Fatalf("%s of %+v is not told: %s", f, n.Call.Who, told)
			}
		}
	})
}

func TestProfilesAreChecked(t *testing.T) {
	t.Parallel()
	for _, p := range []Profile{{Entities: []string{"x"}}, {Regions: []string{"99"}}, {Industries: []string{"Z"}}, {Size: "huge"}, {Qualifications: []string{"x"}}, {Topics: []string{"x"}}, {Regions: slices.Repeat([]string{"51"}, 41)}} {
		if p.Check() == nil || p.IsZero() {
			t.Errorf("%+v is a profile", p)
		}
	}
	if err := (Profile{}).Check(); err != nil || !(Profile{}).IsZero() {
		t.Error(err)
	}
}
