package theme

import (
	"cmp"
	"math"
	"slices"
	"strconv"
	"strings"
	"sync"
	"unicode/utf8"

	"dibao/policy/cut"
)

const (
	usualWeight = 8   // default weight of a word, in tenths
	titleFactor = 3   // a word of the title counts as much as three of the text
	issuerScore = 3   // score of an issuer whose field is one theme
	textFactor  = 0.6 // factor for the score of the text
	textCap     = 16  // maximum score of the text before that factor
	textChars   = 600 // characters of the text that are examined
	textTimes   = 3   // maximum number of times that a word counts in it
	minScore    = 4
	minHits     = 2   // independent hits: a single word does not decide
	minMargin   = 1.4 // ratio of the first theme to the second
	compound    = 4   // characters from which a word counts as a compound of two
	minInText   = 2   // characters of a word that counts in the text
	manyInText  = 4   // this many different words of a theme in the text count as two hits
)

// fields are words in the names of organizations whose field is one theme.
var fields = []struct {
	issuers []string
	theme   string
}{
	{[]string{"民政", "退役军人", "扶贫", "双拥", "残疾人联合"}, "民政、扶贫、救灾"},
	{[]string{"财政", "税务", "审计", "银保监", "银监", "保监", "证监", "人民银行", "金融监管", "外汇", "中国银行"}, "财政、金融、审计"},
	{[]string{"自然资源", "国土", "能源局", "煤矿", "海洋局"}, "国土资源、能源"},
	{[]string{"农业", "林业", "水利", "粮食", "畜牧", "农村厅", "乡村振兴"}, "农业、林业、水利"},
	{[]string{"工业和信息化", "工信", "经信", "交通", "铁路", "民航", "邮政", "烟草", "通信管理"}, "工业、交通"},
	{[]string{"商务", "海关", "贸促"}, "商贸、海关、旅游"},
	{[]string{"市场监管", "市场监督", "质量监督", "药监", "药品监督", "安全监管", "应急管理"}, "市场监管、安全生产监管"},
	{[]string{"住房", "住建", "城乡建设", "生态环境", "环境保护", "气象局", "地震局", "城市管理"}, "城乡建设、环境保护"},
	{[]string{"教育", "科学技术", "科技", "知识产权", "科学院", "科协"}, "科技、教育"},
	{[]string{"文化", "文物", "广播电视", "广电", "新闻出版", "电影局", "档案局"}, "文化、广电、新闻出版"},
	{[]string{"卫生", "中医药", "疾控", "体育", "医疗保障", "医保"}, "卫生、体育"},
	{[]string{"人力资源", "人社", "公务员"}, "劳动、人事、监察"},
	{[]string{"公安", "司法", "法院", "检察院", "移民管理", "律师"}, "公安、安全、司法"},
	{[]string{"发展改革", "发展和改革", "国资委", "国有资产", "统计局"}, "国民经济管理、国有资产监管"},
	{[]string{"外交"}, "对外事务"},
	{[]string{"民族事务", "民委", "宗教"}, "民族、宗教"},
	{[]string{"港澳", "台湾事务", "侨务"}, "港澳台侨工作"},
	{[]string{"国防", "军委"}, "国防"},
	{[]string{"妇女联合"}, "人口与计划生育、妇女儿童工作"},
}

// themeWord is a word and the themes that it indicates.
type themeWord struct {
	word   string
	themes []int
	weight []float64 // weight for each theme
}

// themeWords returns the words of all themes, in lists by their first character, longest
// first: 养老保险 is not 保险. pages contains the indexes of the lists, by the two bytes of that
// character: a map lookup for each character would dominate the cost of a text.
var themeWords = sync.OnceValues(func() (lists [][]themeWord, pages *[256]*[256]uint16) {
	pages = new([256]*[256]uint16)
	words := make(map[string]*themeWord)
	for name, list := range table() {
		for entry := range strings.FieldsSeq(list) {
			w, tenths, _ := strings.Cut(entry, ":")
			if words[w] == nil {
				words[w] = &themeWord{word: w}
			}
			if name == noTheme {
				continue
			}
			weight, err := strconv.Atoi(tenths)
			if err != nil {
				weight = usualWeight
			}
			words[w].themes = append(words[w].themes, slices.Index(Names, name))
			words[w].weight = append(words[w].weight, float64(weight)/10)
		}
	}
	all := make(map[rune][]themeWord)
	for _, w := range words {
		first, _ := utf8.DecodeRuneInString(w.word)
		all[first] = append(all[first], *w)
	}
	for _, list := range all {
		slices.SortFunc(list, func(a, b themeWord) int {
			return cmp.Or(cmp.Compare(len(b.word), len(a.word)), strings.Compare(a.word, b.word))
		})
	}
	lists = make([][]themeWord, 1, len(all)+1)
	for first, list := range all {
		if pages[first>>8] == nil {
			pages[first>>8] = new([256]uint16)
		}
		pages[first>>8][first&0xFF] = uint16(len(lists))
		lists = append(lists, list)
	}
	return lists, pages
})

