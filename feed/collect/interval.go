package collect

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"dibao/feed"
	"dibao/feed/ingest"
)

// How often a source is collected: at most once per interval, and at least once per slowest
// times its interval if it seldom has news.
const (
	slowest     = 6
	maxInterval = 12 * time.Hour      // for sources with a shorter interval
	perChange   = 4                   // collections in the mean time between news
	maxHint     = 24 * time.Hour      // maximum wait that a source can ask for
	maxSkip     = 7 * 24              // hours
	changeMemo  = 3                   // weight of the earlier mean, compared to the newest gap
	longestGap  = 90 * 24 * time.Hour // maximum gap between news that is counted
)

// noteNews updates the mean time between two collections with news.
func noteNews(s *feed.Source, now time.Time) {
	if gap := now.Sub(s.NewsAt); !s.NewsAt.IsZero() && gap > 0 {
		gap = min(gap, longestGap)
		if s.ChangeEvery == 0 {
			s.ChangeEvery = gap
		} else {
			s.ChangeEvery = (changeMemo*s.ChangeEvery + gap) / (changeMemo + 1)
		}
	}
	s.NewsAt = now
}

// Interval is the time between two collections of a source: a quarter of the time between
// its news, but at least its interval and at most six times that.
func Interval(s feed.Source) time.Duration {
	between := s.ChangeEvery
	if !s.NewsAt.IsZero() {
		between = max(between, s.CheckedAt.Sub(s.NewsAt)) // it has been silent for longer than usual
	}
	return min(max(between/perChange, s.Interval), max(min(slowest*s.Interval, maxInterval), s.Interval))
}

// nextAfter returns when a source is due after it was collected: after its interval, not
// before the time that it asks for (RSS 2.0 ttl, RFC 9111 max-age), and not in an hour or
// on a day that it asks to skip (RSS 2.0, in UTC).
func nextAfter(s feed.Source, now time.Time, header http.Header) time.Time {
	wait := max(Interval(s), min(max(s.Hints.TTL, maxAge(header)), maxHint))
	next := now.Add(spread(s, wait)).UTC()
	for range maxSkip {
		if !slices.Contains(s.Hints.SkipHours, next.Hour()) && !slices.Contains(s.Hints.SkipDays, int(next.Weekday())) {
			return next
		}
		next = next.Add(time.Hour)
	}
	return now.Add(spread(s, wait)) // it asks to skip every hour or day
}

// maxAge returns how long a response is fresh; 0 if it does not say.
func maxAge(header http.Header) time.Duration {
	for _, value := range header.Values("Cache-Control") {
		for directive := range strings.SplitSeq(value, ",") {
			name, seconds, _ := strings.Cut(strings.TrimSpace(directive), "=")
			if n, err := strconv.ParseUint(strings.Trim(seconds, `"`), 10, 31); err == nil && strings.EqualFold(name, "max-age") {
				return time.Duration(n) * time.Second
			}
		}
	}
	return 0
}

// readHints stores what the source says about its updates; a body that can't be read
// changes nothing.
func readHints(s *feed.Source, p ingest.Page, header http.Header) {
	if s.Kind == "feed" {
		s.Hints = ingest.ReadHints(p, header)
	}
}
