package bench

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"dibao/policy"
	"dibao/policy/call"
	"dibao/policy/division"
	"dibao/policy/match"
	"dibao/subscribers"
)

// ComposeFigures are the costs of composing and rendering.
type ComposeFigures struct {
	Readers     int     `json:"readers"`
	Sets        int     `json:"sets"`
	Profiles    int     `json:"profiles"` // number of different profiles; 0 if no reader has a profile
	Articles    int     `json:"articles"`
	Messages    int     `json:"messages"`
	Variants    int     `json:"variants"`
	ComposeCPU  float64 `json:"compose_cpu_s"`
	RenderCPU   float64 `json:"render_cpu_s"`
	CPU         float64 `json:"cpu_s"`
	Wall        float64 `json:"wall_s"`
	CPUEachUS   float64 `json:"cpu_us_per_digest"`
	MessageKB   float64 `json:"message_kb"` // average size
	PeakRSS     float64 `json:"peak_rss_mb"`
	PeakBefore  float64 `json:"peak_before_mb"` // before composing, after the readers were stored
	MatchSecond float64 `json:"match_cpu_s"`    // matching the articles, once
}

// themes and regions occur in the articles; the readers choose among them.
var (
	themes = []string{"国民经济", "财政、金融、审计", "国土资源、能源", "农业、林业、水利", "工业、交通", "商贸、海关、旅游", "市场监管、安全生产",
		"城乡建设、环境保护", "科技、教育", "文化、广电、新闻出版", "卫生、体育", "人口与计划生育", "劳动、人事、监察", "公安、安全、司法", "民政、扶贫、救灾"}
	regions = []string{"11", "12", "31", "32", "33", "34", "35", "36", "37", "41", "42", "43", "44", "45", "50", "51", "53"}
)

// Compose composes an issue for readers with the given numbers of different
// preferences and profiles and renders every reader's message, unsigned. With
// profiles, every other article is a call.
func Compose(ctx context.Context, open Open, readers, sets, profiles, articles int) (ComposeFigures, error) {
	a, done, err := open(ctx, map[string]string{"DIBAO_MAIL_FROM": "dibao@bench.example"})
	if err != nil {
		return ComposeFigures{}, err
	}
	defer done()
	f := ComposeFigures{Readers: readers, Sets: sets, Profiles: profiles, Articles: articles}
	list, err := a.Subscribers.CreateList(ctx, subscribers.List{Slug: "bench", Title: "邸报周刊", MaxItems: max(articles, subscribers.DefaultMaxItems)})
	if err != nil {
		return f, err
	}
	random := rand.New(rand.NewPCG(1, 2))
	if err := a.storeArticles(ctx, random, articles, profiles > 0); err != nil {
		return f, err
	}
	if err := a.storeChoosers(ctx, list.ID, readers, newChoices(random, sets), newProfiles(random, profiles)); err != nil {
		return f, err
	}
	f.PeakBefore = peakRSS()
	start := time.Now()
	if f.MatchSecond, _, err = measure(func() error { return a.Digest.Match(ctx) }); err != nil {
		return f, err
	}
	var mailing int64
	f.ComposeCPU, _, err = measure(func() error {
		made, err := a.Digest.ComposeNow(ctx, []subscribers.List{list})
		mailing = made.Mailing
		return err
	})
	if err != nil {
		return f, err
	}
	bytes := 0
	f.RenderCPU, _, err = measure(func() error {
		return a.Digest.EachMessage(ctx, mailing, a.Subscribers.Keys().MessageIDKey(), func(_ string, message [][]byte) error {
			f.Messages++
			for _, piece := range message {
				bytes += len(piece)
			}
			return nil
		})
	})
	if err != nil {
		return f, err
	}
	f.CPU, f.Wall, f.PeakRSS = f.ComposeCPU+f.RenderCPU, time.Since(start).Seconds(), peakRSS()
	f.CPUEachUS = f.CPU * 1e6 / float64(max(f.Messages, 1))
	f.MessageKB = float64(bytes) / float64(max(f.Messages, 1)) / 1000
	return f, a.DB.Read(ctx, func(tx *sql.Tx) error {
		return tx.QueryRowContext(ctx, `SELECT COUNT(*) FROM variants WHERE mailing = $1`, mailing).Scan(&f.Variants)
	})
}

// storeArticles stores articles dated today, as if a source had published them.
func (a *Node) storeArticles(ctx context.Context, random *rand.Rand, n int, calls bool) error {
	now := time.Now().UTC().Truncate(time.Microsecond)
	return a.DB.Write(ctx, func(tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx, `INSERT INTO sources (id, url, kind, name, next_at, created_at) VALUES (1, 'https://bench.example/', 'feed', '样例网', $1, $1)`, now); err != nil {
			return err
		}
		for i := range n {
			facts, err := json.Marshal(policy.Facts{
				Title: fmt.Sprintf("样例省人民政府关于进一步做好第%d项样例工作的通知", i+1), Kind: policy.KindDocument, Type: "通知", Issuers: []string{"样例省人民政府"},
				DocumentNumber: fmt.Sprintf("样政发〔2026〕%d号", i+1), Theme: themes[random.IntN(len(themes))], Region: regions[random.IntN(len(regions))],
				PublishedOn: policy.DateOf(now), IssuedOn: policy.DateOf(now.AddDate(0, 0, -3)), Level: division.Province,
				Summary: "现就进一步做好样例工作有关事项通知如下：" + strings.Repeat("明确工作目标、重点任务和保障措施，", 4) + "自发布之日起施行。",
			})
			if err != nil {
				return err
			}
			asks := ""
			if calls && i%2 == 0 {
				if asks, err = newCall(random, policy.DateOf(now)); err != nil {
					return err
				}
			}
			if _, err := tx.ExecContext(ctx, `INSERT INTO articles (source, guid, url, title, facts, call, page_state, collected_at, updated_at) VALUES (1, $1, $2, $1, $3, $4, 'complete', $5, $5)`,
				fmt.Sprint(i), fmt.Sprintf("https://bench.example/%d", i), string(facts), asks, now); err != nil {
				return err
			}
		}
		return nil
	})
}

