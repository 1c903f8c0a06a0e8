// Package status reads a snapshot of a node: its sources, issues, mail and machine.
// The verb status prints it, and /metrics exports it.
package status

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/dustin/go-humanize"
	"github.com/jedib0t/go-pretty/v6/text"

	"dibao/cmd/dibao/cli"
	"dibao/digest"
	"dibao/digest/delivery"
	"dibao/feed"
	"dibao/internal/database"
	"dibao/internal/jobs"
	"dibao/subscribers"
)

// The size of the status screen: what does not fit is counted.
const (
	statusWidth   = 80
	statusSources = 5
	statusLists   = 8
	statusMails   = 3
)

// Node is what a snapshot is read from. All fields are required.
type Node struct {
	DB          *database.DB
	Articles    *feed.Store
	Digest      *digest.Service
	Subscribers *subscribers.Store
	Zone        *time.Location // of the times that are printed
	Log         *slog.Logger
}

// Snapshot is the state of everything at one time; /metrics serves the same figures.
type Snapshot struct {
	at           time.Time
	zone         *time.Location
	feed         feed.Status
	sources      []feed.Source // the worst first
	digest       digest.Status
	mailings     []delivery.MailingReport // the latest first
	readers      map[string]int           // subscriptions by state
	suppressions map[string]int           // by reason
	jobs         map[string]int           // by state
	clockSkew    time.Duration            // how far the clock of the database server is ahead
	diskFree     uint64                   // bytes where the database is; 0: not known
	database     string
}

// Read reads a snapshot of everything.
func (a Node) Read(ctx context.Context) (Snapshot, error) {
	st := Snapshot{at: a.Articles.Now(), zone: a.Zone, database: a.DB.String()}
	var err error
	if st.feed, err = a.Articles.Status(ctx); err != nil {
		return st, err
	}
	if st.sources, err = a.Articles.Sources(ctx); err != nil {
		return st, err
	}
	slices.SortStableFunc(st.sources, func(x, y feed.Source) int {
		return cmp.Or(cmp.Compare(severity(y.State), severity(x.State)), x.SucceededAt.Compare(y.SucceededAt))
	})
	if st.digest, err = a.Digest.Status(ctx); err != nil {
		return st, err
	}
	if st.mailings, err = a.Digest.Report(ctx, statusMails); err != nil {
		return st, err
	}
	if st.readers, err = a.Subscribers.CountSubscriptions(ctx); err != nil {
		return st, err
	}
	if st.suppressions, err = a.Subscribers.CountSuppressions(ctx); err != nil {
		return st, err
	}
	if st.jobs, err = jobs.Counts(ctx, a.DB); err != nil {
		return st, err
	}
	if st.clockSkew, err = a.DB.ClockSkew(ctx); err != nil {
		return st, err
	}
	if a.DB.Dialect() == database.SQLite {
		if free, err := FreeSpace(filepath.Dir(a.DB.Path())); err == nil {
			st.diskFree = free
		}
	}
	return st, nil
}

// severity orders the states of sources: what an admin should look at first is
// the highest. Zero needs nobody.
func severity(s feed.State) int {
	return slices.Index([]feed.State{feed.StateQuiet, feed.StateFlood, feed.StateFailing, feed.StateChanged, feed.StateGone, feed.StateBlocked}, s) + 1
}

