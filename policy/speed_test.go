package policy

import (
	"fmt"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"dibao/internal/trust"
)

// articleOf returns an article of about this many bytes, as dense with dates, numbers and
// names of documents as notices are.
func articleOf(size int) Evidence {
	e := Evidence{
		Title: "样例市人民政府关于印发样例市加快发展社区养老服务实施方案的通知", ListDate: "2026-11-20", URL: "https://www.example.gov.cn/zwgk/202611/t20261120_1.html",
		Labels: []Label{{"td", "发文机关", "样例市人民政府"}, {"td", "成文日期", "2026年11月18日"}, {"td", "发文字号", "样政发〔2026〕12号"}},
		Paragraphs: []string{"各县人民政府：", "为贯彻落实《国务院关于加快发展养老服务业的若干意见》（国发〔2013〕35号）精神，现将《样例市加快发展社区养老服务实施方案》印发给你们，请认真组织实施。",
			"样例市人民政府", "2026年11月18日"},
	}
	total := 0
	for i := 0; total < size; i++ {
		p := []string{
			"一、总体要求。坚持政府主导、社会参与、市场运作，以社区为依托，到2030年，全市每个街道至少建成一个社区养老服务综合体，服务半径不超过一公里。",
			"（一）加强用地保障。根据《城市居住区规划设计标准》的规定，新建住宅小区按每百户不少于二十平方米配套建设养老服务设施，已建成的在2028年12月31日前逐步补足。",
			"民政部门要会同财政、自然资源、住房城乡建设等部门，按照样民发〔2024〕8号文件要求，将社区养老服务纳入年度考核，去年底前出台的政策继续执行，有关资金由市级财政统筹安排。",
			"对符合条件的老年人家庭给予补贴，补贴标准由县级人民政府确定，不得低于每户三千元；申请人应当在收到通知之日起30日内提出书面意见，逾期视为放弃，主管部门不再受理。",
		}[i%4]
		e.Paragraphs = append(e.Paragraphs, fmt.Sprintf("%s（第%d项）", p, i))
		total += len(p)
	}
	e.Paragraphs = append(e.Paragraphs, "本方案自2026年12月20日起施行，有效期5年。《样例市养老服务管理办法》（样政发〔2016〕3号）同时废止。")
	return e
}

// cpuTime returns the CPU time of this process.
func cpuTime() time.Duration {
	var r syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &r); err != nil {
		return 0
	}
	return time.Duration(r.Utime.Nano() + r.Stime.Nano())
}

// BenchmarkUnderstand takes 1 ms of CPU time for an article of 20 kB; on a busy machine,
// elapsed time says less.
func BenchmarkUnderstand(b *testing.B) {
	e := articleOf(20_000)
	b.SetBytes(int64(len(strings.Join(e.Paragraphs, ""))))
	b.ReportAllocs()
	start, n := cpuTime(), 0
	for b.Loop() {
		Understand(e)
		n++
	}
	b.ReportMetric(float64((cpuTime()-start).Microseconds())/float64(n), "µs-cpu/op")
}

// hostile are texts for which careless expressions take quadratic time.
var hostile = []string{"第", "〔", "《", "（", "《（", "自2024年", "第1号", "〔2024〕", "自2024年1月1日", "2024年1月1日至", "自公布之日起", "一、", "（一）", "。", "号", "1", "〔2024〕1号", "贯彻落实", "有效期", "去年", "拟制定", "记者", "截止2024年1月1日前"}

// Twice the hostile text takes about twice the time, and memory of only a few times its
// size.
func TestHostileTextIsLinear(t *testing.T) {
	size := 64 << 10
	if os.Getenv("DIBAO_LONG") != "" {
		size = 1 << 20
	}
	worst := 0.0 // among runs that take long enough to be measured
	grows := func(what string, once, twice time.Duration) {
		if twice > 4*once+200*time.Millisecond {
			t.Errorf("%s: %v, twice as much %v", what, once, twice)
		}
		if once > 50*time.Millisecond {
			worst = max(worst, twice.Seconds()/once.Seconds())
		}
	}
	spent := func(text string) time.Duration {
		start := cpuTime()
		FindNumbers(text)
		Understand(Evidence{Title: text, Paragraphs: []string{text}})
		return cpuTime() - start
	}
	for _, unit := range hostile {
		once := spent(strings.Repeat(unit, size/len(unit)))
		twice := spent(strings.Repeat(unit, 2*size/len(unit)))
		grows(fmt.Sprintf("%d kB of %q", size>>10, unit), once, twice)
		t.Logf("%q: %v, twice %v", unit, once, twice)
	}
	// Many short paragraphs take as many steps.
	for _, unit := range hostile {
		lines := make([]string, size/4/len(unit))
		for i := range lines {
			lines[i] = unit
		}
		start := cpuTime()
		Understand(Evidence{Title: "样例", Paragraphs: lines})
		half := cpuTime() - start
		start = cpuTime()
		Understand(Evidence{Title: "样例", Paragraphs: append(lines, lines...)})
		grows(fmt.Sprintf("%d lines of %q", len(lines), unit), half, cpuTime()-start)
	}
	trust.Report(t, "repeated text, read by package policy", "%.1f times the time for twice the text, at most, of %d units and %d kB", worst, len(hostile), size>>10)
}