// choice is a reader's choice, in its stored form.
type choice struct{ themes, regions string }

// newChoices returns different preferences, each with about a third of the themes; the
// first has all of them.
func newChoices(random *rand.Rand, n int) []choice {
	all := []choice{{"[]", "[]"}}
	seen := map[choice]bool{all[0]: true}
	pick := func(of []string, least, most int) string {
		some := slices.Clone(of)
		random.Shuffle(len(some), func(i, j int) { some[i], some[j] = some[j], some[i] })
		b, err := json.Marshal(some[:least+random.IntN(most-least+1)])
		if err != nil {
			panic("bench: strings do not marshal: " + err.Error())
		}
		return string(b)
	}
	for len(all) < n {
		c := choice{pick(themes, 3, 5), "[]"}
		if len(all)%2 == 1 {
			c.regions = pick(regions, 11, 16)
		}
		if !seen[c] {
			seen[c] = true
			all = append(all, c)
		}
	}
	return all
}

// storeChoosers stores confirmed readers and assigns the choices and profiles to them
// in turn.
func (a *Node) storeChoosers(ctx context.Context, list int64, n int, choices []choice, profiles []string) error {
	now := time.Now().UTC().Truncate(time.Microsecond)
	const page = 20_000
	for first := 1; first <= n; first += page {
		err := a.DB.Write(ctx, func(tx *sql.Tx) error {
			reader, err := tx.PrepareContext(ctx, `INSERT INTO subscribers (id, address, address_key, profile, created_at) VALUES ($1, $2, $2, $3, $4)`)
			if err != nil {
				return err
			}
			defer reader.Close()
			subscription, err := tx.PrepareContext(ctx, `INSERT INTO subscriptions (subscriber, list, state, themes, regions, created_at, confirmed_at) VALUES ($1, $2, 'confirmed', $3, $4, $5, $5)`)
			if err != nil {
				return err
			}
			defer subscription.Close()
			for id := first; id < min(first+page, n+1); id++ {
				profile := ""
				if len(profiles) > 0 {
					profile = profiles[id%len(profiles)]
				}
				if _, err := reader.ExecContext(ctx, id, fmt.Sprintf("reader%d@bench.example", id), profile, now); err != nil {
					return err
				}
				c := choices[id%len(choices)]
				if _, err := subscription.ExecContext(ctx, id, list, c.themes, c.regions, now); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// newCall returns an invented call with a mix of the conditions that real calls state.
func newCall(random *rand.Rand, today policy.Date) (string, error) {
	one := func(of ...string) string { return of[random.IntN(len(of))] }
	conditions := []string{"一、申报条件"}
	perhaps := func(condition string) {
		if random.IntN(2) == 0 {
			conditions = append(conditions, condition)
		}
	}
	perhaps("在" + division.Name(one(regions...)) + "内注册的" + one("企业", "高校、科研院所", "企业和社会组织", "合作社") + "。")
	perhaps("申报单位应为" + one("高新技术企业", "专精特新中小企业", "科技型中小企业", "创新型中小企业") + "。")
	perhaps("申报单位属于" + one("制造业", "软件和信息技术服务业", "建筑业", "农林牧渔业") + "。")
	perhaps("上年度营业收入2000万元以上，注册满一年的" + one("中小企业", "小微企业", "规模以上工业企业") + "。")
	c, ok := call.Extract("样例省工业和信息化厅关于组织申报样例项目的通知", append(conditions,
		"二、支持标准：按投资额的"+one("10%", "15%", "20%")+"给予补助，最高不超过"+one("100", "200", "500")+"万元。",
		fmt.Sprintf("三、申报单位请于%d年%d月%d日前登录https://apply.bench.example/申报。", today.Year+1, 1+random.IntN(12), 1+random.IntN(28))), today)
	if !ok {
		return "", errors.New("bench: the notice is not a call")
	}
	b, err := json.Marshal(c)
	return string(b), err
}

// newProfiles returns different profiles of readers, in their stored form.
func newProfiles(random *rand.Rand, n int) (all []string) {
	some := func(of []string, most int) []string {
		mixed := slices.Clone(of)
		random.Shuffle(len(mixed), func(i, j int) { mixed[i], mixed[j] = mixed[j], mixed[i] })
		return mixed[:1+random.IntN(most)]
	}
	seen := make(map[string]bool)
	for len(all) < n {
		p := match.Profile{Entities: some(match.Entities, 2), Regions: some(regions, 2), Industries: some(match.Industries, 3), Topics: some(themes, 3)}
		if random.IntN(2) == 0 {
			p.Size, p.Qualifications = some(match.Sizes, 1)[0], some(match.Qualifications, 2)
		}
		b, err := json.Marshal(p)
		if err != nil {
			panic("bench: a profile does not marshal: " + err.Error())
		}
		if !seen[string(b)] {
			seen[string(b)] = true
			all = append(all, string(b))
		}
	}
	return all
}
