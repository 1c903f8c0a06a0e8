package site

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"dibao/feed"
	"dibao/feed/amend"
	"dibao/internal/fault"
	"dibao/internal/web"
	"dibao/policy"
	"dibao/policy/division"
)

// The JSON API is read-only. Its keys are those of the CLI; unknown values are null.
// digest/pages/openapi.json describes it.

// APIPage is a part of a long response; Next is the cursor of the next part.
type APIPage struct {
	Data any     `json:"data"`
	Next *string `json:"next"`
}

// registerAPI registers the API of articles, documents and relations on mux.
func (h *Web) registerAPI(mux *http.ServeMux) {
	mux.HandleFunc("GET /api/v1/articles", h.apiArticles)
	mux.HandleFunc("GET /api/v1/articles/{id}", h.apiArticle)
	mux.HandleFunc("GET /api/v1/documents", h.apiDocuments)
	mux.HandleFunc("GET /api/v1/documents/{number}", h.apiDocument)
	mux.HandleFunc("GET /api/v1/relations", h.apiRelations)
}

// ServeAPI answers with JSON from the cache, which is rebuilt when something has changed.
// Query parameters other than names are ignored.
func (h *Web) ServeAPI(w http.ResponseWriter, r *http.Request, names string, build func(ctx context.Context, q url.Values) (any, error)) {
	version, modified, err := h.Store.Version(r.Context())
	if err != nil {
		h.failAPI(w, r, err)
		return
	}
	q, kept := r.URL.Query(), make(url.Values)
	for _, name := range strings.Fields(names) {
		if v := strings.ToValidUTF8(q.Get(name), ""); v != "" {
			kept.Set(name, v)
		}
	}
	key := r.URL.Path + "?" + kept.Encode()
	if len(key) > 1000 {
		h.failAPI(w, r, fault.Invalid("the address is too long"))
		return
	}
	err = h.Cache.Serve(w, r, key, version+" "+h.Today().String(), func() (web.Document, error) {
		answer, err := build(r.Context(), kept)
		if err != nil {
			return web.Document{}, err
		}
		body, err := json.Marshal(answer)
		header := http.Header{"Access-Control-Allow-Origin": {"*"}, "Access-Control-Expose-Headers": {"ETag, Link"}, "Vary": {"Accept-Encoding"}}
		if page, ok := answer.(APIPage); ok && page.Next != nil {
			kept.Set("cursor", *page.Next)
			header.Set("Link", "<"+h.BaseURL+r.URL.EscapedPath()+"?"+kept.Encode()+`>; rel="next"`)
		}
		return web.Document{Body: append(body, '\n'), MediaType: "application/json; charset=utf-8", Modified: modified, Header: header}, err
	})
	if err != nil {
		h.failAPI(w, r, err)
	}
}

// failAPI answers with an error as JSON (RFC 9457).
func (h *Web) failAPI(w http.ResponseWriter, r *http.Request, err error) {
	status, what := http.StatusInternalServerError, "something went wrong here; try again later"
	var invalid fault.InvalidError
	switch {
	case errors.As(err, &invalid):
		status, what = http.StatusBadRequest, invalid.Error()
	case errors.Is(err, feed.ErrNotFound):
		status, what = http.StatusNotFound, "nothing has this number or id; /api/v1/articles and /api/v1/documents list what there is"
	case errors.Is(err, context.Canceled):
	default:
		h.Logger.Error("request failed", "url", r.URL.Path, "err", err)
	}
	w.Header().Set("Content-Type", "application/problem+json; charset=utf-8")
	w.Header().Set("Access-Control-Allow-Origin", "*")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(map[string]any{"status": status, "title": http.StatusText(status), "detail": what}) // the client may have disconnected
}

const maxAPIPage = 100

// Paging reads limit and cursor; before is 0 if there is no cursor.
func Paging(q url.Values) (limit int, before int64, err error) {
	limit = 50
	if s := q.Get("limit"); s != "" {
		if limit, err = strconv.Atoi(s); err != nil || limit < 1 || limit > maxAPIPage {
			return 0, 0, fault.Invalid("limit must be from 1 to %d", maxAPIPage)
		}
	}
	if s := q.Get("cursor"); s != "" {
		if before, err = strconv.ParseInt(s, 36, 64); err != nil || before < 1 {
			return 0, 0, fault.Invalid("cursor is not valid; use the value of next in the previous response")
		}
	}
	return limit, before, nil
}

// NextCursor is the cursor after the last item of a full part.
func NextCursor(full bool, last int64) *string {
	if !full {
		return nil
	}
	s := strconv.FormatInt(last, 36)
	return &s
}

