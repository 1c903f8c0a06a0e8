package feed

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"dibao/feed/ingest"
	"dibao/feed/ingest/answer"
	"dibao/feed/ingest/pager"
	"dibao/feed/visit"
	"dibao/internal/database"
	"dibao/internal/fetch"
	"dibao/internal/filetext"
	"dibao/internal/redact"
	"dibao/policy"
)

const (
	// maxPages bounds the article pages that one collection asks a site for.
	maxPages = 100
	// maxPageBytes is how much of them it reads: a hundred pages of 5 MB took minutes.
	maxPageBytes = 32 << 20
	// giveUpAfter pages in a row that could not be read, the site is left alone
	// until the next collection.
	giveUpAfter = 5
	// maxListPages is how far back a list is read to find what is known of it.
	maxListPages = 10
	// maxParts is how many further pages an article may have.
	maxParts = 30
	// maxPartsTime is for fetching them: others wait for the memory of the first.
	maxPartsTime = 3 * time.Minute
	// shortPage is the length, in bytes, of a text that may be a wall's.
	shortPage = 1000
	// shortText is the length, in characters, of a page's text under which the
	// file beside it is read.
	shortText = 300
	// maxBackoff is the longest pause of a source that keeps failing.
	maxBackoff = 24 * time.Hour
)

// pageRetries are the pauses before an article page that could not be read is
// asked for again; after the last it counts as missing.
var pageRetries = [...]time.Duration{time.Hour, 6 * time.Hour, 24 * time.Hour, 72 * time.Hour}

// Collector brings the articles of a source into the store.
type Collector struct {
	Store  *Store
	Client *fetch.Client
	Logger *slog.Logger
	// FileText returns the text of a PDF, DOCX or OFD file, page by page; nil reads
	// none.
	FileText func(ctx context.Context, file []byte) ([]string, error)
	// Browser draws the pages of sources with Settings.Render; nil: none is set up.
	Browser visit.Browser
}

// Collection says what one collection of a source did.
type Collection struct {
	Source      Source
	NotModified bool // nothing was read: the source said 304 or gave the same bytes
	Items       int  // that the source listed
	New         int  // articles stored
	Changed     int  // articles whose text changed
	Withdrawn   int  // articles whose page the site took away
	Warnings    []string
	header      http.Header // of the answer, nil if there was none
	old         int         // of what was stored, made over a year ago
	compared    *comparisons
	pageBytes   int    // of article pages that were read
	held        func() // gives back the memory of what is read and not stored
}

// Collect collects one source now, whether it is due or not. A source that
// can't be read is an error, and the state and sentence stored with the source
// say the same. Running it twice stores nothing twice.
func (c *Collector) Collect(ctx context.Context, id int64) (Collection, error) {
	ctx = database.Background(ctx)
	src, err := c.Store.SourceByID(ctx, id)
	if err != nil {
		return Collection{}, err
	}
	out := Collection{Source: src}
	defer func() { out.release() }()
	leave, err := c.Store.turns.enter(ctx, src.crashes > 0 || !src.begunAt.IsZero())
	if err != nil {
		return out, err
	}
	defer leave()
	c.Store.Index.Begin()
	if err = c.Store.begin(ctx, &src); err == nil {
		err = c.guarded(ctx, &src, &out)
	}
	indexErr := c.Store.Index.End(ctx)
	if ctx.Err() != nil {
		return out, errors.Join(ctx.Err(), c.Store.stopped(ctx, src))
	}
	now := c.Store.Now()
	src.CheckedAt = now
	if err != nil {
		fail(&src, err, now)
	} else {
		err = c.succeed(ctx, &src, out, now)
	}
	out.Source = src
	saveErr := c.Store.db.Write(ctx, func(tx *sql.Tx) error { return saveCollection(ctx, tx, src) })
	return out, errors.Join(err, saveErr, indexErr)
}

