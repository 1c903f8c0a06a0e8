package digest_test

import (
	"crypto/sha256"
	"database/sql"
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	"dibao/digest"
	"dibao/internal/database"
	"dibao/internal/database/databasetest"
	"dibao/policy"
	"dibao/policy/division"
	"dibao/subscribers"
)

// sampleArticle is an article as a source would have provided it.
type sampleArticle struct {
	policy.Facts
	source     int64 // 0 means the first source
	held       bool
	pinned     bool
	paragraphs []string // nil means a text of its own
}

// put stores articles that are collected now, and the data derived from them: documents,
// relations, clusters. It returns their ids.
func (w *world) put(papers ...sampleArticle) []int64 {
	w.t.Helper()
	ids := w.putAlone(papers...)
	must[int](w.t)(w.articles.Rebuild(w.t.Context()))
	return ids
}

// putAlone stores articles without the data that put derives from them.
func (w *world) putAlone(papers ...sampleArticle) []int64 {
	w.t.Helper()
	ids := make([]int64, len(papers))
	at := w.now().UTC()
	err := w.db.Write(w.t.Context(), func(tx *sql.Tx) error {
		for source, name := range map[int64]string{1: "样例省人民政府", 2: "样例新闻网", 3: "样例市人民政府", 4: "样例日报"} {
			if _, err := tx.ExecContext(w.t.Context(), `INSERT INTO sources (id, url, kind, name, next_at, created_at) VALUES ($1, $2, 'feed', $3, $4, $4) ON CONFLICT DO NOTHING`,
				source, fmt.Sprintf("https://s%d.example/", source), name, at); err != nil {
				return err
			}
		}
		for i, p := range papers {
			w.serial++
			if p.PublishedOn.IsZero() {
				p.PublishedOn = policy.DateOf(w.now())
			}
			text := p.paragraphs
			if text == nil {
				text = []string{fmt.Sprintf("第%d号样例正文。", w.serial), p.Summary}
			}
			facts, err := json.Marshal(p.Facts)
			if err != nil {
				return err
			}
			paragraphs, err := json.Marshal(text)
			if err != nil {
				return err
			}
			source := max(p.source, 1)
			err = tx.QueryRowContext(w.t.Context(), `
				INSERT INTO articles (source, guid, url, title, facts, paragraphs, page_state, held, pinned, effective_on, expires_on, collected_at, updated_at,
					text_hash, document_number, issued_on, published_on)
				VALUES ($1, $2, $3, $4, $5, $6, 'complete', $7, $8, $9, $10, $11, $11, $12, $13, $14, $15) RETURNING id`,
				source, fmt.Sprint(w.serial), fmt.Sprintf("https://s%d.example/zwgk/%d.html", source, w.serial), p.Title, string(facts), string(paragraphs),
				map[bool]int{true: 1}[p.held], map[bool]int{true: 1}[p.pinned],
				p.EffectiveOn.String(), p.ExpiresOn.String(), at,
				fmt.Sprintf("%x", sha256.Sum256([]byte(p.Title+string(paragraphs)))), p.DocumentNumber, p.IssuedOn.String(), p.PublishedOn.String()).Scan(&ids[i])
			if err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return ids
}

// on parses a date.
func on(t testing.TB, s string) policy.Date {
	t.Helper()
	return must[policy.Date](t)(policy.ParseDate(s))
}

// document returns the facts of an official text.
func document(title, number, issuer string, level division.Level, more ...func(*policy.Facts)) policy.Facts {
	f := policy.Facts{Title: title, DocumentNumber: number, Issuers: strings.Split(issuer, "、"), Kind: policy.KindDocument, Level: level, Region: "51"}
	f.Type = "通知"
	for _, t := range []string{"条例", "办法", "决定", "意见", "批复", "规定"} {
		if strings.HasSuffix(title, t) {
			f.Type = t
		}
	}
	for _, change := range more {
		change(&f)
	}
	return f
}

func summary(s string) func(*policy.Facts) { return func(f *policy.Facts) { f.Summary = s } }
func theme(s string) func(*policy.Facts)   { return func(f *policy.Facts) { f.Theme = s } }
func cites(relation, title, number string) func(*policy.Facts) {
	return func(f *policy.Facts) {
		f.Citations = append(f.Citations, policy.Citation{Title: title, Number: number, Relation: relation, Status: "issued"})
	}
}

// gazette composes issue 2 of a list with one of everything that an email can show; issue 1
// contained what returns in it. Today is Monday, 2026-11-23.
func (w *world) gazette(language string) (subscribers.List, digest.Issue) {
	t := w.t
	w.at = time.Date(2026, 11, 12, 10, 0, 0, 0, shanghai)
	title := map[string]string{"zh": "民政周报", "en": "Civil Affairs Weekly"}[language]
	l := must[subscribers.List](t)(w.readers.CreateList(t.Context(), subscribers.List{
		Slug: "weekly", Title: title, Language: language, Query: subscribers.Query{None: []string{"招标"}},
	}))
	w.reader("a", l)
	published, deadline, effective, expires := func(s string) func(*policy.Facts) { return func(f *policy.Facts) { f.PublishedOn = on(t, s) } },
		func(s string) func(*policy.Facts) { return func(f *policy.Facts) { f.DeadlineOn = on(t, s) } },
		func(s string) func(*policy.Facts) { return func(f *policy.Facts) { f.EffectiveOn = on(t, s) } },
		func(s string) func(*policy.Facts) { return func(f *policy.Facts) { f.ExpiresOn = on(t, s) } }
	issued := func(s string) func(*policy.Facts) { return func(f *policy.Facts) { f.IssuedOn = on(t, s) } }
	kind := func(k policy.Kind) func(*policy.Facts) {
		return func(f *policy.Facts) { f.Kind, f.Type, f.DocumentNumber, f.Level = k, "", "", "" }
	}
	w.put(
		sampleArticle{Facts: document("样例省人民政府关于加快发展养老服务业的若干意见", "样政发〔2016〕35号", "样例省人民政府", division.Province, published("2026-11-10"), issued("2026-10-28"))},
		sampleArticle{Facts: document("样例省临时救助办法", "样例省人民政府令第219号", "样例省人民政府", division.Province, published("2026-11-11"), effective("2026-11-27"), summary("规定临时救助的对象、标准、程序和资金来源。"))},
		sampleArticle{Facts: document("样例省民政厅关于印发困难群众价格补贴工作规程的通知", "样民发〔2024〕9号", "样例省民政厅", division.Province, published("2026-11-11"), effective("2024-03-01"), expires("2027-01-31"))},
	)
	w.at = time.Date(2026, 11, 16, 9, 0, 0, 0, shanghai)
	w.composeDue()
	w.at = time.Date(2026, 11, 20, 10, 0, 0, 0, shanghai)
	long := strings.Repeat("各级人民政府要把发展养老服务摆在重要位置，完善政策措施，健全工作机制，加强督促检查，确保各项任务落到实处。要加强宣传引导，营造良好氛围。", 6)
	original := []string{long, "一、明确目标任务。" + long, "二、完善服务体系。" + long}
	var papers []sampleArticle
	add := func(p sampleArticle) { papers = append(papers, p) }
	add(sampleArticle{Facts: document("关于推进新时代民政事业高质量发展的意见", "国发〔2026〕21号", "国务院", division.Central, published("2026-11-18"), issued("2026-11-12"), theme("民政、扶贫、救灾"), summary("提出到2030年民政事业发展的主要目标，明确完善基本民生保障、基层社会治理和基本社会服务三方面任务。")), paragraphs: original})
	add(sampleArticle{Facts: document("关于推进新时代民政事业高质量发展的意见", "国发〔2026〕21号", "国务院", division.Central, published("2026-11-19")), source: 2, paragraphs: original})
	add(sampleArticle{Facts: document("关于推进新时代民政事业高质量发展的意见", "国发〔2026〕21号", "国务院", division.Central, published("2026-11-19")), source: 3, paragraphs: original})
	add(sampleArticle{Facts: document("样例省养老服务条例", "", "样例省人民代表大会常务委员会", division.Province, published("2026-11-17"), issued("2026-11-16"), effective("2027-01-01"), theme("民政、扶贫、救灾"),
		summary("共八章六十二条，对养老服务设施规划、居家社区养老、机构养老、医养结合、扶持保障和监督管理作出规定，自2027年1月1日起施行。"),
		cites(policy.RelationRepeals, "关于加快发展养老服务业的若干意见", "样政发〔2016〕35号")), pinned: true})
	add(sampleArticle{Facts: document("民政部关于《社会救助条例（征求意见稿）》公开征求意见的公告", "", "民政部", division.Ministry, kind(policy.KindConsultation), deadline("2026-11-28"), published("2026-10-28"), summary("单位和个人可通过网站、电子邮件或者信函提出意见。"))})
	add(sampleArticle{Facts: document("样例市民政局关于申报2027年度社区养老服务设施建设补助项目的通知", "样市民〔2026〕88号", "样例市民政局", division.City, deadline("2026-12-18"), published("2026-11-19"), summary("符合条件的社区养老服务机构可申报一次性建设补助和运营补助，材料报所在区民政部门初审。"))})
	add(sampleArticle{Facts: document("样例省残疾人两项补贴管理办法", "样民规〔2026〕4号", "样例省民政厅、样例省财政厅", division.Province, effective("2026-11-25"), published("2026-11-18"), issued("2026-11-05"), summary("明确补贴对象、标准、申请审核和动态管理要求，困难残疾人生活补贴标准每人每月不低于120元。"))})
	add(sampleArticle{Facts: document("样例省人民政府办公厅关于贯彻落实国务院推进新时代民政事业高质量发展意见进一步完善基本养老服务清单制度并建立与经济社会发展水平相适应的动态调整机制的实施意见（试行）", "样政办发〔2026〕57号", "样例省人民政府办公厅", division.Province, published("2026-11-20"), issued("2026-11-15"),
		summary("现提出实施意见：完善清单、精准服务、健全保障。"), cites(policy.RelationImplements, "关于推进新时代民政事业高质量发展的意见", "国发〔2026〕21号"))})
	add(sampleArticle{Facts: document("样例市人民政府关于进一步加强和改进低保工作的通知", "样府发〔2026〕30号", "样例市人民政府", division.City, published("2026-11-20"), issued("2026-09-30"), func(f *policy.Facts) { f.LateDays = 31 })})
	for i, who := range []string{"样例县", "样例区", "样例乡"} {
		add(sampleArticle{Facts: document(fmt.Sprintf("样例省人民政府关于同意%s设立儿童福利园区的批复", who), fmt.Sprintf("样政函〔2026〕%d号", 40+i), "样例省人民政府", division.Province, published("2026-11-18"))})
	}
	add(sampleArticle{Facts: document("《样例省残疾人两项补贴管理办法》政策解读", "", "样例省民政厅", division.Province, kind(policy.KindInterpretation), published("2026-11-19"), summary("补贴标准为什么提高？哪些人可以申请？怎样申请？"), cites(policy.RelationInterprets, "样例省残疾人两项补贴管理办法", "样民规〔2026〕4号"))})
	add(sampleArticle{Facts: document("一图读懂：样例省儿童福利机构设置规划", "", "样例省民政厅", division.Province, kind(policy.KindInterpretation), published("2026-11-19"))})
	add(sampleArticle{Facts: document("以高质量民政工作服务高质量发展", "", "", "", kind(policy.KindSignedArticle), published("2026-11-17"), func(f *policy.Facts) { f.Issuers, f.AuthorOffice = nil, "样例省民政厅厅长、党组书记" }, summary("民生为本，要在幼有所育、老有所养、弱有所扶上持续用力。")), source: 4})
	add(sampleArticle{Facts: document("样例省启动冬季困难群众走访慰问", "", "", "", kind(policy.KindNews), published("2026-11-20"), func(f *policy.Facts) { f.Issuers = nil }), source: 2})
	add(sampleArticle{Facts: document("更正：样例省低保标准调整公告中的金额以本公告为准", "样民公告2026年第6号", "样例省民政厅", division.Province, published("2026-11-20"))})
	add(sampleArticle{Facts: document("样例省民政厅办公设备招标公告", "", "样例省民政厅", division.Province)})
	for i := range 7 {
		add(sampleArticle{Facts: document(fmt.Sprintf("样例省民政厅关于做好第%d批旧文补登工作的通知", i+1), fmt.Sprintf("样民发〔2009〕%d号", i+1), "样例省民政厅", division.Province, issued("2009-05-06")), held: true})
	}
	w.put(papers...)
	w.at = time.Date(2026, 11, 23, 9, 0, 0, 0, shanghai)
	made := w.composeDue()
	if len(made) != 1 || len(made[0].Issues) != 1 {
		t.Fatalf("composed %+v", made)
	}
	i := made[0].Issues[0]
	note := map[string]string{
		"zh": "养老服务条例明年元旦起施行，本期一并列出它所废止的文件和正在征求意见的救助立法，请各单位留意11月28日的截止日期。",
		"en": "The elderly care regulations come into force on New Year's Day. This issue lists what they repeal; comments on the relief bill close on 28 November.",
	}[language]
	if err := w.service.SetNote(t.Context(), i.ID, note); err != nil {
		t.Fatal(err)
	}
	i = must[digest.Issue](t)(w.service.IssueOf(t.Context(), l.ID, i.Number))
	i.List = l
	return l, i
}

// Everything is in the right place of the email.
func TestGazette(t *testing.T) {
	t.Parallel()
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		w := newWorld(t, db)
		_, i := w.gazette("zh")
		m := must[digest.Mail](t)(w.service.MailOfIssue(t.Context(), i, "zh"))
		rest := m.Text
		for _, want := range []string{
			"民政周报  第 2 期", "2026年11月23日 周一", "编者按", "条例明年元旦起施行",
			"【要点】", "· 样例省养老服务条例", "编者推荐", "废止  《关于加快发展养老服务业的若干意见》（样政发〔2016〕35号）",
			"· 关于推进新时代民政事业高质量发展的意见", "中央文件", "国发〔2026〕21号 · 国务院", "发布 2026-11-18 · 成文 2026-11-12", "转载 2 家",
			"【限期事项】", "· 民政部关于《社会救助条例（征求意见稿）》公开征求意见的公告", "11月28日（周六）截止 · 还有 5 天", "· 样例市民政局", "12月18日截止 · 还有 25 天",
			"【本周施行】", "· 样例省残疾人两项补贴管理办法", "11月25日（周三）起施行", "  解读  《样例省残疾人两项补贴管理办法》政策解读", "· 样例省临时救助办法", "11月27日（周五）起施行",
			"【新发文件】", "的实施意见（试行）", "落实  《关于推进新时代民政事业高质量发展的意见》（国发〔2026〕21号）", "逾期公开：成文 31 个工作日后发布", "· 样例省人民政府  批复 3 件",
			"【即将到期与已废止】", "· 样例省民政厅关于印发困难群众价格补贴工作规程的通知", "2027年1月31日到期", "· 样例省人民政府关于加快发展养老服务业的若干意见", "2027年1月1日起被《样例省养老服务条例》废止",
			"【政策解读】", "· 一图读懂", "【署名文章】", "作者：样例省民政厅厅长、党组书记", "【要闻】", "· 样例省启动冬季困难群众走访慰问",
			"逾期公开 1 件", "补登旧文 7 件",
		} {
			_, after, ok := strings.Cut(rest, want)
			if !ok {
				t.Fatalf("%q is missing, or not in its place:\n%s", want, m.Text)
			}
			rest = after
		}
		for _, once := range []string{"· 关于推进新时代民政事业高质量发展的意见", "政策解读\n", "· 样例省养老服务条例", "若干意见\n"} {
			if n := strings.Count(m.Text, once); n != 1 {
				t.Errorf("%q stands %d times", once, n)
			}
		}
		// 落实, 废止 and 转载 link to our pages of the documents.
		for _, link := range []string{`/documents/\d+"[^>]*>《关于加快发展养老服务业的若干意见》`, `/documents/\d+"[^>]*>《关于推进新时代民政事业高质量发展的意见》`, `/articles/\d+"[^>]*>转载 2 家`, `/articles/\d+"[^>]*>2027年1月1日起被`} {
			if !regexp.MustCompile(link).MatchString(m.HTML) {
				t.Errorf("no link %s", link)
			}
		}
		if strings.Contains(m.HTML, "招标") || strings.Contains(m.Text, "旧文补登") {
			t.Error("the mail holds what the list does not ask for, or what is held back")
		}
	})
}
