package bench

import (
	"context"
	"errors"
	"fmt"
	"math/rand"
	"os"
	"slices"
	"strings"
	"time"

	"dibao/feed"
	"dibao/feed/ingest"
	"dibao/feed/search"
	"dibao/policy"
)

// SearchFigures are the results of "bench search"; the keys must not change.
type SearchFigures struct {
	Articles int     `json:"articles"`
	Queries  int     `json:"queries"`
	P50      float64 `json:"p50_ms"`
	P99      float64 `json:"p99_ms"`
	P50CPU   float64 `json:"p50_cpu_ms"` // CPU time of this process, which other programs on the machine don't affect
	P99CPU   float64 `json:"p99_cpu_ms"`
	Slowest  string  `json:"slowest"` // the query that took longest
	Index    float64 `json:"index_s"` // wall time of understanding, storing and indexing all
	Size     float64 `json:"size_mb"` // size of the database
}

// batch is the number of articles that are stored in one transaction.
const batch = 500

// Search times rare and common queries over generated articles that consist of
// real words.
func Search(ctx context.Context, open Open, articles, queries int) (SearchFigures, error) {
	out := SearchFigures{Articles: articles, Queries: queries}
	a, closeApp, err := open(ctx, map[string]string{})
	if err != nil {
		return out, err
	}
	defer closeApp()
	corpus := newTexts()
	if out.Index, err = corpus.store(ctx, a, articles); err != nil {
		return out, err
	}
	if out.Size, err = a.DB.Megabytes(ctx); err != nil {
		return out, err
	}
	took, used := make([]float64, 0, queries), make([]float64, 0, queries)
	slowest := 0.0
	for i := range queries {
		q := corpus.query(i)
		begin, cpu := time.Now(), cpuTime()
		found, err := a.Articles.Search(ctx, search.Query{Text: q, Facets: true})
		ms := float64(time.Since(begin).Microseconds()) / 1000
		if err != nil {
			return out, err
		}
		if os.Getenv("DIBAO_BENCH_VERBOSE") != "" {
			fmt.Fprintf(os.Stderr, "%6.1f ms %6d %s\n", ms, found.Total, q)
		}
		used = append(used, float64((cpuTime()-cpu).Microseconds())/1000)
		if took = append(took, ms); ms > slowest {
			slowest, out.Slowest = ms, fmt.Sprintf("%s (%.1f ms)", q, ms)
		}
	}
	slices.Sort(took)
	slices.Sort(used)
	out.P50, out.P99 = took[len(took)/2], took[len(took)*99/100]
	out.P50CPU, out.P99CPU = used[len(used)/2], used[len(used)*99/100]
	return out, nil
}

// store stores the first n articles and returns how long that took. Articles
// that a given database contains from an earlier run are not stored again.
func (t *texts) store(ctx context.Context, a *Node, n int) (seconds float64, err error) {
	if newest, err := a.Articles.Articles(ctx, feed.Selection{Limit: 1}); err != nil || len(newest) > 0 && newest[0].ID >= int64(n) {
		return 0, errors.Join(err, a.Articles.Index.Tidy(ctx, true))
	}
	src, err := a.Articles.AddSource(ctx, feed.Source{URL: "http://bench.example/list", Kind: "page", Name: "样例公报", Licence: feed.LicenceOfficial})
	if err != nil {
		return 0, err
	}
	begin := time.Now()
	for from := 0; from < n; from += batch {
		var items []ingest.Item
		for i := min(from+batch, n) - 1; i >= from; i-- {
			items = append(items, t.item(i))
		}
		if _, err := a.Collector.Add(ctx, src.ID, items); err != nil {
			return 0, err
		}
	}
	err = a.Articles.Index.Tidy(ctx, true)
	return time.Since(begin).Seconds(), err
}

// texts generates articles with a realistic distribution of words: some are in nearly
// every text, most in only a few.
type texts struct {
	words []string
}

const commonWords = `养老 就业 教育 医疗 药品 食品 环境 土地 住房 财政 税收 金融 信用 交通 公路 铁路 港口 邮政 农业 粮食 生猪 森林 草原 防汛 水利 电力 煤炭 天然气
	旅游 文化 文物 出版 体育 健康 疫情 生育 妇女 儿童 残疾人 低保 救灾 社区 行政区划 扶贫 民族 宗教 外事 侨务 港澳 国防 征兵 公安 禁毒 普法 司法 人才 工资 社会保险 编制
	统计 价格 国有企业 自由贸易 开发区 外贸 口岸 电子商务 消费 质量 安全生产 专利 科技 学校 职业教育 高等教育 幼儿园 信息化 大数据 人工智能 新能源汽车 充电 光伏
	营商环境 政务公开 政务服务 行政许可 应急预案 督查 信访 保密 档案 标准化 知识产权 乡村振兴 城镇化 老旧小区 物业 燃气 供水 垃圾 污水 大气 噪声 土壤 湿地 河长 气象 地震`

