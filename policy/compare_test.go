package policy

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"dibao/policy/diff"
	"dibao/policy/same"
)

// lawFacts reads a law of the test data as a page that contains only text.
func lawFacts(t *testing.T, dir, name string) Facts {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(dir, name))
	if err != nil {
		t.Fatal(err)
	}
	e := Evidence{}
	for line := range strings.SplitSeq(string(b), "\n") {
		line = strings.TrimSpace(line)
		switch {
		case line == "" || strings.HasPrefix(line, "<!--"):
		case e.Title == "":
			e.Title = strings.TrimLeft(line, "# ")
		default:
			e.Paragraphs = append(e.Paragraphs, strings.TrimLeft(line, "# "))
		}
	}
	return Understand(e)
}

func sharedData(t *testing.T, path ...string) string {
	t.Helper()
	dir := filepath.Join(append([]string{"..", "..", "shared", "data"}, path...)...)
	if _, err := os.Stat(dir); err != nil {
		t.Skipf("the shared test data are not here: %v", err)
	}
	return dir
}

// Amended versions of a law never have the same text.
func TestCompareVersions(t *testing.T) {
	t.Parallel()
	dir := sharedData(t, "laws")
	b, err := os.ReadFile(filepath.Join(dir, "pairs.tsv"))
	if err != nil {
		t.Fatal(err)
	}
	pairs, merged := 0, 0
	for _, row := range strings.Split(strings.TrimSpace(string(b)), "\n")[1:] {
		old, amended, _ := strings.Cut(strings.TrimSpace(row), "\t")
		s := Compare(lawFacts(t, filepath.Join(dir, "versions"), old), lawFacts(t, filepath.Join(dir, "versions"), amended))
		pairs++
		if s.Same {
			merged++
			t.Logf("%s and %s: %+v", old, amended, s)
			if !strings.Contains(old, "2022-04-04") { // this one is a reprint
				t.Errorf("merged %s and %s: %+v", old, amended, s)
			}
		}
	}
	t.Logf("%d of %d pairs of versions are one text", merged, pairs)
}

// repost returns a text as another site shows it.
func repost(r *rand.Rand, f Facts) Facts {
	out := Facts{Title: f.Title, Paragraphs: []string{
		fmt.Sprintf("发布时间：202%d-0%d-1%d 10:20 来源：样例新闻网 浏览次数：%d 次", r.IntN(6), r.IntN(9)+1, r.IntN(9), r.IntN(9999)),
		"您当前的位置：首页 > 政策法规 > 地方法规 > 正文"}}
	change := strings.NewReplacer("，", ",", "；", ";", "“", "\"", "”", "\"", "（", "(", "）", ")", "　", " ")
	for i, p := range f.Paragraphs {
		if i > 3 && r.IntN(50) == 0 {
			continue // lost
		}
		if r.IntN(2) == 0 {
			p = change.Replace(p)
		}
		if before, after, ok := strings.Cut(p, "。"); ok && after != "" && r.IntN(10) == 0 {
			out.Paragraphs = append(out.Paragraphs, before+"。") // split in two
			p = after
		}
		out.Paragraphs = append(out.Paragraphs, p)
	}
	last := len(out.Paragraphs) - 1
	out.Paragraphs[last] += "（责任编辑：样例）"
	out.Paragraphs = append(out.Paragraphs, "版权声明：本网转载稿件仅为传播信息，如涉及版权问题请与样例新闻网联系，电话见首页。", "上一篇：样例市关于进一步做好有关工作的通知", "扫一扫在手机打开当前页")
	return out
}

