// Package collect reads sources. A [Collector] fetches a source, reads it with feed/ingest,
// evaluates it with package policy, and stores the result in a [feed.Store]; collecting the
// same content again changes nothing.
package collect

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"dibao/policy/warn"

	"dibao/feed"
	"dibao/feed/ingest"
	"dibao/feed/ingest/answer"
	"dibao/feed/visit"
	"dibao/internal/database"
	"dibao/internal/fetch"
	"dibao/internal/redact"
	"dibao/internal/trace"
	"dibao/policy"
)

const (
	// maxPages limits the article pages that one collection requests from a site.
	maxPages = 100
	// maxPageBytes limits the total size of these pages: a hundred pages of 5 MB took
	// minutes.
	maxPageBytes = 32 << 20
	// giveUpAfter is the number of consecutive pages that could not be read
	// after which the site is left alone until the next collection.
	giveUpAfter = 5
	// maxParts limits the other pages of an article.
	maxParts = 30
	// maxPartsTime limits the time for fetching them: other sources wait for the memory of
	// the first page.
	maxPartsTime = 3 * time.Minute
	// shortPage is the length, in bytes, below which a text may be that of a wall.
	shortPage = 1000
	// shortText is the length of a page's text, in characters, below which an
	// attached file is read.
	shortText = 300
	// maxBackoff is the longest pause of a source that keeps failing.
	maxBackoff = 24 * time.Hour
)

// pageRetries are the pauses before an unreadable article page is requested again; after
// the last one, the page counts as missing.
var pageRetries = [...]time.Duration{time.Hour, 6 * time.Hour, 24 * time.Hour, 72 * time.Hour}

// Collector collects the articles of a source into the store.
type Collector struct {
	Store  *feed.Store
	Client *fetch.Client
	Logger *slog.Logger
	// FileText returns the text of a PDF, DOCX or OFD file, page by page; if nil, no files
	// are read.
	FileText func(ctx context.Context, file []byte) ([]string, error)
	// Browser renders the pages of sources with Settings.Render; nil means that none is set up.
	Browser visit.Browser

	turns turns
}

// Collection is the result of one collection of a source.
type Collection struct {
	Source      feed.Source
	NotModified bool // nothing was read: the response was 304 or had the same bytes
	Items       int  // items in the list of the source
	New         int  // number of stored articles
	Changed     int  // articles whose text changed
	Withdrawn   int  // articles whose page the site removed
	Warnings    []warn.Warning
	header      http.Header // header of the response; nil if there was none
	old         int         // stored articles that are over a year old
	intake      *feed.Intake
	pageBytes   int    // total size of the article pages that were read
	held        func() // releases the memory of what was read and is not stored yet
}

// Collect collects one source now, whether it is due or not. If a source can't be read, it
// returns an error; the state and the sentence stored with the source say the same.
// Collecting twice stores nothing twice.
func (c *Collector) Collect(ctx context.Context, id int64) (Collection, error) {
	ctx, span := trace.Start(ctx, "collect source", slog.Int64("source.id", id))
	begun := c.Store.Now()
	out, err := c.collectNow(ctx, id)
	span.Set(slog.Bool("source.not_modified", out.NotModified), slog.Int("articles.new", out.New), slog.Int("articles.changed", out.Changed))
	if out.New > 0 {
		if err := c.Store.KeepTrace(ctx, span, id, begun); err != nil {
			c.Logger.Warn("trace not stored", "source_id", id, "err", err)
		}
	}
	span.End(err)
	return out, err
}

func (c *Collector) collectNow(ctx context.Context, id int64) (Collection, error) {
	ctx = database.Background(ctx)
	src, err := c.Store.SourceByID(ctx, id)
	if err != nil {
		return Collection{}, err
	}
	out := Collection{Source: src}
	defer func() { out.release() }()
	leave, err := c.turns.enter(ctx, src.Crashes > 0)
	if err != nil {
		return out, err
	}
	defer leave()
	c.Store.Index.Begin()
	if err = c.begin(ctx, &src); err == nil {
		err = c.guarded(ctx, &src, &out)
	}
	indexErr := c.Store.Index.End(ctx)
	if ctx.Err() != nil {
		return out, errors.Join(ctx.Err(), c.stopped(ctx, src.ID))
	}
	if errors.Is(err, database.ErrUnreachable) { // not the source's fault
		return out, errors.Join(err, database.RetryUntilReachable(ctx, c.Logger, func() error { return c.Store.StopCollection(ctx, src.ID) }))
	}
	now := c.Store.Now()
	src.CheckedAt = now
	if err != nil {
		fail(&src, err, now)
	} else {
		err = c.succeed(ctx, &src, out, now)
	}
	out.Source = src
	// If the end of a collection is not recorded, the collection counts as one that ended
	// the process.
	saveErr := database.RetryUntilReachable(ctx, c.Logger, func() error { return c.Store.SaveCollection(ctx, src) })
	return out, errors.Join(err, saveErr, indexErr)
}