// apiFilters are the filters of a list of articles, by parameter: each is the key of a
// feed.
var apiFilters = map[string]func(string) (string, error){
	"source": func(v string) (string, error) {
		if n, err := strconv.ParseInt(v, 10, 64); err != nil || n < 1 {
			return "", fault.Invalid("source must be the number of a source, not %q", v)
		}
		return "source/" + v, nil
	},
	"theme": func(v string) (string, error) { return "theme/" + v, nil },
	"region": func(v string) (string, error) {
		code, err := apiRegion(v)
		return "region/" + code, err
	},
	"issuer": func(v string) (string, error) { return "issuer/" + v, nil },
	"number": func(v string) (string, error) {
		n, ok := policy.ParseNumber(v)
		if !ok {
			return "", fault.Invalid("number must be a document number such as 国办发〔2023〕15号, not %q", v)
		}
		return "number/" + n, nil
	},
}

// apiRegion reads a region, given as a code or a name; "" if there is none.
func apiRegion(v string) (string, error) {
	code := division.Code(v)
	if v != "" && code == "" {
		return "", fault.Invalid("region must be the code of a region, such as 51, or its name, not %q", v)
	}
	return code, nil
}

func (h *Web) apiArticles(w http.ResponseWriter, r *http.Request) {
	h.ServeAPI(w, r, "limit cursor source theme region issuer number", func(ctx context.Context, q url.Values) (any, error) {
		limit, before, err := Paging(q)
		if err != nil {
			return nil, err
		}
		entries, filters := allEntries(h.Store), 0
		for name, feedOf := range apiFilters {
			if v := q.Get(name); v != "" {
				key, err := feedOf(v)
				if err != nil {
					return nil, err
				}
				entries = entriesIn(h.Store, key)
				filters++
			}
		}
		if filters > 1 {
			return nil, fault.Invalid("only one of source, theme, region, issuer and number narrows a list; for more use /search")
		}
		if before == 0 {
			before = LastPlace
		}
		places, err := entries.Places(ctx, 0, before-1, limit)
		if err != nil {
			return nil, err
		}
		found, err := h.Store.ArticlesByID(ctx, ArticlesAt(places))
		data := []apiArticleView{}
		for _, p := range places {
			if a, ok := found[p.Article]; ok && !a.Hidden {
				data = append(data, newAPIArticle(a, h.BaseURL))
			}
		}
		page := APIPage{Data: data}
		if len(places) == limit {
			page.Next = NextCursor(true, places[limit-1].Number)
		}
		return page, err
	})
}

func (h *Web) apiArticle(w http.ResponseWriter, r *http.Request) {
	h.ServeAPI(w, r, "", func(ctx context.Context, _ url.Values) (any, error) {
		id, err := pathID(r)
		if err != nil {
			return nil, err
		}
		a, err := h.Store.Article(ctx, id)
		if err == nil && a.Hidden {
			err = feed.ErrNotFound
		}
		if err != nil {
			return nil, err
		}
		v := newAPIArticle(a, h.BaseURL)
		if a.Call != nil {
			v.Call = a.Call.View()
		}
		changes, err := amend.Changes(ctx, h.Store.DB(), a.ID)
		v.Changes = amend.Views(changes)
		if a.MayShowText() {
			v.HTML, v.Paragraphs = orNull(a.Content), a.Facts.Paragraphs
		}
		return v, err
	})
}

// apiDocument is a document as the API shows it.
type apiDocumentView struct {
	ID         int64             `json:"id"`
	URL        string            `json:"url"`
	Number     *string           `json:"number"`
	Title      string            `json:"title"`
	Issuers    []string          `json:"issuers"`
	Type       *string           `json:"type"`
	Level      *string           `json:"level"`
	Region     *string           `json:"region"`
	Theme      *string           `json:"theme"`
	Status     *string           `json:"status"`
	Issued     *string           `json:"issued"`
	Published  *string           `json:"published"`
	Effective  *string           `json:"effective"`
	Expires    *string           `json:"expires"`
	Repealed   *string           `json:"repealed"`
	Article    *int64            `json:"article"`
	Updated    time.Time         `json:"updated_at"`
	Articles   []int64           `json:"articles,omitempty"`
	Relations  []apiRelationView `json:"relations,omitempty"`
	RelationTo []apiRelationView `json:"related_by,omitempty"`
}

func (h *Web) newAPIDocument(d feed.Document) apiDocumentView {
	return apiDocumentView{
		ID: d.ID, URL: h.BaseURL + d.Path(), Number: orNull(d.Number), Title: d.Title, Issuers: orEmpty(d.Issuers), Type: orNull(d.Type), Level: orNull(string(d.Level)),
		Region: orNull(d.Region), Theme: orNull(d.Theme), Status: orNull(d.StatusWord(h.Today())), Issued: orNull(d.IssuedOn.String()), Published: orNull(d.PublishedOn.String()),
		Effective: orNull(d.EffectiveOn.String()), Expires: orNull(d.ExpiresOn.String()), Repealed: orNull(d.RepealedOn.String()), Article: idOrNull(d.Article), Updated: d.UpdatedAt.UTC(),
	}
}

