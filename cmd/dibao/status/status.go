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
	"dibao/internal/plural"
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
	At           time.Time
	Zone         *time.Location // of the times that are printed
	Feed         feed.Status
	Sources      []feed.Source // the worst first
	Digest       digest.Status
	Mailings     []delivery.MailingReport // the latest first
	Readers      map[string]int           // subscriptions by state
	Suppressions map[string]int           // by reason
	Jobs         map[string]int           // by state
	ClockSkew    time.Duration            // how far the clock of the database server is ahead
	DiskFree     uint64                   // bytes where the database is; 0: not known
	Database     string                   // without its password
}

// Read reads a snapshot of everything.
func (a Node) Read(ctx context.Context) (Snapshot, error) {
	st := Snapshot{At: a.Articles.Now(), Zone: a.Zone, Database: a.DB.String()}
	var err error
	if st.Feed, err = a.Articles.Status(ctx); err != nil {
		return st, err
	}
	if st.Sources, err = a.Articles.Sources(ctx); err != nil {
		return st, err
	}
	slices.SortStableFunc(st.Sources, func(x, y feed.Source) int {
		return cmp.Or(cmp.Compare(y.State.Severity(), x.State.Severity()), x.SucceededAt.Compare(y.SucceededAt))
	})
	if st.Digest, err = a.Digest.Status(ctx); err != nil {
		return st, err
	}
	if st.Mailings, err = a.Digest.Report(ctx, statusMails); err != nil {
		return st, err
	}
	if st.Readers, err = a.Subscribers.CountSubscriptions(ctx); err != nil {
		return st, err
	}
	if st.Suppressions, err = a.Subscribers.CountSuppressions(ctx); err != nil {
		return st, err
	}
	if st.Jobs, err = jobs.Counts(ctx, a.DB); err != nil {
		return st, err
	}
	if st.ClockSkew, err = a.DB.ClockSkew(ctx); err != nil {
		return st, err
	}
	if a.DB.Dialect() == database.SQLite {
		if free, err := FreeSpace(filepath.Dir(a.DB.Path())); err == nil {
			st.DiskFree = free
		}
	}
	return st, nil
}

// statusChinese are the words of the screen in Chinese by their English text.
var statusChinese = map[string]string{
	"SOURCES": "来源", "NEXT ISSUES": "下一期", "MAILINGS": "群发", "READERS": "读者", "SYSTEM": "系统",
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
	"ok": "正常", "new": "未采集", "failing": "采集失败", "blocked": "被拒", "changed": "已改版", "quiet": "久未更新", "flood": "旧文涌入", "gone": "已撤除", "paused": "暂停",
	"composed": "已编排", "sending": "发送中", "cancelled": "已取消", "done": "完成",
	"bounce": "退信", "complaint": "投诉", "unsubscribe": "退订", "auto-reply": "自动回复",
	"not-spam": "非垃圾邮件", "notice": "给管理员的报告", "other": "其他", "admin": "管理员", "forgotten": "已删除", "imported": "导入",
}

// Word returns a word of the status, such as a state, in the language of the reader.
func Word(english string, chinese bool) string { return (&screen{chinese: chinese}).text(english) }

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
	return plural.English(fmt.Sprintf(format, args...))
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
	s.line(cli.VersionLine() + "  " + cli.ShortTime(st.At, st.Zone))
	st.printSources(s)
	st.printLists(s)
	st.printMailings(s)
	s.head("READERS")
	s.item(s.counts(st.Readers))
	if len(st.Suppressions) > 0 {
		s.item(s.text("suppressed addresses: %s", s.counts(st.Suppressions)))
	}
	s.head("SYSTEM")
	if st.DiskFree > 0 {
		s.item(s.text("database %s, %s of disk free", st.Database, humanize.Bytes(st.DiskFree)))
	} else {
		s.item(s.text("database %s", st.Database))
	}
	return s.err
}

func (st Snapshot) printSources(s *screen) {
	s.head("SOURCES")
	if len(st.Sources) == 0 {
		s.item(s.text("none; add one with: dibao source add URL"))
		return
	}
	s.item(s.counts(byText(st.Feed.Sources)))
	for i, src := range st.Sources {
		if src.State.Severity() == 0 {
			break
		}
		if i == statusSources {
			s.item(s.text("and %d more", st.Unwell()-i))
			break
		}
		last := s.text("never succeeded")
		if !src.SucceededAt.IsZero() {
			last = s.text("last success %s", cli.ShortTime(src.SucceededAt, st.Zone))
		}
		s.item(src.Name, s.text(string(src.State)), last)
	}
	if !st.Feed.NewestAt.IsZero() {
		s.item(s.text("%d articles stored, the newest on %s", st.Feed.Articles, cli.ShortTime(st.Feed.NewestAt, st.Zone)))
	}
	if n := st.Feed.Unindexed; n > 0 {
		s.item(s.text("%d articles wait for the search index", n))
	}
	if n := st.Feed.Held; n > 0 {
		s.item(s.text("%d articles are held back until released", n))
	}
}