// succeed records in s that it was collected.
func (c *Collector) succeed(ctx context.Context, s *feed.Source, out Collection, now time.Time) error {
	var held int64
	if out.New > 0 {
		noteNews(s, now)
		var err error
		if out.old > 0 { // otherwise nothing can be a flood
			if held, err = c.Store.HoldFlood(ctx, s.ID); err != nil {
				return err
			}
		}
	}
	if held == 0 && s.Failures > 0 {
		// Articles of an earlier flood are still held, whatever state the source had since.
		var err error
		if held, err = c.Store.CountHeld(ctx, s.ID); err != nil {
			return err
		}
	}
	switch {
	case held > 0:
		s.State, s.LastError = feed.StateFlood, fmt.Sprintf("%d texts that are over a year old came in one day and are held back", held)
	case s.State == feed.StateFlood:
		// Only an admin ends this state.
	case !s.NewsAt.IsZero() && now.Sub(s.NewsAt) > quietAfter:
		s.State, s.LastError = feed.StateQuiet, ""
	default:
		s.State, s.LastError = feed.StateOK, ""
	}
	s.Failures, s.Crashes, s.LastAdvice = 0, 0, ""
	s.SucceededAt, s.NextAt = now, nextAfter(*s, now, out.header)
	return nil
}

// fail records in s why it could not be collected and when to try again.
func fail(s *feed.Source, err error, now time.Time) {
	s.Failures++
	s.LastError, s.LastAdvice = redact.Text(err.Error()), ""
	var answered *answer.Error
	if errors.As(err, &answered) {
		s.LastError, s.LastAdvice = redact.Text(answered.Sentence()), redact.Text(answered.Advice(strconv.FormatInt(s.ID, 10)))
	}
	s.State = stateAfter(err)
	pause := min(s.Interval<<min(s.Failures-1, 10), maxBackoff)
	var status *fetch.StatusError
	if errors.As(err, &status) {
		pause = max(pause, status.RetryAfter)
	}
	s.NextAt = now.Add(spread(*s, pause))
}

func (c *Collector) collect(ctx context.Context, src *feed.Source, out *Collection) error {
	if ingest.Kinds[src.Kind] == nil {
		return fmt.Errorf("source %d has kind %q, which this version does not support", src.ID, src.Kind)
	}
	if dir, ok := strings.CutPrefix(src.URL, feed.MaildirScheme); ok {
		return c.collectMaildir(ctx, src, dir, out)
	}
	req := src.Request(src.URL, src.Kind == "page")
	req.ETag, req.LastModified = src.ETag, src.LastModified
	visitor, err := c.visitor(src)
	if err != nil {
		return err
	}
	resp, err := visitor.Get(ctx, req)
	if err != nil {
		return adviseOnPrivate(src, err)
	}
	if src.Private != fetch.Origin(resp.URL) {
		src.Private = "" // no admin entered the host that answered; the change is never saved
	}
	out.header = resp.Header
	if noteMove(src, resp) {
		c.Logger.Info("source has moved permanently", "source_id", src.ID, "from", src.URL, "to", resp.URL)
		src.URL, src.MovedTo, src.Moves = resp.URL, "", 0
	}
	if resp.NotModified || hashOf(resp.Hash) == src.BodyHash {
		out.NotModified = true
		return c.retryPages(ctx, src, out)
	}
	readHints(src, c.pageOf(resp), resp.Header)
	if err := out.hold(ctx, len(resp.Body)); err != nil {
		return err
	}
	l, hash, err := c.readList(ctx, src, visitor, resp)
	if err != nil {
		return err
	}
	if hash == src.BodyHash {
		out.NotModified = true
		return c.retryPages(ctx, src, out)
	}
	items := l.Items
	out.Items = len(items)
	out.Warnings = append(out.Warnings, l.Warnings()...)
	suspect := noteItems(src, len(items))
	if items, err = c.readMore(ctx, src, l, len(resp.Body), out); err != nil {
		return err
	}
	src.Warnings = slices.Clone(out.Warnings) // warnings about the list; those about articles follow
	finished, err := c.storeItems(ctx, src, items, out)
	if err != nil {
		return err
	}
	if suspect != nil && src.Kind != "feed" { // a feed may be arbitrarily short
		return suspect
	}
	if finished && !l.IsTruncated() { // otherwise the same bytes must be read again
		src.ETag, src.LastModified, src.BodyHash = resp.ETag, resp.LastModified, hash
		if hash != hashOf(resp.Hash) {
			src.ETag, src.LastModified = "", "" // these belong to the page that links to the list, which stays the same
		}
	}
	return c.retryPages(ctx, src, out)
}