// succeed records on s that it was collected.
func (c *Collector) succeed(ctx context.Context, s *Source, out Collection, now time.Time) error {
	var held int64
	if out.New > 0 {
		noteNews(s, now)
		var err error
		if out.old > 0 { // else there is nothing to hold back
			if held, err = c.holdFlood(ctx, *s); err != nil {
				return err
			}
		}
	}
	if held == 0 && s.Failures > 0 {
		// What came in a flood is still held, whatever the source has been since.
		var err error
		if held, err = c.Store.heldOf(ctx, s.ID); err != nil {
			return err
		}
	}
	switch {
	case held > 0:
		s.State, s.LastError = StateFlood, fmt.Sprintf("%d texts made over a year ago came in a day and are held back", held)
	case s.State == StateFlood:
		// An admin releases it.
	case !s.NewsAt.IsZero() && now.Sub(s.NewsAt) > quietAfter:
		s.State, s.LastError = StateQuiet, ""
	default:
		s.State, s.LastError = StateOK, ""
	}
	s.Failures, s.crashes, s.advice = 0, 0, ""
	s.SucceededAt, s.NextAt = now, s.nextAfter(now, out.header)
	return nil
}

// fail records on s why it could not be collected and when to try again.
func fail(s *Source, err error, now time.Time) {
	s.Failures++
	s.LastError, s.advice = redact.Text(err.Error()), ""
	var answered *answer.Error
	if errors.As(err, &answered) {
		s.LastError, s.advice = redact.Text(answered.Sentence()), redact.Text(answered.Advice(strconv.FormatInt(s.ID, 10)))
	}
	s.State = stateAfter(err)
	pause := min(s.Interval<<min(s.Failures-1, 10), maxBackoff)
	if slowed(err) {
		pause = maxBackoff
	}
	var status *fetch.StatusError
	if errors.As(err, &status) {
		pause = max(pause, status.RetryAfter)
	}
	s.NextAt = now.Add(spread(*s, pause))
}

func (c *Collector) collect(ctx context.Context, src *Source, out *Collection) error {
	if ingest.Kinds[src.Kind] == nil {
		return fmt.Errorf("source %d has kind %q, which this version does not know", src.ID, src.Kind)
	}
	if dir, ok := strings.CutPrefix(src.URL, maildirScheme); ok {
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
		src.Private = "" // another host answers: what it lists is not what an admin typed; never saved from here
	}
	out.header = resp.Header
	if noteMove(src, resp) {
		c.Logger.Info("source has moved for good", "source_id", src.ID, "from", src.URL, "to", resp.URL)
		src.URL, src.MovedTo, src.Moves = resp.URL, "", 0
	}
	if resp.NotModified || hashOf(resp.Hash) == src.BodyHash {
		out.NotModified = true
		return c.retryPages(ctx, src, out)
	}
	src.readHints(c.pageOf(resp), resp.Header)
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
	suspect := noteItems(src, len(items))
	if items, err = c.readMore(ctx, src, l, len(resp.Body), out); err != nil {
		return err
	}
	finished, err := c.storeItems(ctx, src, items, out)
	if err != nil {
		return err
	}
	if suspect != nil && src.Kind != "feed" { // a feed may be as short as it likes
		return suspect
	}
	if finished { // else the same bytes have to be read again
		src.ETag, src.LastModified, src.BodyHash = resp.ETag, resp.LastModified, hash
		if hash != hashOf(resp.Hash) {
			src.ETag, src.LastModified = "", "" // of the page that leads there: it stays the same
		}
	}
	return c.retryPages(ctx, src, out)
}

// Request is a GET on behalf of the source. A source that moved to another host
// has no permission left.
func (s Source) Request(address string, isPage bool) fetch.Request {
	req := fetch.Request{URL: address, Page: isPage, Proxy: s.Proxy, UserAgent: s.UserAgent}
	if s.Private != "" && s.Private == fetch.Origin(s.URL) {
		req.Private = s.Private
	}
	return req
}

