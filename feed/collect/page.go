package collect

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"dibao/policy/warn"

	"dibao/feed"
	"dibao/feed/ingest"
	"dibao/internal/fetch"
	"dibao/internal/filetext"
)

// retryPages requests the article pages of src again whose next attempt is due.
func (c *Collector) retryPages(ctx context.Context, src *feed.Source, out *Collection) error {
	due, err := c.Store.PagesDue(ctx, src.ID, maxPages)
	if err != nil || len(due) == 0 {
		return err
	}
	var items []ingest.Item
	var complete []feed.Article
	tries := make(map[string]int)
	for _, a := range due {
		if a.PageState == feed.PageComplete {
			complete = append(complete, a)
			continue
		}
		items = append(items, a.Item())
		tries[a.GUID] = a.PageTries
	}
	if _, err := c.readPages(ctx, src, items, tries, out); err != nil {
		return err
	}
	return c.recheckPages(ctx, src, complete, out)
}

// readPages reads the article pages of items and stores each article as soon as it is read,
// so that an interruption loses at most one page. tries is the number of earlier requests
// for each. It reports whether it completed.
func (c *Collector) readPages(ctx context.Context, src *feed.Source, items []ingest.Item, tries map[string]int, out *Collection) (finished bool, err error) {
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
		var in feed.Incoming
		if err != nil {
			// Lists often name pages before they are published: what is not found
			// counts as missing, and is requested again all the same.
			a.PageState = pageAfter(err, a.PageTries)
			if a.PageState == feed.PageWanted || isNotFound(err) && a.PageTries <= len(pageRetries) {
				in.PageNext = c.Store.Now().Add(pageRetries[min(a.PageTries, len(pageRetries))-1])
			}
			if a.PageState == feed.PageWanted {
				failed++
			}
			a.Warnings = append(a.Warnings, warn.New("page-unread", err))
			out.Warnings = append(out.Warnings, warn.New("article-unread", it.URL, err))
		} else {
			failed = 0
			if behindLogin(a) {
				if a.PageState = pageAfter(nil, a.PageTries); a.PageState == feed.PageWanted {
					in.PageNext = c.Store.Now().Add(pageRetries[min(a.PageTries, len(pageRetries))-1])
				}
			} else {
				a.PageState, a.PageTries = feed.PageComplete, 0
				in.PageNext = feed.RecheckAt(0, c.Store.Now())
			}
		}
		in.Article = a
		if err := c.save(ctx, []feed.Incoming{in}, out); err != nil {
			return false, err
		}
	}
	return true, nil
}

// behindLogin reports whether only the beginning of an article's text could be read.
func behindLogin(a feed.Article) bool {
	return slices.ContainsFunc(a.Warnings, func(w warn.Warning) bool { return w.Code == ingest.BehindLogin })
}

// pageAfter returns the state of a page that could not be read completely for the nth time.
func pageAfter(err error, n int) feed.PageState {
	var status *fetch.StatusError
	if isNotFound(err) || errors.As(err, &status) && status.Status == http.StatusGone {
		return feed.PageMissing
	}
	var refused *fetch.BlockedError
	if errors.As(err, &refused) || n > len(pageRetries) {
		return feed.PageMissing
	}
	return feed.PageWanted
}

func isNotFound(err error) bool {
	var status *fetch.StatusError
	return errors.As(err, &status) && status.Status == http.StatusNotFound
}

// readPage fetches and reads the page of an item. With an error it returns the article as
// the list describes it.
func (c *Collector) readPage(ctx context.Context, src *feed.Source, it ingest.Item, out *Collection) (feed.Article, error) {
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
			return listed, wall // more specific than the error that nothing was read
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
	return c.readGuides(ctx, src, full, out)
}

// readParts joins the other pages of an article that its site has split. If a page can't
// be read, it returns an error, so that a part is not taken for the whole.
func (c *Collector) readParts(ctx context.Context, src *feed.Source, page ingest.Page, whole ingest.Item) (ingest.Item, error) {
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
			return whole, fmt.Errorf("a further page of the article: %w", err)
		}
		page = c.pageOf(resp)
		part, err := readArticle(ctx, page, src, ingest.Item{URL: next})
		if err != nil {
			return whole, fmt.Errorf("page %s of the article: %w", next, err)
		}
		whole = ingest.AddPart(whole, part)
	}
	return whole, nil
}

// articlePage fetches the page of an article, or the page to which it redirects
// browsers.
func (c *Collector) articlePage(ctx context.Context, src *feed.Source, address string) (*fetch.Response, error) {
	v, err := c.visitor(src)
	if err != nil {
		return nil, err
	}
	v.Base = src.Request(src.URL, true)
	resp, err := v.Get(ctx, src.Request(address, true))
	if err != nil {
		return nil, err
	}
	return v.Article(ctx, resp)
}

// ReadArticle reads the page of an item of a source as a collection does, but stores
// nothing.
func (c *Collector) ReadArticle(ctx context.Context, s feed.Source, it ingest.Item) (feed.Article, error) {
	if !it.NeedsPage {
		return c.judge(&s, it), nil
	}
	var out Collection
	defer out.release()
	return c.readPage(ctx, &s, it, &out)
}
