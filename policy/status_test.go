package policy

import "testing"

func TestStatusOf(t *testing.T) {
	t.Parallel()
	day := func(s string) Date {
		d, err := ParseDate(s)
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	doc := Facts{Kind: KindDocument, IssuedOn: day("2024-01-10"), EffectiveOn: day("2024-02-01"), ExpiresOn: day("2029-01-31")}
	bare := Facts{Kind: KindDocument, IssuedOn: day("2024-01-10")}
	marked := func(f Facts, marker string) Facts { f.Marker = marker; return f }
	repealed := Event{State: StateRepealed, On: day("2026-05-01"), From: "样政发〔2026〕1号"}
	for _, c := range []struct {
		name   string
		f      Facts
		events []Event
		on     string
		want   State
		since  string
		until  string
	}{
		{"NotYet", doc, nil, "2024-01-31", StateNotYet, "2024-01-10", "2024-01-31"},
		{"FirstDay", doc, nil, "2024-02-01", StateInForce, "2024-02-01", "2029-01-31"},
		{"Day91", doc, nil, "2028-11-01", StateInForce, "2024-02-01", "2029-01-31"},
		{"Day90", doc, nil, "2028-11-02", StateExpiring, "2024-02-01", "2029-01-31"},
		{"LastDay", doc, nil, "2029-01-31", StateExpiring, "2024-02-01", "2029-01-31"},
		{"Over", doc, nil, "2029-02-01", StateExpired, "2029-02-01", ""},
		{"Repealed", doc, []Event{repealed}, "2026-05-01", StateRepealed, "2026-05-01", ""},
		{"RepealKnownBefore", doc, []Event{repealed}, "2026-04-01", StateExpiring, "2024-02-01", "2026-04-30"},
		{"RepealFar", doc, []Event{repealed}, "2025-04-01", StateInForce, "2024-02-01", "2026-04-30"},
		{"RepealedAndGone", doc, []Event{{State: StateWithdrawn, On: day("2026-01-01")}, repealed}, "2026-06-01", StateRepealed, "2026-05-01", ""},
		{"Withdrawn", doc, []Event{{State: StateWithdrawn, On: day("2026-01-01")}}, "2026-06-01", StateWithdrawn, "2026-01-01", ""},
		{"Superseded", bare, []Event{{State: StateSuperseded, On: day("2025-01-01")}}, "2026-06-01", StateSuperseded, "2025-01-01", ""},
		{"Extended", doc, []Event{{State: StateInForce, Until: day("2031-01-31")}}, "2029-06-01", StateInForce, "2024-02-01", "2031-01-31"},
		{"NotStated", bare, nil, "2026-01-01", StateIssued, "2024-01-10", ""},
		{"MarkedValid", marked(bare, "现行有效"), nil, "2026-01-01", StateInForce, "", ""},
		{"MarkedLost", marked(bare, "已失效"), nil, "2026-01-01", StateExpired, "", ""},
		{"MarkedRepealed", marked(doc, "已废止"), nil, "2026-01-01", StateRepealed, "", ""},
		{"MarkedInPart", marked(bare, "部分失效"), nil, "2026-01-01", StateIssued, "2024-01-10", ""},
		{"AmendedLaw", Facts{Kind: KindDocument, FirstEffectiveOn: day("2000-07-01")}, nil, "2026-01-01", StateInForce, "", ""},
		{"Consultation", Facts{Kind: KindConsultation, OpensOn: day("2026-01-02"), DeadlineOn: day("2026-02-01")}, nil, "2026-01-10", StateConsultation, "2026-01-02", "2026-02-01"},
		{"News", Facts{Kind: KindNews}, nil, "2026-01-10", "", "", ""},
	} {
		got := StatusOf(c.f, c.events, day(c.on))
		if got.State != c.want || got.Since.String() != c.since || got.Until.String() != c.until {
			t.Errorf("%s: %s since %q until %q, want %s %q %q", c.name, got.State, got.Since, got.Until, c.want, c.since, c.until)
		}
	}
}