// hardRepost returns a repost that differs more: paragraphs are joined, shortened and removed at the end,
// all punctuation is different, the title includes the site's name or lacks its year.
func hardRepost(r *rand.Rand, f Facts) Facts {
	out := Facts{Title: "转载：" + withoutTrailing(f.Title), Paragraphs: []string{"首页 > 法规库 > 正文", "来源：样例法律网 作者：佚名 更新时间：2026-11-02"}}
	change := strings.NewReplacer("，", " ", "。", ".", "；", " ", "、", ",", "“", "", "”", "", "：", ":", "《", "<<", "》", ">>", "（", "[", "）", "]")
	kept := f.Paragraphs[:len(f.Paragraphs)-len(f.Paragraphs)/40]
	for i, p := range kept {
		switch {
		case i > 3 && r.IntN(50) == 0:
			continue
		case i > 3 && r.IntN(30) == 0: // truncated
			runes := []rune(p)
			p = string(runes[:len(runes)*4/5])
		}
		p = change.Replace(p)
		if last := len(out.Paragraphs) - 1; i > 4 && r.IntN(5) == 0 {
			out.Paragraphs[last] += p
			continue
		}
		out.Paragraphs = append(out.Paragraphs, p)
	}
	return Facts{Title: out.Title, Paragraphs: append(out.Paragraphs, "相关法规", "本站声明：以上内容仅供参考，请以官方公布的文本为准。", "Copyright 2026 样例法律网")}
}

// Reposts of a text on other sites are found to be the same, and nothing else is.
func TestCompareReposts(t *testing.T) {
	t.Parallel()
	dir := sharedData(t, "laws", "versions")
	files, err := filepath.Glob(filepath.Join(dir, "*.md"))
	if err != nil {
		t.Fatal(err)
	}
	r := rand.New(rand.NewPCG(1, 2))
	var texts []Facts
	for _, f := range files {
		texts = append(texts, lawFacts(t, dir, filepath.Base(f)))
	}
	pairs, found, sketched := 0, 0, 0
	for _, f := range texts {
		if len(strings.Join(f.Paragraphs, "")) < 3*same.MinText {
			continue // the text is too short
		}
		pairs++
		other := repost(r, f)
		for _, x := range []Facts{other, hardRepost(r, f)} {
			if s := Compare(f, x); s.Same {
				found++
			} else {
				t.Logf("%s: %+v", f.Title, s)
			}
		}
		for _, h := range same.Sketch(f.Paragraphs) {
			if strings.Contains(fmt.Sprint(same.Sketch(other.Paragraphs)), fmt.Sprint(h)) {
				sketched++
				break
			}
		}
	}
	if pairs < 90 || float64(found) < 0.95*2*float64(pairs) || float64(sketched) < 0.99*float64(pairs) {
		t.Errorf("%d of %d reposts are found, %d share a hash", found, 2*pairs, sketched)
	}
	wrong := 0
	prepared := make([]*same.Text, len(texts))
	for i, a := range texts {
		prepared[i] = TextOf(a)
	}
	for i, a := range texts {
		for j, b := range texts[max(0, i-15):i] {
			j += max(0, i-15)
			if a.Title != b.Title && prepared[i].Compare(prepared[j]).Same {
				wrong++
				t.Errorf("%s and %s are one text", a.Title, b.Title)
			}
		}
	}
	t.Logf("%d of %d reposts are found, %d share a hash; %d wrong merges", found, 2*pairs, sketched, wrong)
}

// TestCompareIsBounded tests a former bug: two texts of 2,000 paragraphs each took
// 4,000,000 comparisons of paragraphs. Now the cost grows with what they share, and the
// result for a pair that shares too much is unfinished, not guessed.
func TestCompareIsBounded(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(1, 2))
	text := func(paragraph func(i int) string) Facts {
		f := Facts{Title: "样例市关于养老服务的通知", DocumentNumber: "样政发〔2026〕1号"}
		for i := range 2000 {
			f.Paragraphs = append(f.Paragraphs, paragraph(i))
		}
		return f
	}
	words := func(int) string {
		out := make([]rune, 70)
		for i := range out {
			out[i] = rune(0x4e00 + random.IntN(2000))
		}
		return string(out)
	}
	common := strings.Repeat("为了加强养老服务的监督和管理工作制定本办法", 3)
	different := func(i int) string { return common + words(i)[:60] }
	for _, c := range []struct {
		name       string
		a, b       Facts
		unfinished bool
	}{
		{"nothing in common", text(words), text(words), false},
		{"each paragraph like every other", text(different), text(different), true},
	} {
		x, y := TextOf(c.a), TextOf(c.b)
		s := x.Compare(y)
		if s.Unfinished != c.unfinished || c.unfinished && (s.Same || s.Version) || s.Steps > same.MaxSteps+1<<20 {
			t.Errorf("%s: %+v, %d steps", c.name, s, s.Steps)
		}
		t.Logf("%s: %d steps", c.name, s.Steps)
	}
}