// adviseOnPrivate adds advice if the address of a source is in our own network.
func adviseOnPrivate(src *feed.Source, err error) error {
	var blocked *fetch.BlockedError
	if errors.As(err, &blocked) && blocked.Local && blocked.URL == src.URL {
		return fmt.Errorf("%w; if the site is in your own network, permit it: dibao source edit %d --private", err, src.ID)
	}
	return err
}

// pageOf returns a response as a page.
func (c *Collector) pageOf(resp *fetch.Response) ingest.Page {
	return ingest.Page{URL: resp.URL, ContentType: resp.Header.Get("Content-Type"), Body: resp.Body, FetchedAt: c.Store.Now()}
}

// storeItems stores new and changed items, oldest first, so that ids grow with time. It
// reports whether it completed.
func (c *Collector) storeItems(ctx context.Context, src *feed.Source, items []ingest.Item, out *Collection) (finished bool, err error) {
	guids := make([]string, len(items))
	for i, it := range items {
		guids[i] = it.GUID
	}
	stored, err := c.Store.KnownArticles(ctx, src.ID, guids)
	if err != nil {
		return false, err
	}
	complete := make([]feed.Incoming, 0, max(0, len(items)-len(stored)))
	var pages []ingest.Item
	for _, it := range slices.Backward(items) {
		k, isKnown := stored[it.GUID]
		switch {
		case isKnown && it.NeedsPage:
			// Its page was read, or is waiting for its next attempt.
		case it.NeedsPage:
			pages = append(pages, it)
		default:
			a := feed.Incoming{Article: c.judge(src, it), New: !isKnown}
			a.PageState = feed.PageComplete
			if !isKnown || k.Hash != a.TextHash {
				complete = append(complete, a)
			}
		}
	}
	if err := c.save(ctx, complete, out); err != nil {
		return false, err
	}
	out.release()
	return c.readPages(ctx, src, pages, nil, out)
}

// Add stores items as if the source with this id had just listed them; their
// pages are not fetched.
func (c *Collector) Add(ctx context.Context, source int64, items []ingest.Item) (Collection, error) {
	ctx = database.Background(ctx)
	src, err := c.Store.SourceByID(ctx, source)
	if err != nil {
		return Collection{}, err
	}
	out := Collection{Source: src, Items: len(items)}
	for i := range items {
		items[i].NeedsPage = false
	}
	c.Store.Index.Begin()
	_, err = c.storeItems(ctx, &src, items, &out)
	return out, errors.Join(err, c.Store.Index.End(ctx))
}

// Difference is the difference between a list and what is stored of its source.
type Difference struct {
	New      []ingest.Item
	Retitled []string // stored titles of items that have another title now
}

// Compare compares the items of a list with what is stored of its source.
func (c *Collector) Compare(ctx context.Context, source int64, items []ingest.Item) (Difference, error) {
	guids := make([]string, len(items))
	for i, it := range items {
		guids[i] = it.GUID
	}
	stored, err := c.Store.KnownArticles(ctx, source, guids)
	if err != nil {
		return Difference{}, err
	}
	var d Difference
	ids := make([]int64, 0, len(stored))
	for _, k := range stored {
		ids = append(ids, k.ID)
	}
	articles, err := c.Store.ArticlesByID(ctx, ids)
	if err != nil {
		return d, err
	}
	for _, it := range items {
		k, ok := stored[it.GUID]
		if !ok {
			d.New = append(d.New, it)
		} else if title := articles[k.ID].Title(); title != it.Title && !strings.HasPrefix(title, strings.TrimRight(it.Title, ".…")) {
			d.Retitled = append(d.Retitled, title)
		}
	}
	return d, nil
}

func (c *Collector) save(ctx context.Context, articles []feed.Incoming, out *Collection) error {
	if len(articles) == 0 {
		return nil
	}
	if out.intake == nil {
		out.intake = c.Store.NewIntake()
	}
	now := c.Store.Now()
	ctx, span := trace.Start(ctx, "store", slog.Int("articles", len(articles)))
	added, err := out.intake.Store(ctx, articles, now)
	span.End(err)
	if err != nil {
		return err
	}
	out.New += added
	out.Changed += len(articles) - added
	old := policy.DateOf(now.Add(-feed.FloodAge))
	for _, a := range articles {
		if !a.Facts.IssuedOn.IsZero() && a.Facts.IssuedOn.Before(old) {
			out.old++
		}
		c.Logger.Debug("article stored", "source_id", a.SourceID, "url", a.URL, "page", a.PageState)
	}
	return nil
}

// judge has package policy evaluate an item.
func (c *Collector) judge(src *feed.Source, it ingest.Item) feed.Article {
	return feed.Judge(*src, it, c.Store.Now())
}
