package policy

import "testing"

// An interpretation explains the document whose title has the core of the title in its own, or the
// only document with a number that it mentions.
func TestExplained(t *testing.T) {
	t.Parallel()
	for _, row := range []struct{ title, text, explains string }{
		{"《关于加快发展样例经济的若干措施》政策解读", "近日，样例省人民政府办公厅印发《关于加快发展样例经济若干措施的通知》（样政办发〔2026〕7号，以下简称《若干措施》）。", "样政办发〔2026〕7号"},
		{"《样例市托育服务实施方案》解读", "近日，市政府印发《样例市人民政府关于印发样例市托育服务实施方案的通知》（样政发〔2026〕8号）。", "样政发〔2026〕8号"},
		{"样例局负责人就促进样例消费答记者问", "近日，样例局印发了《关于促进样例消费若干措施的通知》（样局发〔2026〕9号），记者采访了样例局负责人。", "样局发〔2026〕9号"},
		{"《样例条例》解读", "样例局此前印发《关于促进样例消费若干措施的通知》（样局发〔2026〕9号），本条例与其衔接。", ""},
		{"样例局负责人就促进样例消费答记者问", "《关于促进样例消费若干措施的通知》（样局发〔2026〕9号）和《关于促进样例就业若干措施的通知》（样局发〔2026〕10号）同日印发。", ""},
		{"样例局关于促进样例消费的通知", "请各单位学习《关于促进样例就业若干措施的通知》（样局发〔2026〕10号）。", ""},
	} {
		u := Understand(Evidence{Title: row.title, Paragraphs: []string{row.text}})
		got := ""
		for _, c := range u.Citations {
			if c.Relation == RelationInterprets && c.Number != "" {
				got += c.Number
			}
		}
		if got != row.explains {
			t.Errorf("%s (%s): explains %q, want %q; %+v", row.title, u.Kind, got, row.explains, u.Citations)
		}
	}
}