// adviseOnPrivate adds what to do where the address of a source itself is in our
// own network.
func adviseOnPrivate(src *Source, err error) error {
	var blocked *fetch.BlockedError
	if errors.As(err, &blocked) && blocked.Local && blocked.URL == src.URL {
		return fmt.Errorf("%w; if the site is in your own network, permit it: dibao source edit %d --private", err, src.ID)
	}
	return err
}

// pageOf is what was fetched just now.
func (c *Collector) pageOf(resp *fetch.Response) ingest.Page {
	return ingest.Page{URL: resp.URL, ContentType: resp.Header.Get("Content-Type"), Body: resp.Body, FetchedAt: c.Store.Now()}
}

// readMore goes on to the next pages of a list as long as everything on a page is
// new to us, so that nothing that came since the last collection is missed. Of a
// new source it reads as many pages as the admin asked for. size is that of the page
// that l was read of, in bytes.
func (c *Collector) readMore(ctx context.Context, src *Source, l ingest.List, size int, out *Collection) ([]ingest.Item, error) {
	most, asked, items := maxListPages, 0, l.Items
	if src.SucceededAt.IsZero() {
		asked = src.Settings.Pages
		most = max(asked, 1)
	}
	if src.Kind != "page" {
		most = 1
	}
	listed := make(map[string]bool, len(items))
	for _, it := range items {
		listed[it.GUID] = true
	}
	for n := 1; n < most; n++ {
		guids := make([]string, len(l.Items))
		for i, it := range l.Items {
			guids[i] = it.GUID
		}
		known, err := c.Store.knownArticles(ctx, src.ID, guids)
		if err != nil || len(known) > 0 {
			return items, err
		}
		if l.Next == "" {
			out.notePager(l.Pager, n, asked)
			return items, nil
		}
		resp, err := c.Client.Get(ctx, src.Request(l.Next, true))
		if err != nil {
			if ctx.Err() != nil {
				return items, ctx.Err()
			}
			c.Logger.Info("the next page of a list was not read", "source_id", src.ID, "url", l.Next, "err", err)
			out.Warnings = append(out.Warnings, fmt.Sprintf("page %d of the list was not read: %v", n+1, err))
			return items, nil
		}
		size += len(resp.Body)
		if err := out.hold(ctx, size); err != nil {
			return items, err
		}
		next := l.Next
		if l, err = read(ctx, src.Kind, c.pageOf(resp), src); err != nil || len(l.Items) == 0 {
			out.Warnings = append(out.Warnings, fmt.Sprintf("page %d of the list (%s) holds no list", n+1, next))
			return items, nil // an odd page behind a good one is no failure of the source
		}
		before := len(items)
		for _, it := range l.Items {
			if !listed[it.GUID] {
				listed[it.GUID] = true
				items = append(items, it)
			}
		}
		if len(items) == before {
			return items, nil
		}
	}
	return items, nil
}

// notePager warns where more pages of a list were asked for than were reached.
func (out *Collection) notePager(p pager.Pager, reached, asked int) {
	if asked > reached {
		out.Warnings = append(out.Warnings, fmt.Sprintf("%d of %d pages of the list were read: %s", reached, asked, p.Say(false)))
	}
}

// Ingest returns what a reader has to know of the source.
func (s Source) Ingest() ingest.Source {
	return ingest.Source{URL: s.URL, Name: s.Name, Zone: s.Zone, Issuer: s.Issuer, Region: s.Region, Settings: s.Settings}
}