// statusChinese are the words of the screen in Chinese by their English text.
var statusChinese = map[string]string{
	"SOURCES": "来源", "NEXT ISSUES": "下一期", "MAILINGS": "发送", "READERS": "读者", "SYSTEM": "系统",
	"none; add one with: dibao source add URL":      "没有；添加来源：dibao source add URL",
	"none; create one with: dibao list create NAME": "没有；创建列表：dibao list create 名称",
	"none yet":        "还没有",
	"and %d more":     "另有 %d 个",
	"never succeeded": "从未成功", "last success %s": "上次成功 %s",
	"%d articles stored, the newest on %s":                           "已收录 %d 篇，最近一篇 %s",
	"%d articles wait for the search index":                          "%d 篇等待建立索引",
	"%d articles are held back until released":                       "%d 篇暂缓，等待放行",
	"OVERDUE since %s":                                               "已逾期，应于 %s",
	"as it happens":                                                  "随到随发",
	"%d articles match":                                              "匹配 %d 篇",
	"%d issues are held; see: dibao issue list":                      "%d 期等待放行；查看：dibao issue list",
	"%s: %d of %d sent, %d failed, %d waiting":                       "%s：已发 %d/%d，失败 %d，等待 %d",
	"unsent messages are due since %s":                               "有邮件自 %s 起应发未发",
	"%s refuses our mail, next try %s: %s":                           "%s 拒收我方邮件，下次尝试 %s：%s",
	"%d suppressions wait for you; see: dibao bounce list --pending": "%d 个停发等您确认；查看：dibao bounce list --pending",
	"reports of the last 7 days: %s":                                 "近 7 天的报告：%s", "suppressed addresses: %s": "停发的地址：%s",
	"database %s, %s of disk free": "数据库 %s，磁盘剩余 %s", "database %s": "数据库 %s",
	"confirmed": "已确认", "pending": "待确认", "unsubscribed": "已退订",
	"ok": "正常", "new": "未采集", "failing": "失败", "blocked": "被拒", "changed": "已改版", "quiet": "沉寂", "flood": "存档涌入", "gone": "已撤", "paused": "暂停",
	"composed": "已编排", "sending": "发送中", "cancelled": "已取消", "done": "完成",
	"bounce": "退信", "complaint": "投诉", "unsubscribe": "退订", "auto-reply": "自动回复",
	"not-spam": "非垃圾邮件", "notice": "给管理员的报告", "other": "其他", "admin": "管理员", "forgotten": "已删除", "imported": "导入",
}

// screen writes a status in one language.
type screen struct {
	w       io.Writer
	chinese bool
	err     error
}

func (s *screen) text(english string, args ...any) string {
	format := english
	if c, ok := statusChinese[english]; ok && s.chinese {
		format = c
	}
	if len(args) == 0 {
		return format
	}
	return fmt.Sprintf(format, args...)
}

// line writes a line, cut to the width of the screen.
func (s *screen) line(line string) {
	if s.err == nil {
		_, s.err = fmt.Fprintln(s.w, text.Snip(line, statusWidth, "…"))
	}
}

func (s *screen) head(english string) { s.line(s.text(english)) }

// item writes what is said of one thing, in columns.
func (s *screen) item(cells ...string) { s.columns([]int{30, 16}, cells...) }

// columns is item with other widths of its columns.
func (s *screen) columns(widths []int, cells ...string) {
	line := " "
	for i, c := range cells {
		line += " "
		if i < len(cells)-1 && i < len(widths) {
			c = text.Pad(text.Snip(c, widths[i], "…"), widths[i], ' ')
		}
		line += c
	}
	s.line(line)
}

// counts lists counts by name, the largest first.
func (s *screen) counts(counts map[string]int) string {
	names := slices.SortedFunc(maps.Keys(counts), func(a, b string) int {
		return cmp.Or(cmp.Compare(counts[b], counts[a]), cmp.Compare(a, b))
	})
	var parts []string
	for _, n := range names {
		if counts[n] > 0 {
			parts = append(parts, fmt.Sprintf("%s %d", s.text(n), counts[n]))
		}
	}
	return cmp.Or(strings.Join(parts, ", "), "0")
}