func idOrNull(n int64) *int64 {
	if n == 0 {
		return nil
	}
	return &n
}

func (h *Web) apiDocuments(w http.ResponseWriter, r *http.Request) {
	h.ServeAPI(w, r, "limit cursor region level theme type issuer", func(ctx context.Context, q url.Values) (any, error) {
		limit, before, err := Paging(q)
		if err != nil {
			return nil, err
		}
		region, err := apiRegion(q.Get("region"))
		if err != nil {
			return nil, err
		}
		level := division.Level(q.Get("level"))
		if level != "" && !slices.Contains(division.Levels, level) {
			return nil, fault.Invalid("level must be one of %v, not %q", division.Levels, level)
		}
		all, err := h.Store.Documents(ctx, feed.DocumentSelection{
			Region: region, Level: level, Theme: q.Get("theme"), Type: q.Get("type"), Issuer: q.Get("issuer"), Before: before, Limit: limit,
		})
		data := []apiDocumentView{}
		for _, d := range all {
			data = append(data, h.newAPIDocument(d))
		}
		page := APIPage{Data: data}
		if len(all) == limit {
			page.Next = NextCursor(true, all[limit-1].ID)
		}
		return page, err
	})
}

func (h *Web) apiDocument(w http.ResponseWriter, r *http.Request) {
	h.ServeAPI(w, r, "", func(ctx context.Context, _ url.Values) (any, error) {
		name := r.PathValue("number")
		var d feed.Document
		if id, numeric := documentID(name); numeric {
			found, err := h.Store.Document(ctx, id)
			if err != nil {
				return nil, err
			}
			d = found
		} else {
			found, err := h.Store.FindDocuments(ctx, name)
			if err == nil && len(found) == 0 {
				err = feed.ErrNotFound
			}
			if err != nil {
				return nil, err
			}
			d = found[0]
		}
		if d.Article == 0 {
			return nil, feed.ErrNotFound
		}
		v := h.newAPIDocument(d)
		articles, err := h.Store.DocumentArticles(ctx, d.ID)
		from, errFrom := h.Store.RelationsFrom(ctx, d.ID)
		to, errTo := h.Store.RelationsTo(ctx, d.ID)
		v.Articles, v.Relations, v.RelationTo = articles, apiRelations(from), apiRelations(to)
		return v, errors.Join(err, errFrom, errTo)
	})
}

// apiRelationView says what an article says of a document.
type apiRelationView struct {
	ID       int64    `json:"id"`
	Kind     string   `json:"kind"`
	Article  int64    `json:"article"`
	Document *int64   `json:"document"`
	Target   *int64   `json:"target"`
	Number   *string  `json:"target_number"`
	Title    *string  `json:"target_title"`
	Issuers  []string `json:"target_issuers"`
	SaidIn   string   `json:"said_in"`
	Quote    *string  `json:"quote"`
}

func apiRelations(all []feed.Relation) []apiRelationView {
	views := []apiRelationView{}
	for _, r := range all {
		views = append(views, apiRelationView{
			ID: r.ID, Kind: cmp.Or(r.Kind, feed.CitesName), Article: r.Article, Document: idOrNull(r.Document), Target: idOrNull(r.Target),
			Number: orNull(r.TargetNumber), Title: orNull(r.TargetTitle), Issuers: orEmpty(r.TargetIssuers), SaidIn: r.SaidIn, Quote: orNull(r.Quote),
		})
	}
	return views
}

func (h *Web) apiRelations(w http.ResponseWriter, r *http.Request) {
	h.ServeAPI(w, r, "limit cursor kind", func(ctx context.Context, q url.Values) (any, error) {
		limit, before, err := Paging(q)
		if err != nil {
			return nil, err
		}
		if before == 0 {
			before = LastPlace
		}
		kind := q.Get("kind")
		if known := append([]string{feed.RelationPromises, feed.CitesName}, policy.Relations...); kind != "" && !slices.Contains(known, kind) {
			return nil, fault.Invalid("kind must be one of %v, not %q", known, kind)
		}
		all, err := h.Store.RelationsBefore(ctx, kind, before, limit)
		page := APIPage{Data: apiRelations(all)}
		if len(all) == limit {
			page.Next = NextCursor(true, all[limit-1].ID)
		}
		return page, err
	})
}

// orEmpty returns a list that is written as [] and not as null.
func orEmpty[T any](all []T) []T {
	if all == nil {
		return []T{}
	}
	return all
}