// themeScore is the evidence for one theme.
type themeScore struct {
	theme   int
	score   float64
	hits    int // independent hits
	inTitle []string
	inText  []string
	text    float64 // score of the text
}

// themeScores are the scores of all themes.
type themeScores []themeScore

// eachWord calls f with each word of s, the longest at each position, and with its number
// of occurrences.
func eachWord(s string, f func(w *themeWord, times int)) {
	lists, pages := themeWords()
	var found []*themeWord
	var times []int
	for at := 0; at < len(s); {
		first, size := utf8.DecodeRuneInString(s[at:])
		var list []themeWord
		if first <= 0xFFFF && pages[first>>8] != nil {
			list = lists[pages[first>>8][first&0xFF]]
		}
		for i := range list {
			if w := &list[i]; strings.HasPrefix(s[at:], w.word) {
				size = len(w.word)
				if n := slices.Index(found, w); n >= 0 {
					times[n]++
				} else if w.themes != nil {
					found, times = append(found, w), append(times, 1)
				}
				break
			}
		}
		at += size
	}
	for i, w := range found {
		f(w, times[i])
	}
}

// ofTitle adds the words of a title: each is a hit, a compound is two.
func (s themeScores) ofTitle(title string) {
	eachWord(title, func(w *themeWord, _ int) {
		n := utf8.RuneCountInString(w.word)
		for i, t := range w.themes {
			s[t].score += titleFactor * float64(n) * w.weight[i]
			s[t].inTitle = append(s[t].inTitle, w.word)
			if s[t].hits++; n >= compound {
				s[t].hits++
			}
		}
	})
}

// fieldOf returns the theme of an organization's field, by the first word of its name that
// has one.
func fieldOf(issuer string) string {
	issuer = strings.ReplaceAll(issuer, "人民政府", "")
	first, at := "", len(issuer)
	for _, f := range fields {
		for _, word := range f.issuers {
			if i := strings.Index(issuer, word); i >= 0 && i < at {
				first, at = f.theme, i
			}
		}
	}
	return first
}

// ofIssuer adds the field of the issuer.
func (s themeScores) ofIssuer(issuer string) {
	field := fieldOf(issuer)
	for i := range s {
		if Names[s[i].theme] == field {
			s[i].score += issuerScore
			s[i].hits++
		}
	}
}

// ofText adds the words at the beginning of the text: together they are one hit, if there
// are two of them or the title has a word of the same theme. Many different ones are two
// hits.
func (s themeScores) ofText(text string) {
	eachWord(text, func(w *themeWord, times int) {
		n := utf8.RuneCountInString(w.word)
		if n < minInText {
			return
		}
		for i, t := range w.themes {
			s[t].text += float64(n) * w.weight[i] * math.Sqrt(float64(min(times, textTimes)))
			s[t].inText = append(s[t].inText, w.word)
		}
	})
	for i := range s {
		s[i].score += textFactor * min(s[i].text, textCap)
		if len(s[i].inText) >= 2 || len(s[i].inText) == 1 && len(s[i].inTitle) > 0 {
			s[i].hits++
		}
		if len(s[i].inText) >= manyInText {
			s[i].hits++
		}
	}
}

// best returns the theme with the highest score; ok says whether it has enough
// evidence and a sufficient lead.
func (s themeScores) best() (first themeScore, ok bool) {
	slices.SortStableFunc(s, func(a, b themeScore) int { return cmp.Compare(b.score, a.score) })
	first = s[0]
	return first, first.score >= minScore && first.hits >= minHits && first.score >= minMargin*s[1].score
}

// from returns the words that decided.
func (s themeScore) from() string {
	var said []string
	if len(s.inTitle) > 0 {
		said = append(said, "标题“"+strings.Join(s.inTitle, "”“")+"”")
	}
	if len(s.inText) > 0 {
		said = append(said, "正文“"+strings.Join(s.inText[:min(len(s.inText), 3)], "”“")+"”")
	}
	return strings.Join(said, "，")
}

// Of returns the theme of a document or article, and the words that decided; "" if there is not
// enough evidence. title is its title without the issuer. The form of the title decides, or else the
// scores of the words of title and text and of the issuer's field.
func Of(title, issuer, text string) (theme, from string) {
	for _, d := range decisive {
		m := d.title.FindString(title)
		if m == "" {
			continue
		}
		if d.answers {
			if strings.HasPrefix(issuer, "国务院") {
				return "", ""
			}
			if fieldOf(issuer) != "" {
				break
			}
		}
		return d.theme, "标题“" + m + "”"
	}
	scores := make(themeScores, len(Names))
	for i := range scores {
		scores[i].theme = i
	}
	scores.ofTitle(title)
	scores.ofIssuer(issuer)
	scores.ofText(cut.First(text, textChars))
	if first, ok := scores.best(); ok {
		return Names[first.theme], first.from()
	}
	return "", ""
}