// Print writes the screen, 80 columns wide.
func (st Snapshot) Print(w io.Writer, chinese bool) error {
	s := &screen{w: w, chinese: chinese}
	s.line(cli.VersionLine() + "  " + cli.ShortTime(st.at, st.zone))
	st.printSources(s)
	st.printLists(s)
	st.printMailings(s)
	s.head("READERS")
	s.item(s.counts(st.readers))
	if len(st.suppressions) > 0 {
		s.item(s.text("suppressed addresses: %s", s.counts(st.suppressions)))
	}
	s.head("SYSTEM")
	if st.diskFree > 0 {
		s.item(s.text("database %s, %s of disk free", st.database, humanize.Bytes(st.diskFree)))
	} else {
		s.item(s.text("database %s", st.database))
	}
	return s.err
}

func (st Snapshot) printSources(s *screen) {
	s.head("SOURCES")
	if len(st.sources) == 0 {
		s.item(s.text("none; add one with: dibao source add URL"))
		return
	}
	s.item(s.counts(byText(st.feed.Sources)))
	for i, src := range st.sources {
		if severity(src.State) == 0 {
			break
		}
		if i == statusSources {
			s.item(s.text("and %d more", st.unwell()-i))
			break
		}
		last := s.text("never succeeded")
		if !src.SucceededAt.IsZero() {
			last = s.text("last success %s", cli.ShortTime(src.SucceededAt, st.zone))
		}
		s.item(src.Name, s.text(string(src.State)), last)
	}
	if !st.feed.NewestAt.IsZero() {
		s.item(s.text("%d articles stored, the newest on %s", st.feed.Articles, cli.ShortTime(st.feed.NewestAt, st.zone)))
	}
	if n := st.feed.Unindexed; n > 0 {
		s.item(s.text("%d articles wait for the search index", n))
	}
	if n := st.feed.Held; n > 0 {
		s.item(s.text("%d articles are held back until released", n))
	}
}

// unwell counts the sources that an admin should look at.
func (st Snapshot) unwell() (n int) {
	for state, count := range st.feed.Sources {
		if severity(state) > 0 {
			n += count
		}
	}
	return n
}

func (st Snapshot) printLists(s *screen) {
	s.head("NEXT ISSUES")
	if len(st.digest.Lists) == 0 {
		s.item(s.text("none; create one with: dibao list create NAME"))
	}
	lists := slices.SortedStableFunc(slices.Values(st.digest.Lists), func(a, b digest.ListStatus) int {
		if a.OverdueSince.IsZero() != b.OverdueSince.IsZero() {
			return cmp.Compare(b.OverdueSince.Unix(), a.OverdueSince.Unix()) // overdue ones first
		}
		return a.NextAt.Compare(b.NextAt)
	})
	for i, l := range lists {
		if i == statusLists {
			s.item(s.text("and %d more", len(lists)-i))
			break
		}
		when := cli.ShortTime(l.NextAt, st.zone)
		switch {
		case l.NextAt.IsZero():
			when = s.text("as it happens")
		case !l.OverdueSince.IsZero():
			when = s.text("OVERDUE since %s", cli.ShortTime(l.OverdueSince, st.zone))
		}
		s.columns([]int{26, 30}, l.List.Slug, when, s.text("%d articles match", l.Matched))
	}
	if n := st.digest.HeldIssues; n > 0 {
		s.item(s.text("%d issues are held; see: dibao issue list", n))
	}
}

func (st Snapshot) printMailings(s *screen) {
	s.head("MAILINGS")
	if len(st.mailings) == 0 {
		s.item(s.text("none yet"))
	}
	for _, m := range st.mailings {
		all := m.Sent + m.Failed + m.Waiting + m.Claimed + m.Uncertain + m.Suppressed
		s.item(cli.ShortTime(m.DueAt, st.zone), s.text("%s: %d of %d sent, %d failed, %d waiting", s.text(m.State), m.Sent, all, m.Failed, m.Waiting+m.Claimed))
	}
	if !st.digest.OldestWaiting.IsZero() {
		s.item(s.text("unsent messages are due since %s", cli.ShortTime(st.digest.OldestWaiting, st.zone)))
	}
	for _, p := range st.digest.Paused {
		s.item(s.text("%s refuses our mail, next try %s: %s", p.Name, cli.ShortTime(p.NextTryAt, st.zone), p.Reply))
	}
	if n := st.digest.Pending; n > 0 {
		s.item(s.text("%d suppressions wait for you; see: dibao bounce list --pending", n))
	}
	if len(st.digest.Reports) > 0 {
		s.item(s.text("reports of the last 7 days: %s", s.counts(st.digest.Reports)))
	}
}