// Unwell counts the sources that an admin should look at.
func (st Snapshot) Unwell() (n int) {
	for state, count := range st.Feed.Sources {
		if state.Severity() > 0 {
			n += count
		}
	}
	return n
}

func (st Snapshot) printLists(s *screen) {
	s.head("NEXT ISSUES")
	if len(st.Digest.Lists) == 0 {
		s.item(s.text("none; create one with: dibao list create NAME"))
	}
	lists := st.ListsByTime()
	for i, l := range lists {
		if i == statusLists {
			s.item(s.text("and %d more", len(lists)-i))
			break
		}
		when := cli.ShortTime(l.NextAt, st.Zone)
		switch {
		case l.NextAt.IsZero():
			when = s.text("as it happens")
		case !l.OverdueSince.IsZero():
			when = s.text("OVERDUE since %s", cli.ShortTime(l.OverdueSince, st.Zone))
		}
		s.columns([]int{26, 30}, l.List.Slug, when, s.text("%d articles match", l.Matched))
	}
	if n := st.Digest.HeldIssues; n > 0 {
		s.item(s.text("%d issues are held; see: dibao issue list", n))
	}
}

// ListsByTime returns the lists in the order of their next issues, overdue ones first.
func (st Snapshot) ListsByTime() []digest.ListStatus {
	return slices.SortedStableFunc(slices.Values(st.Digest.Lists), func(a, b digest.ListStatus) int {
		if a.OverdueSince.IsZero() != b.OverdueSince.IsZero() {
			return cmp.Compare(b.OverdueSince.Unix(), a.OverdueSince.Unix())
		}
		return a.NextAt.Compare(b.NextAt)
	})
}

func (st Snapshot) printMailings(s *screen) {
	s.head("MAILINGS")
	if len(st.Mailings) == 0 {
		s.item(s.text("none yet"))
	}
	for _, m := range st.Mailings {
		all := m.Sent + m.Failed + m.Waiting + m.Claimed + m.Uncertain + m.Suppressed
		s.item(cli.ShortTime(m.DueAt, st.Zone), s.text("%s: %d of %d sent, %d failed, %d waiting", s.text(m.State), m.Sent, all, m.Failed, m.Waiting+m.Claimed))
	}
	if !st.Digest.OldestWaiting.IsZero() {
		s.item(s.text("unsent messages are due since %s", cli.ShortTime(st.Digest.OldestWaiting, st.Zone)))
	}
	for _, p := range st.Digest.Paused {
		s.item(s.text("%s refuses our mail, next try %s: %s", p.Name, cli.ShortTime(p.NextTryAt, st.Zone), p.Reply))
	}
	if n := st.Digest.Pending; n > 0 {
		s.item(s.text("%d suppressions wait for you; see: dibao bounce list --pending", n))
	}
	if len(st.Digest.Reports) > 0 {
		s.item(s.text("reports of the last 7 days: %s", s.counts(st.Digest.Reports)))
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
		At: st.At.UTC(), Version: version, Revision: revision, Database: st.Database, DiskFree: cli.Null(st.DiskFree),
		Sources: st.Feed.Sources, Unwell: []source{}, Articles: st.Feed.Articles, NewestArticle: cli.Null(st.Feed.NewestAt), Unindexed: st.Feed.Unindexed, Held: st.Feed.Held,
		Lists: []list{}, HeldIssues: st.Digest.HeldIssues, Mailings: append([]delivery.MailingReport{}, st.Mailings...), Deliveries: st.Digest.Deliveries, OldestWaiting: cli.Null(st.Digest.OldestWaiting),
		Paused: append([]delivery.Pause{}, st.Digest.Paused...), Reports: st.Digest.Reports, Pending: st.Digest.Pending, Subscriptions: st.Readers, Suppressions: st.Suppressions,
		Jobs: st.Jobs, ClockSkew: st.ClockSkew.Seconds(),
	}
	for _, src := range st.Sources {
		if src.State.Severity() > 0 {
			out.Unwell = append(out.Unwell, source{src.ID, src.Name, string(src.State), cli.Null(src.SucceededAt), cli.Null(src.LastError)})
		}
	}
	for _, l := range st.Digest.Lists {
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
