package status

import (
	"context"
	"net/http"
	"strconv"
	"sync"
	"time"

	"dibao/cmd/dibao/cli"
	"dibao/feed"
	"dibao/internal/metrics"
	"dibao/internal/web"
)

// metricsKept is how long a snapshot is reused: several servers may request it.
const metricsKept = 10 * time.Second

// Metrics serves the counts of the node (Prometheus), with the metrics of its
// web server if counts is not nil.
func (a Node) Metrics(counts *web.Metrics) http.Handler {
	collectors := []metrics.Collector{metrics.Process{}, a.DB, &collector{node: a}}
	if counts != nil {
		collectors = append(collectors, counts)
	}
	return metrics.Handler(collectors...)
}

// collector exports the snapshot that dibao status shows.
type collector struct {
	node Node

	mu   sync.Mutex
	last Snapshot
	read time.Time
}

func gauge(name, help string, labels ...string) *metrics.Family {
	return metrics.New(metrics.Gauge, "dibao_"+name, help, labels...)
}

var (
	metricBuild         = gauge("build_info", "Version of the program; the value is 1.", "version", "revision")
	metricSources       = gauge("sources", "Sources by state.", "state")
	metricSourceSuccess = gauge("source_last_success_timestamp_seconds", "When a source was last collected, in Unix time; 0 if it never was.", "source", "name", "state")
	metricArticles      = metrics.New(metrics.Counter, "dibao_articles_total", "Stored articles.")
	metricUnindexed     = gauge("articles_unindexed", "Articles that wait for the search index.")
	metricUnread        = gauge("articles_unread", "Articles whose page could not be read completely.")
	metricHeld          = gauge("articles_held", "Articles that are held back until an admin releases them.")
	metricListNext      = gauge("list_next_due_timestamp_seconds", "When the next issue of a list is due, in Unix time.", "list")
	metricListOverdue   = gauge("list_overdue_seconds", "How long an issue of a list has been overdue.", "list")
	metricListMatched   = gauge("list_matched_articles", "Articles that match a list and wait for its next issue.", "list")
	metricHeldIssues    = gauge("issues_held", "Issues that wait for an admin to release them.")
	metricDeliveries    = gauge("deliveries", "Deliveries by state, of mailings due in the last seven days.", "state")
	metricPosted        = gauge("channel_deliveries", "Issues in channels by state.", "state")
	metricOldest        = gauge("oldest_waiting_seconds", "Age of the oldest mailing with unsent messages; 0 if there is none.")
	metricPaused        = gauge("mail_servers_paused", "Mail servers that refuse our mail and are tried again later.")
	metricReports       = gauge("mail_reports", "Reports received in the last seven days, by kind.", "kind")
	metricPending       = gauge("suppressions_pending", "Suppressions that wait for an admin.")
	metricSubscriptions = gauge("subscriptions", "Subscriptions by state.", "state")
	metricSuppressions  = gauge("suppressions", "Suppressed addresses by reason.", "reason")
	metricJobs          = gauge("jobs", "Background jobs by state.", "state")
	metricDiskFree      = gauge("disk_free_bytes", "Free space on the disk of the SQLite database.")
	metricClock         = gauge("clock_skew_seconds", "How far the clock of the database server is ahead of ours.")
)

// Families implements metrics.Collector.
func (c *collector) Families() []*metrics.Family { return Families() }

// Families returns the metrics that this package exports.
func Families() []*metrics.Family {
	return []*metrics.Family{
		metricBuild, metricSources, metricSourceSuccess, metricArticles, metricUnindexed, metricUnread, metricHeld, metricListNext, metricListOverdue,
		metricListMatched, metricHeldIssues, metricDeliveries, metricPosted, metricOldest, metricPaused, metricReports, metricPending,
		metricSubscriptions, metricSuppressions, metricJobs, metricDiskFree, metricClock,
	}
}

// Collect implements metrics.Collector. If the database can't be read, the page
// has the other metrics, and the error is logged.
func (c *collector) Collect(p *metrics.Page) {
	set := p.Set
	version, revision := cli.BuiltFrom()
	set(metricBuild, 1, version, revision)
	st, err := c.snapshot()
	if err != nil {
		c.node.Log.Error("metrics not read", "err", err)
		return
	}
	for _, s := range feed.States {
		set(metricSources, float64(st.Feed.Sources[s]), string(s))
	}
	for _, src := range st.Sources {
		set(metricSourceSuccess, unixTime(src.SucceededAt), strconv.FormatInt(src.ID, 10), src.Name, string(src.State))
	}
	set(metricArticles, float64(st.Feed.Articles))
	set(metricUnindexed, float64(st.Feed.Unindexed))
	set(metricUnread, float64(st.unread()))
	set(metricHeld, float64(st.Feed.Held))
	for _, l := range st.Digest.Lists {
		if !l.NextAt.IsZero() {
			set(metricListNext, unixTime(l.NextAt), l.List.Slug)
			overdue := 0.0
			if !l.OverdueSince.IsZero() {
				overdue = st.At.Sub(l.OverdueSince).Seconds()
			}
			set(metricListOverdue, overdue, l.List.Slug)
		}
		if l.Matched != nil {
			set(metricListMatched, float64(*l.Matched), l.List.Slug)
		}
	}
	set(metricHeldIssues, float64(st.Digest.HeldIssues))
	for state, n := range st.Posted {
		set(metricPosted, float64(n), state)
	}
	oldest := 0.0
	if !st.Digest.OldestWaiting.IsZero() {
		oldest = st.At.Sub(st.Digest.OldestWaiting).Seconds()
	}
	set(metricOldest, oldest)
	set(metricPaused, float64(len(st.Digest.Paused)))
	set(metricPending, float64(st.Digest.Pending))
	for d, counts := range map[*metrics.Family]map[string]int{
		metricDeliveries: st.Digest.Deliveries, metricReports: st.Digest.Reports,
		metricSubscriptions: st.Subscriptions, metricSuppressions: st.Suppressions, metricJobs: st.Jobs,
	} {
		for name, n := range counts {
			set(d, float64(n), name)
		}
	}
	if st.DiskFree > 0 {
		set(metricDiskFree, float64(st.DiskFree))
	}
	set(metricClock, st.ClockSkew.Seconds())
}

func (c *collector) snapshot() (Snapshot, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if time.Since(c.read) < metricsKept {
		return c.last, nil
	}
	ctx, stop := context.WithTimeout(context.Background(), metricsKept)
	defer stop()
	st, err := c.node.figures(ctx)
	if err == nil {
		c.last, c.read = st, time.Now()
	}
	return st, err
}

func unixTime(t time.Time) float64 {
	if t.IsZero() {
		return 0
	}
	return float64(t.UnixMilli()) / 1000
}
