package theme

import (
	"strings"
	"testing"
)

// Some words determine a theme, and others don't.
func TestOf(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, title, issuer, text, want string }{
		{"NameOfAPlace", "样例自治县2026年稳岗补贴发放企业名单公示", "", "样例自治县人力资源和社会保障局", "劳动、人事、监察"},
		{"NameOfAGovernment", "关于《样例市政府采购交易系统》维护的通知", "", "各政府采购供应商：系统将维护。", "财政、金融、审计"},
		{"ManyWordsOfTheText", "样例新站今日启用", "", "地铁列车今日进站，换乘客流平稳，行车间隔缩短。", "工业、交通"},
		{"FewWordsOfTheText", "样例新站今日启用", "", "地铁今日进站。", ""},
		{"AnswerOfAGovernment", "对市政协第20260001号提案的答复", "样例市人民政府", "关于医院建设。", "综合政务"},
		{"AnswerOfADepartment", "对市政协第20260001号医疗卫生提案的答复", "样例市卫生健康委员会", "关于医院建设。", "卫生、体育"},
		{"AnswerOfTheStateCouncil", "对全国政协第0001号医院提案的答复", "国务院办公厅", "", ""},
		{"WordInAnother", "样例国华文学子返乡", "", "华文学校的学子回到家乡。", "港澳台侨工作"},
	} {
		if got, from := Of(c.title, c.issuer, c.text); got != c.want {
			t.Errorf("%s: %q by %s, want %q", c.name, got, from, c.want)
		}
	}
}

func TestMainTheme(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{"民政": "民政、扶贫、救灾", `卫生、体育\体育`: "卫生、体育", "国防": "国防", "政": "", "": "", "其他": "", "国民经济": "国民经济管理、国有资产监管", "安全": "公安、安全、司法", "监管": ""} {
		if got := Main(name); got != want {
			t.Errorf("%q: %q, want %q", name, got, want)
		}
	}
}

func TestNamed(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{"民政": "民政、扶贫、救灾", `体育\足球`: `卫生、体育\足球`, "国防": "国防", "养老": "养老", "其他": "其他", "": ""} {
		if got := Named(name); got != want {
			t.Errorf("%q: %q, want %q", name, got, want)
		}
	}
}

// Every theme has an English name, which finds it, as do words that no other has.
func TestEnglish(t *testing.T) {
	t.Parallel()
	for _, name := range Names {
		e := NameIn(name, "en")
		if e == name || Named(e) != name || NameIn(name, "zh") != name {
			t.Errorf("%s is %q in English, which finds %q", name, e, Named(e))
		}
	}
	for name, want := range map[string]string{"finance": "财政、金融、审计", "Civil Affairs": "民政、扶贫、救灾", `health\x`: `卫生、体育\x`, "fin": "fin", "affairs": "affairs", "star": "star"} {
		if got := Named(name); got != want {
			t.Errorf("%q: %q, want %q", name, got, want)
		}
	}
	if got := NameIn(`卫生、体育\体育`, "en"); got != `Health and sport\体育` {
		t.Error(got)
	}
}

// The table contains every theme once, and no word twice for one theme.
func TestWords(t *testing.T) {
	t.Parallel()
	seen := make(map[string]bool)
	for name, list := range table() {
		if seen[name] {
			t.Errorf("%s has two lines", name)
		}
		seen[name] = true
		for entry := range strings.FieldsSeq(list) {
			word, _, _ := strings.Cut(entry, ":")
			if seen[name+" "+word] {
				t.Errorf("%s names %s twice", name, word)
			}
			seen[name+" "+word] = true
		}
	}
	if len(Names) != 21 {
		t.Errorf("%d themes", len(Names))
	}
}