// Between a law and its amended version most paragraphs are unchanged, and rewritten ones
// are shown by their words.
func TestDiffOfLaws(t *testing.T) {
	t.Parallel()
	dir := sharedData(t, "laws")
	b, err := os.ReadFile(filepath.Join(dir, "pairs.tsv"))
	if err != nil {
		t.Fatal(err)
	}
	counts := make(map[byte]int)
	for _, row := range strings.Split(strings.TrimSpace(string(b)), "\n")[1:] {
		old, amended, _ := strings.Cut(strings.TrimSpace(row), "\t")
		for _, c := range diff.Between(lawFacts(t, filepath.Join(dir, "versions"), old).Paragraphs, lawFacts(t, filepath.Join(dir, "versions"), amended).Paragraphs) {
			counts[c.Op]++
		}
	}
	t.Logf("kept %d, rewritten %d, removed %d, added %d", counts[diff.Kept], counts[diff.Rewritten], counts[diff.Removed], counts[diff.Added])
	if all := counts[diff.Kept] + counts[diff.Rewritten]; all == 0 || counts[diff.Removed]+counts[diff.Added] > all {
		t.Errorf("more came and went than stayed: %v", counts)
	}
}

// Short texts are the same only if the whole text, the title and the day are equal.
func TestCompareShortTexts(t *testing.T) {
	t.Parallel()
	short := Facts{Title: "样例市关于公开征求停车管理办法意见的公告", PublishedOn: Date{Year: 2026, Month: 11, Day: 20}, Paragraphs: []string{
		"为规范停车秩序，现就办法草案公开征求意见，请于2026年12月20日前将意见发至邮箱。", "联系电话：00000000"}}
	with := func(change func(*Facts)) Facts {
		f := short
		change(&f)
		return f
	}
	for _, c := range []struct {
		name  string
		other Facts
		same  bool
	}{
		{"again", with(func(f *Facts) {}), true},
		{"with other punctuation", with(func(f *Facts) { f.Paragraphs = []string{strings.Join(short.Paragraphs, "。")} }), true},
		{"on another day", with(func(f *Facts) { f.PublishedOn = Date{Year: 2026, Month: 11, Day: 21} }), false},
		{"without a day", with(func(f *Facts) { f.PublishedOn = Date{} }), false},
		{"under another title", with(func(f *Facts) { f.Title = "样例市关于公开征求绿化管理办法意见的公告" }), false},
		{"with another date in it", with(func(f *Facts) {
			f.Paragraphs = []string{strings.Replace(short.Paragraphs[0], "20日", "21日", 1), short.Paragraphs[1]}
		}), false},
		{"with little text", with(func(f *Facts) { f.Paragraphs = []string{"详见附件。"} }), false},
	} {
		if got := Compare(short, c.other); got.Same != c.same {
			t.Errorf("%s: %+v", c.name, got)
		}
		if c.same && fmt.Sprint(same.Sketch(short.Paragraphs)) != fmt.Sprint(same.Sketch(c.other.Paragraphs)) {
			t.Errorf("%s: the sketches differ", c.name)
		}
	}
	stub := with(func(f *Facts) { f.Paragraphs = []string{"详见附件。"} })
	if Compare(stub, stub).Same || same.Sketch(stub.Paragraphs) != nil {
		t.Error("a text that says nothing is compared")
	}
}
