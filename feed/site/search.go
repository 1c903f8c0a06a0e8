package site

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"dibao/feed"
	"dibao/feed/search"
	"dibao/policy"
	"dibao/policy/division"
	"dibao/templates"
)

// searchFields are the filters of a search page; each is a parameter of its address and a
// field of the query.
var searchFields = []string{"kind", "theme", "region", "issuer", "year"}

// searchSize is the number of articles on a page of results.
const searchSize = 20

// searchRequest is the request for a page of results.
type searchRequest struct {
	text   string
	fields map[string]string
	page   int // from 0
}

func readSearch(r *http.Request) searchRequest {
	q := r.URL.Query()
	s := searchRequest{text: strings.TrimSpace(q.Get("q")), fields: make(map[string]string)}
	for _, name := range searchFields {
		if v := strings.TrimSpace(q.Get(name)); v != "" && len(v) <= 200 {
			s.fields[name] = v
		}
	}
	if n, err := strconv.Atoi(q.Get("page")); err == nil && n > 1 && n <= search.MaxOffset/searchSize {
		s.page = n - 1
	}
	return s
}

// query returns the request as one line of the search language.
func (s searchRequest) query() string {
	parts := []string{s.text}
	for _, name := range searchFields {
		if v := s.fields[name]; v != "" {
			parts = append(parts, fmt.Sprintf(`%s:"%s"`, name, strings.ReplaceAll(v, `"`, "")))
		}
	}
	return strings.TrimSpace(strings.Join(parts, " "))
}

// address returns the address of the request, with one field changed ("" removes it), at
// the first page.
func (s searchRequest) address(name, value string) string {
	q := url.Values{}
	if s.text != "" {
		q.Set("q", s.text)
	}
	for k, v := range s.fields {
		q.Set(k, v)
	}
	q.Del(name)
	if value != "" {
		q.Set(name, value)
	}
	if len(q) == 0 {
		return "/search"
	}
	return "/search?" + q.Encode()
}

func (h *Web) searchPage(w http.ResponseWriter, r *http.Request) {
	s := readSearch(r)
	key := s.address("", "")
	if s.page > 0 {
		key = s.address("page", strconv.Itoa(s.page+1))
	}
	h.servePage(w, r, key, func(ctx context.Context, p templates.Page) (PageView, error) {
		query := s.query()
		view := templates.SearchPage{Query: s.text, Asked: query != "", Total: -1}
		p.Current, p.Title = "search", templates.Words(p.Language, "search.title")
		p.NoIndex = query != "" // search engines should not index results
		for _, name := range searchFields {
			if v := s.fields[name]; v != "" {
				view.Hidden = append(view.Hidden, templates.FacetValue{Text: name, URL: v})
			}
		}
		if query == "" {
			view.Page = p
			return view, nil
		}
		if s.text != "" {
			p.Title = s.text + " · " + p.Title
		}
		found, err := h.Store.Search(ctx, search.Query{Text: query, Limit: searchSize, Offset: s.page * searchSize, Facets: true})
		if err != nil {
			return nil, err
		}
		view.Total, view.More = found.Total, found.AtLeast
		for _, p := range found.Problems {
			if !p.Absent { // the page says anyway that nothing was found
				view.Problems = append(view.Problems, p.String())
			}
		}
		articles := make([]feed.Article, len(found.Hits))
		for i, hit := range found.Hits {
			articles[i] = hit.Article
		}
		if view.Items, err = h.Items(ctx, p.Language, articles); err != nil {
			return nil, err
		}
		for i := range view.Items {
			at := slices.IndexFunc(found.Hits, func(hit feed.Hit) bool { return feed.ArticleURL(h.BaseURL, hit.Article.ID) == view.Items[i].URL })
			view.Items[i].Marked, view.Items[i].Snippet = spans(found.Hits[at].Title), spans(found.Hits[at].Snippet)
		}
		view.Facets = s.facets(found.Facets, p.Language)
		if (s.page+1)*searchSize < found.Total && (s.page+1)*searchSize < search.MaxOffset {
			p.Older = s.address("page", strconv.Itoa(s.page+2))
		}
		if s.page > 0 {
			p.Newest = s.address("", "")
		}
		p.Feeds = searchFeeds(h.BaseURL, query, h.SiteName, p.Language)
		if number, ok := policy.ParseNumber(s.text); ok {
			documents, err := h.Store.FindDocuments(ctx, number)
			if err != nil {
				return nil, err
			}
			if len(documents) > 0 {
				view.Number = mentionOf(documents[0], h.Today())
			}
		}
		view.Page = p
		return view, nil
	})
}

// spans converts the spans of a search for a template.
func spans(all []search.Span) []templates.Span {
	out := make([]templates.Span, len(all))
	for i, s := range all {
		out[i] = templates.Span(s)
	}
	return out
}

// facets returns the filters for narrowing the results: the chosen value, or the counted
// ones.
func (s searchRequest) facets(f search.Facets, language string) []templates.Facet {
	var all []templates.Facet
	for _, x := range []struct {
		key    string
		counts []search.FacetCount
		name   func(string) string
	}{
		{"kind", f.Kinds, func(v string) string { return templates.Words(language, "kind."+v) }},
		{"year", f.Years, func(v string) string { return v }},
		{"theme", f.Themes, func(v string) string { return themeName(v, language) }},
		{"region", f.Regions, func(v string) string { return division.NameIn(v, language) }},
		{"issuer", f.Issuers, func(v string) string { return v }},
	} {
		facet := templates.Facet{Key: x.key}
		chosen := s.fields[x.key]
		if chosen != "" {
			facet.All = s.address(x.key, "")
		}
		for _, c := range x.counts[:min(len(x.counts), facetValues)] {
			if name := x.name(c.Value); name != "" {
				facet.Values = append(facet.Values, templates.FacetValue{Text: name, URL: s.address(x.key, c.Value), Count: c.Count, Chosen: c.Value == chosen})
			}
		}
		if len(facet.Values) > 1 || chosen != "" {
			all = append(all, facet)
		}
	}
	return all
}

// facetValues is the number of values of a facet on a page.
const facetValues = 8

// searchFeeds returns the feeds of a search.
func searchFeeds(base, query, title, language string) []templates.FeedLink {
	links := FeedLinks(base, "/search/", title+" · "+query)
	for i := range links {
		links[i].URL += "?q=" + url.QueryEscape(query)
		if language == "en" {
			links[i].URL += "&lang=en"
		}
	}
	return links
}