var issuers = []string{"国务院", "国务院办公厅", "民政部", "财政部", "教育部", "四川省人民政府", "四川省人民政府办公厅", "广东省人民政府", "云南省人民政府", "上海市人民政府", "重庆市人民政府", "成都市人民政府"}

func newTexts() *texts {
	t := &texts{words: strings.Fields(commonWords)}
	random := rand.New(rand.NewSource(1))
	for len(t.words) < 6000 { // names of places, programs, products: rare words
		a, b := rune(0x4e00+random.Intn(6000)), rune(0x4e00+random.Intn(6000))
		t.words = append(t.words, string([]rune{a, b}))
	}
	return t
}

// random returns the source of random numbers for the nth article or query: the same on
// every run.
func (t *texts) random(n int) (*rand.Rand, *rand.Zipf) {
	random := rand.New(rand.NewSource(int64(n) + 100))
	return random, rand.NewZipf(random, 1.15, 12, uint64(len(t.words)-1))
}

func (t *texts) item(n int) ingest.Item {
	random, zipf := t.random(n)
	word := func() string { return t.words[zipf.Uint64()] }
	issuer := issuers[random.Intn(len(issuers))]
	form := [...]string{"通知", "通知", "通知", "意见", "办法", "批复", "决定"}[random.Intn(7)]
	title := fmt.Sprintf("%s关于加强%s%s工作的%s", issuer, word(), word(), form)
	day := time.Date(2026, 11, 20, 0, 0, 0, 0, time.UTC).AddDate(0, 0, -random.Intn(5000))
	series := [...]string{"发", "办发", "函", "办函"}[n/90_000%4] // document numbers have at most five digits
	number := fmt.Sprintf("样政%s〔%d〕%d号", series, day.Year(), n%90_000+1)
	paragraphs := []string{number, "各市、县人民政府，各有关部门和单位："}
	for range 6 + random.Intn(6) {
		var b strings.Builder
		fmt.Fprintf(&b, "要按照有关规定，认真做好%s，着力推进%s与%s，", word(), word(), word())
		for range 8 + random.Intn(8) {
			b.WriteString(word())
			b.WriteString([]string{"、", "和", "，", "的", "工作"}[random.Intn(5)])
		}
		b.WriteString("确保各项任务落到实处。")
		paragraphs = append(paragraphs, b.String())
	}
	on := day.Format(time.DateOnly)
	return ingest.Item{GUID: fmt.Sprint(n), URL: fmt.Sprintf("http://bench.example/%d.html", n), Title: title, Evidence: policy.Evidence{
		URL: fmt.Sprintf("http://bench.example/%d.html", n), Title: title, Paragraphs: paragraphs,
		Labels: []policy.Label{{Element: "td", Name: "发布日期", Value: on}, {Element: "td", Name: "成文日期", Value: on}},
	}}
}

// query returns the nth query: one word, common or rare; several words; a phrase; a number;
// one character; fields.
func (t *texts) query(n int) string {
	random, zipf := t.random(-n - 1)
	word := func() string { return t.words[zipf.Uint64()] }
	switch n % 12 {
	case 0:
		return [...]string{"通知", "工作", "关于", "人民政府", "落到实处", "各项任务", "有关部门", "认真做好", "意见", "办法"}[n/12%10]
	case 1:
		return string([]rune(word())[:1])
	case 2:
		return word() + " " + word()
	case 3:
		return "着力推进" + word()
	case 4:
		return fmt.Sprintf("样政发〔%d〕%d号", 2013+random.Intn(14), 1+random.Intn(100_000))
	case 5:
		return word() + " region:四川 after:2020-03-01"
	case 6:
		return word() + " issuer:民政部 -" + word()
	case 7:
		return "加强" + word() + word()
	case 8:
		return word() + " kind:document type:意见 year:2024"
	case 9:
		return word() + " OR " + word()
	case 10:
		return t.words[200+random.Intn(len(t.words)-200)]
	}
	return word()
}
