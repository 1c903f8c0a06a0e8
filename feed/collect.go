package feed

import (
	"context"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"time"

	"dibao/feed/ingest"
	"dibao/internal/fetch"
	"dibao/policy"
)

const (
	// maxPages bounds the article pages that one collection asks a site for.
	maxPages = 100
	// giveUpAfter pages in a row that could not be read, the site is left alone
	// until the next collection.
	giveUpAfter = 5
	// shortPage is the length, in bytes, of a text that may be a wall's.
	shortPage = 1000
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
}

// Collect collects one source now, whether it is due or not. A source that
// can't be read is an error, and the state and sentence stored with the source
// say the same. Running it twice stores nothing twice.
func (c *Collector) Collect(ctx context.Context, id int64) (Collection, error) {
	src, err := c.Store.sourceByID(ctx, id)
	if err != nil {
		return Collection{}, err
	}
	out := Collection{Source: src}
	err = c.collect(ctx, &src, &out)
	if ctx.Err() != nil {
		return out, ctx.Err() // stopping says nothing about the source
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
	return out, errors.Join(err, saveErr)
}

// succeed records on s that it was collected.
func (c *Collector) succeed(ctx context.Context, s *Source, out Collection, now time.Time) error {
	var held int64
	if out.New > 0 {
		s.NewsAt = now
		var err error
		if held, err = c.holdFlood(ctx, *s); err != nil {
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
	s.Failures = 0
	s.SucceededAt, s.NextAt = now, now.Add(spread(*s, s.Interval))
	return nil
}

// fail records on s why it could not be collected and when to try again.
func fail(s *Source, err error, now time.Time) {
	s.Failures++
	s.LastError = err.Error()
	s.State = stateAfter(err)
	pause := min(s.Interval<<min(s.Failures-1, 10), maxBackoff)
	var status *fetch.StatusError
	if errors.As(err, &status) {
		pause = max(pause, status.RetryAfter)
	}
	s.NextAt = now.Add(spread(*s, pause))
}

func (c *Collector) collect(ctx context.Context, src *Source, out *Collection) error {
	reader, ok := ingest.Kinds[src.Kind]
	if !ok {
		return fmt.Errorf("source %d has kind %q, which this version does not know", src.ID, src.Kind)
	}
	resp, err := c.Client.Get(ctx, fetch.Request{URL: src.URL, ETag: src.ETag, LastModified: src.LastModified, Page: src.Kind == "page"})
	if err != nil {
		return err
	}
	if noteMove(src, resp) {
		c.Logger.Info("source has moved for good", "source_id", src.ID, "from", src.URL, "to", resp.URL)
		src.URL, src.MovedTo, src.Moves = resp.URL, "", 0
	}
	hash := hex.EncodeToString(resp.Hash[:])
	if resp.NotModified || hash == src.BodyHash {
		out.NotModified = true
		return c.retryPages(ctx, src, out)
	}
	items, err := reader.Read(ingest.Page{URL: resp.URL, ContentType: resp.Header.Get("Content-Type"), Body: resp.Body}, src.Ingest())
	if err != nil {
		return errors.Join(findWall(resp.Body), fmt.Errorf("read %s: %w", src.URL, err))
	}
	if len(items) == 0 && src.Kind != "feed" {
		if wall := findWall(resp.Body); wall != nil {
			return wall
		}
		return errNothingFound
	}
	out.Items = len(items)
	suspect := noteItems(src, len(items))
	finished, err := c.storeItems(ctx, src, items, out)
	if err != nil {
		return err
	}
	if suspect != nil && src.Kind != "feed" { // a feed may be as short as it likes
		return suspect
	}
	if finished { // else the same bytes have to be read again
		src.ETag, src.LastModified, src.BodyHash = resp.ETag, resp.LastModified, hash
	}
	return c.retryPages(ctx, src, out)
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
			a.PageState = PageComplete
			if !isKnown || k.hash != a.TextHash {
				complete = append(complete, a)
			}
		}
	}
	if err := c.save(ctx, complete, out); err != nil {
		return false, err
	}
	return c.readPages(ctx, src, pages, nil, out)
}

// retryPages asks again for the article pages of src whose next try is due.
func (c *Collector) retryPages(ctx context.Context, src *Source, out *Collection) error {
	wanted, err := c.Store.pagesDue(ctx, src.ID, PageWanted)
	if err != nil {
		return err
	}
	items := make([]ingest.Item, len(wanted))
	tries := make(map[string]int, len(wanted))
	for i, a := range wanted {
		items[i] = a.item()
		tries[a.GUID] = a.PageTries
	}
	if _, err := c.readPages(ctx, src, items, tries, out); err != nil {
		return err
	}
	return c.recheckPages(ctx, src, out)
}

// readPages reads the article pages of items and stores each article as soon as
// it is known, so that a stop in the middle loses one page at most. tries says
// how often each was asked for before. It reports whether it got through.
func (c *Collector) readPages(ctx context.Context, src *Source, items []ingest.Item, tries map[string]int, out *Collection) (finished bool, err error) {
	failed := 0
	for i, it := range items {
		if i >= maxPages || failed >= giveUpAfter {
			return false, nil
		}
		a, err := c.readPage(ctx, src, it)
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
func (c *Collector) readPage(ctx context.Context, src *Source, it ingest.Item) (Article, error) {
	listed := c.judge(src, it)
	resp, err := c.Client.Get(ctx, fetch.Request{URL: it.URL, Page: true})
	if err != nil {
		return listed, err
	}
	full, err := ingest.ReadArticle(ingest.Page{URL: resp.URL, ContentType: resp.Header.Get("Content-Type"), Body: resp.Body}, src.Ingest(), it)
	if err != nil {
		return listed, errors.Join(findWall(resp.Body), err)
	}
	if len(strings.Join(full.Evidence.Paragraphs, "")) < shortPage {
		if wall := findWall(resp.Body); wall != nil {
			return listed, wall
		}
	}
	return c.judge(src, full), nil
}

// judge has policy say what the item is.
func (c *Collector) judge(src *Source, it ingest.Item) Article {
	facts := policy.Understand(it.Evidence)
	return Article{
		SourceID: src.ID, GUID: it.GUID, URL: it.URL, Facts: facts, Content: it.HTML,
		Evidence: it.Evidence, Attachments: it.Attachments,
		Warnings: append(slices.Clone(it.Warnings), facts.Warnings...),
		TextHash: hashText(facts),
	}
}

func (c *Collector) save(ctx context.Context, articles []Article, out *Collection) error {
	if len(articles) == 0 {
		return nil
	}
	now := c.Store.Now()
	added := 0
	err := c.Store.db.Write(ctx, func(tx *sql.Tx) error {
		added = 0
		upsert, err := tx.PrepareContext(ctx, upsertArticle)
		if err != nil {
			return err
		}
		defer upsert.Close()
		for _, a := range articles {
			var next time.Time
			if a.PageState == PageWanted {
				next = now.Add(pageRetries[min(a.PageTries, len(pageRetries))-1])
			} else if a.pageRead {
				next = recheckAt(a.PageTries, now)
			}
			if err := keepRevision(ctx, tx, a, now); err != nil {
				return err
			}
			isNew, err := saveArticle(ctx, upsert, a, next, now)
			if err != nil {
				return err
			}
			if isNew {
				added++
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	out.New += added
	out.Changed += len(articles) - added
	for _, a := range articles {
		c.Logger.Debug("article stored", "source_id", a.SourceID, "url", a.URL, "page", a.PageState)
	}
	return nil
}