// JSON returns the snapshot as a value with stable keys.
func (st Snapshot) JSON() any {
	type source struct {
		ID          int64      `json:"id"`
		Name        string     `json:"name"`
		State       string     `json:"state"`
		SucceededAt *time.Time `json:"succeeded_at"`
		Error       *string    `json:"error"`
	}
	type list struct {
		Slug         string     `json:"slug"`
		NextAt       *time.Time `json:"next_at"` // null: as it happens
		OverdueSince *time.Time `json:"overdue_since"`
		Matched      int        `json:"matched"`
	}
	version, revision := cli.BuiltFrom()
	out := struct {
		At            time.Time                `json:"at"`
		Version       string                   `json:"version"`
		Revision      string                   `json:"revision"`
		Database      string                   `json:"database"`
		DiskFree      *uint64                  `json:"disk_free_bytes"` // null: not known
		Sources       map[feed.State]int       `json:"sources"`
		Unwell        []source                 `json:"unwell_sources"`
		Articles      int64                    `json:"articles"`
		NewestArticle *time.Time               `json:"newest_article_at"`
		Unindexed     int64                    `json:"unindexed_articles"`
		Held          int64                    `json:"held_articles"`
		Lists         []list                   `json:"lists"`
		HeldIssues    int                      `json:"held_issues"`
		Mailings      []delivery.MailingReport `json:"mailings"`
		Deliveries    map[string]int           `json:"deliveries_7_days"`
		OldestWaiting *time.Time               `json:"oldest_waiting_at"`
		Paused        []delivery.Pause         `json:"paused_servers"`
		Reports       map[string]int           `json:"reports_7_days"`
		Pending       int                      `json:"pending_suppressions"`
		Subscriptions map[string]int           `json:"subscriptions"`
		Suppressions  map[string]int           `json:"suppressions"`
		Jobs          map[string]int           `json:"jobs"`
		ClockSkew     float64                  `json:"clock_skew_seconds"`
	}{
		At: st.at.UTC(), Version: version, Revision: revision, Database: st.database, DiskFree: cli.Null(st.diskFree),
		Sources: st.feed.Sources, Unwell: []source{}, Articles: st.feed.Articles, NewestArticle: cli.Null(st.feed.NewestAt), Unindexed: st.feed.Unindexed, Held: st.feed.Held,
		Lists: []list{}, HeldIssues: st.digest.HeldIssues, Mailings: append([]delivery.MailingReport{}, st.mailings...), Deliveries: st.digest.Deliveries, OldestWaiting: cli.Null(st.digest.OldestWaiting),
		Paused: append([]delivery.Pause{}, st.digest.Paused...), Reports: st.digest.Reports, Pending: st.digest.Pending, Subscriptions: st.readers, Suppressions: st.suppressions,
		Jobs: st.jobs, ClockSkew: st.clockSkew.Seconds(),
	}
	for _, src := range st.sources {
		if severity(src.State) > 0 {
			out.Unwell = append(out.Unwell, source{src.ID, src.Name, string(src.State), cli.Null(src.SucceededAt), cli.Null(src.LastError)})
		}
	}
	for _, l := range st.digest.Lists {
		out.Lists = append(out.Lists, list{l.List.Slug, cli.Null(l.NextAt), cli.Null(l.OverdueSince), l.Matched})
	}
	return out
}

func byText[K ~string](counts map[K]int) map[string]int {
	out := make(map[string]int, len(counts))
	for k, n := range counts {
		out[string(k)] = n
	}
	return out
}