// storeItems stores what is new or changed among items, the oldest first, so
// that ids grow with time. It reports whether it got through all of them.
func (c *Collector) storeItems(ctx context.Context, src *Source, items []ingest.Item, out *Collection) (finished bool, err error) {
	guids := make([]string, len(items))
	for i, it := range items {
		guids[i] = it.GUID
	}
	stored, err := c.Store.knownArticles(ctx, src.ID, guids)
	if err != nil {
		return false, err
	}
	var complete []Article
	var pages []ingest.Item
	for _, it := range slices.Backward(items) {
		k, isKnown := stored[it.GUID]
		switch {
		case isKnown && it.NeedsPage:
			// Its page was read, or is waiting for its next try.
		case it.NeedsPage:
			pages = append(pages, it)
		default:
			a := c.judge(src, it)
			a.PageState, a.isNew = PageComplete, !isKnown
			if !isKnown || k.hash != a.TextHash {
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

// Difference is how a list differs from what is stored of its source.
type Difference struct {
	New      []ingest.Item
	Retitled []string // stored titles of items that the list calls otherwise now
}

// Compare holds the items of a list against what is stored of a source.
func (st *Store) Compare(ctx context.Context, source int64, items []ingest.Item) (Difference, error) {
	guids := make([]string, len(items))
	for i, it := range items {
		guids[i] = it.GUID
	}
	stored, err := st.knownArticles(ctx, source, guids)
	if err != nil {
		return Difference{}, err
	}
	var d Difference
	ids := make([]int64, 0, len(stored))
	for _, k := range stored {
		ids = append(ids, k.id)
	}
	articles, err := st.ArticlesByID(ctx, ids)
	if err != nil {
		return d, err
	}
	for _, it := range items {
		k, ok := stored[it.GUID]
		if !ok {
			d.New = append(d.New, it)
		} else if title := articles[k.id].Title(); title != it.Title && !strings.HasPrefix(title, strings.TrimRight(it.Title, ".…")) {
			d.Retitled = append(d.Retitled, title)
		}
	}
	return d, nil
}

// retryPages asks again for the article pages of src whose next try is due.
func (c *Collector) retryPages(ctx context.Context, src *Source, out *Collection) error {
	due, err := c.Store.pagesDue(ctx, src.ID)
	if err != nil || len(due) == 0 {
		return err
	}
	var items []ingest.Item
	var complete []Article
	tries := make(map[string]int)
	for _, a := range due {
		if a.PageState == PageComplete {
			complete = append(complete, a)
			continue
		}
		items = append(items, a.item())
		tries[a.GUID] = a.PageTries
	}
	if _, err := c.readPages(ctx, src, items, tries, out); err != nil {
		return err
	}
	return c.recheckPages(ctx, src, complete, out)
}

// readPages reads the article pages of items and stores each article as soon as
// it is known, so that a stop in the middle loses one page at most. tries says
// how often each was asked for before. It reports whether it got through.
func (c *Collector) readPages(ctx context.Context, src *Source, items []ingest.Item, tries map[string]int, out *Collection) (finished bool, err error) {
	failed := 0
	for i, it := range items {
		if i >= maxPages || failed >= giveUpAfter || out.pageBytes > maxPageBytes {
			return false, nil
		}
		a, err := c.readPage(ctx, src, it, out)
		if ctx.Err() != nil {
			return false, ctx.Err()
		}
		a.PageTries = tries[it.GUID] + 1
		if err != nil {
			if a.PageState = pageAfter(err, a.PageTries); a.PageState == PageWanted {
				failed++
			}
			warning := fmt.Sprintf("page not read: %v", err)
			a.Warnings = append(a.Warnings, warning)
			out.Warnings = append(out.Warnings, fmt.Sprintf("%s: %s", it.URL, warning))
		} else {
			a.PageState, a.PageTries, a.pageRead, failed = PageComplete, 0, true, 0
		}
		if err := c.save(ctx, []Article{a}, out); err != nil {
			return false, err
		}
	}
	return true, nil
}

// pageAfter says what a page is after it could not be read for the nth time.
func pageAfter(err error, n int) PageState {
	var status *fetch.StatusError
	if errors.As(err, &status) && (status.Status == http.StatusNotFound || status.Status == http.StatusGone) {
		return PageMissing
	}
	var refused *fetch.BlockedError
	if errors.As(err, &refused) || n > len(pageRetries) {
		return PageMissing
	}
	return PageWanted
}

// readPage fetches and reads the page of it. With an error it returns the
// article as its list describes it.
func (c *Collector) readPage(ctx context.Context, src *Source, it ingest.Item, out *Collection) (Article, error) {
	listed := c.judge(src, it)
	resp, err := c.articlePage(ctx, src, it.URL)
	if err != nil {
		return listed, err
	}
	if filetext.Readable(resp.Body) && c.FileText != nil {
		pages, err := c.FileText(ctx, resp.Body)
		if err != nil {
			return listed, err
		}
		if err := out.hold(ctx, len(strings.Join(pages, ""))); err != nil {
			return listed, err
		}
		return c.judge(src, ingest.FromFile(c.pageOf(resp), src.Ingest(), it, pages)), nil
	}
	if err := out.hold(ctx, len(resp.Body)); err != nil {
		return listed, err
	}
	out.pageBytes += len(resp.Body)
	full, err := readArticle(ctx, c.pageOf(resp), src, it)
	if err != nil {
		if wall := findWall(ctx, c.pageOf(resp), src); wall != nil {
			return listed, wall // which says more than that nothing was read
		}
		return listed, err
	}
	if len(strings.Join(full.Evidence.Paragraphs, "")) < shortPage {
		if err := isWall(ctx, c.pageOf(resp), src, it.Title); err != nil {
			return listed, err
		}
	}
	if full, err = c.readParts(ctx, src, c.pageOf(resp), full); err != nil {
		return listed, err
	}
	if full, err = c.readFrame(ctx, src, full); err != nil {
		return listed, err
	}
	if full, err = c.readFile(ctx, src, full, out); err != nil {
		return listed, err
	}
	return c.judge(src, full), nil
}

// readParts joins the further pages of an article that its site has cut up. One
// that can't be read is an error: a part must not pass for the whole.
func (c *Collector) readParts(ctx context.Context, src *Source, page ingest.Page, whole ingest.Item) (ingest.Item, error) {
	ctx, cancel := context.WithTimeout(ctx, maxPartsTime)
	defer cancel()
	seen := map[string]bool{page.URL: true}
	for range maxParts {
		next, err := nextPart(ctx, page, src)
		if err != nil {
			return whole, err
		}
		if next == "" || seen[next] {
			break
		}
		seen[next] = true
		resp, err := c.Client.Get(ctx, src.Request(next, true))
		if err != nil {
			return whole, fmt.Errorf("its further page: %w", err)
		}
		page = c.pageOf(resp)
		part, err := readArticle(ctx, page, src, ingest.Item{URL: next})
		if err != nil {
			return whole, fmt.Errorf("its further page %s: %w", next, err)
		}
		whole = ingest.AddPart(whole, part)
	}
	return whole, nil
}

func (c *Collector) save(ctx context.Context, articles []Article, out *Collection) error {
	if len(articles) == 0 {
		return nil
	}
	now := c.Store.Now()
	arrivals := make([]*arrival, len(articles))
	for i, a := range articles {
		arrivals[i] = &arrival{Article: a}
		if a.PageState == PageWanted {
			arrivals[i].pageNext = now.Add(pageRetries[min(a.PageTries, len(pageRetries))-1])
		} else if a.pageRead {
			arrivals[i].pageNext = recheckAt(a.PageTries, now)
		}
	}
	if out.compared == nil {
		out.compared = newComparisons()
	}
	added, err := c.Store.store(ctx, arrivals, storing{now: now, compared: out.compared})
	if err != nil {
		return err
	}
	out.New += added
	out.Changed += len(articles) - added
	old := policy.DateOf(now.Add(-floodAge))
	for _, a := range articles {
		if !a.Facts.IssuedOn.IsZero() && a.Facts.IssuedOn.Before(old) {
			out.old++
		}
		c.Logger.Debug("article stored", "source_id", a.SourceID, "url", a.URL, "page", a.PageState)
	}
	return nil
}
