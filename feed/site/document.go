package site

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"

	"dibao/feed"
	"dibao/policy"
	"dibao/policy/division"
	"dibao/templates"
)

// registerDocuments registers the pages of documents on mux.
func (h *Web) registerDocuments(mux *http.ServeMux) {
	mux.HandleFunc("GET /documents/{$}", func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, "/search?kind="+string(policy.KindDocument), http.StatusFound)
	})
	mux.HandleFunc("GET /articles/{$}", func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, "/search", http.StatusFound)
	})
	mux.HandleFunc("GET /documents/{number}", h.documentPage)
	mux.HandleFunc("GET /documents/{number}/{$}", h.documentPage)
	mux.HandleFunc("GET /documents/{number}/chain", h.chainPage)
}

// findDocument returns the document of a path and others with the same number.
// For another form of the number, or an id instead of a number, it redirects to
// the canonical path and returns ok false.
func (h *Web) findDocument(w http.ResponseWriter, r *http.Request, tail string) (d feed.Document, others []feed.Document, ok bool) {
	name := r.PathValue("number")
	var all []feed.Document
	var err error
	if id, numeric := documentID(name); numeric {
		if d, err = h.Store.Document(r.Context(), id); err == nil && d.Article == 0 {
			err = feed.ErrNotFound // every page that contains it is hidden
		}
		if err == nil && d.Number != "" {
			all, err = h.Store.FindDocuments(r.Context(), d.Number)
		}
		if err == nil && len(all) > 1 {
			return d, nil, true // another document has the same number: the page is at the id
		}
	} else if all, err = h.Store.FindDocuments(r.Context(), name); err == nil && len(all) > 0 {
		d, others = all[0], all[1:]
	}
	if err == nil && d.ID == 0 {
		err = feed.ErrNotFound
	}
	if err != nil {
		h.fail(w, r, err)
		return d, nil, false
	}
	want := d.Path() + tail
	if plain, err := url.PathUnescape(want); err != nil || r.URL.Path != plain {
		if r.URL.RawQuery != "" {
			want += "?" + r.URL.RawQuery
		}
		http.Redirect(w, r, want, http.StatusMovedPermanently)
		return d, nil, false
	}
	return d, others, true
}

// documentID reads a path that contains our own id of a document.
func documentID(name string) (int64, bool) {
	id, err := strconv.ParseInt(name, 10, 64)
	return id, err == nil && id > 0
}

func (h *Web) documentPage(w http.ResponseWriter, r *http.Request) {
	d, others, ok := h.findDocument(w, r, "")
	if !ok {
		return
	}
	h.servePage(w, r, r.URL.EscapedPath(), func(ctx context.Context, p templates.Page) (PageView, error) {
		today := h.Today()
		view := templates.DocumentPage{Document: mentionOf(d, today)}
		view.Document.Number = d.Number
		ids, err := h.Store.DocumentArticles(ctx, d.ID)
		if err != nil {
			return nil, err
		}
		if view.Articles, err = h.itemsByID(ctx, p.Language, ids); err != nil {
			return nil, err
		}
		ids, err = h.Store.Interpretations(ctx, d.ID)
		if err != nil {
			return nil, err
		}
		if view.Interpretations, err = h.itemsByID(ctx, p.Language, ids); err != nil {
			return nil, err
		}
		// The provenance of the dates comes from the article that shows it best.
		var shown feed.Article
		if d.Article != 0 {
			if shown, err = h.Store.Article(ctx, d.Article); err != nil {
				return nil, err
			}
		}
		view.Summary = shown.Facts.Summary
		view.Facts = documentFacts(d, shown, p.Language)
		chain, err := h.Store.Chain(ctx, d.ID)
		if err != nil {
			return nil, err
		}
		if view.Chain = len(chain.Steps); view.Chain > 0 {
			view.ChainURL = d.Path() + "/chain"
			view.Steps = chainRows(chain, today, p.Language)
			view.Steps = view.Steps[:min(len(view.Steps), firstSteps)]
		}
		to, err := h.relatives(ctx, d, &view.Groups)
		if err != nil {
			return nil, err
		}
		if view.Versions, err = h.versions(ctx, d); err != nil {
			return nil, err
		}
		view.Life = h.life(d, shown, to, chain, p.Language)
		for _, o := range others {
			m := mentionOf(o, today)
			m.URL = "/documents/" + strconv.FormatInt(o.ID, 10)
			addMention(&view.Groups, "同号", m)
		}
		p.Title, p.Description, p.Article, p.Current = d.Title, shown.Facts.Summary, true, "browse"
		p.Feeds = PageFeeds(h.BaseURL, d.Path()+"/", cmp.Or(d.Number, d.Title))
		if d.Number == "" {
			p.Feeds = PageFeeds(h.BaseURL, "/", h.SiteName)
		}
		for _, issuer := range d.Issuers[:min(1, len(d.Issuers))] {
			p.Crumbs = []templates.Crumb{{Title: templates.Words(p.Language, "facet.issuer"), URL: "/issuers/"}, {Title: issuer, URL: issuerPath(issuer)}}
		}
		p.Data = describeDocument(d, shown, view, h.BaseURL, p.Canonical, today)
		view.Page = p
		return view, nil
	})
}

func (h *Web) itemsByID(ctx context.Context, language string, ids []int64) ([]templates.Item, error) {
	articles, err := h.Store.ArticlesInOrder(ctx, ids)
	if err != nil {
		return nil, err
	}
	return h.Items(ctx, language, articles)
}

// documentFacts returns the box of facts of a document: from its best page, with what other
// texts state about it.
func documentFacts(d feed.Document, shown feed.Article, language string) []templates.Fact {
	a := shown
	f := &a.Facts
	if a.ID == 0 {
		f.Kind = policy.KindDocument
	}
	f.DocumentNumber, f.Issuers, f.Type, f.Theme, f.Region = d.Number, d.Issuers, d.Type, d.Theme, d.Region
	f.Level = d.Level
	if f.ExpiresOn != d.ExpiresOn { // another text changed it: see the relations
		f.ExpiresFrom = ""
	}
	f.IssuedOn, f.PublishedOn, f.EffectiveOn, f.ExpiresOn = d.IssuedOn, d.PublishedOn, d.EffectiveOn, d.ExpiresOn
	return articleFacts(a, language)
}

// shownRelations is the maximum number of documents in one group of relations; the page of
// the chain lists the others.
const shownRelations = 12

// relatives sets the groups of relations of a document to others and of others to it, and
// returns the latter.
func (h *Web) relatives(ctx context.Context, d feed.Document, groups *[]templates.RelationGroup) (to []related, err error) {
	from, err := h.Store.RelationsFrom(ctx, d.ID)
	if err != nil {
		return nil, err
	}
	others, err := h.Store.RelationsTo(ctx, d.ID)
	if err != nil {
		return nil, err
	}
	known, err := h.targets(ctx, append(slices.Clone(from), others...))
	if err != nil {
		return nil, err
	}
	var ids []int64
	for _, r := range others {
		if r.Document == 0 {
			ids = append(ids, r.Article)
		}
	}
	articles, err := h.Store.ArticlesByID(ctx, ids)
	if err != nil {
		return nil, err
	}
	for _, r := range from {
		if r.Target != d.ID {
			addMention(groups, relationKey(r.Kind), known.mention(r))
		}
	}
	for _, r := range others {
		x := related{relation: r}
		if by, ok := known.byID[r.Document]; ok {
			x.mention, x.on = mentionOf(by, h.Today()), by.On()
			x.effective = cmp.Or(by.EffectiveOn, by.On())
		} else if a, ok := articles[r.Article]; ok {
			x.mention = templates.Mention{Title: a.Title(), URL: feed.ArticleURL(h.BaseURL, a.ID), Issuer: a.SourceName, Date: a.Facts.PublishedOn.String()}
			x.on = a.Facts.PublishedOn
		} else {
			continue
		}
		x.mention.Sentence = r.Quote
		to = append(to, x)
		if r.Kind == policy.RelationInterprets || r.Kind == policy.RelationImplements && r.Document != 0 {
			continue // interpretations and the chain have their own sections
		}
		addMention(groups, relationKey(r.Kind)+".by", x.mention)
	}
	for i := range *groups {
		g := &(*groups)[i]
		g.Mentions = g.Mentions[:min(len(g.Mentions), shownRelations)]
	}
	slices.SortStableFunc(*groups, func(a, b templates.RelationGroup) int {
		return slices.Index(groupOrder, a.Key) - slices.Index(groupOrder, b.Key)
	})
	return to, nil
}

// related is a text with a relation to a document.
type related struct {
	relation      feed.Relation
	mention       templates.Mention
	on, effective policy.Date
}

// groupOrder is the order of the groups on a page; groups that are not listed come first.
var groupOrder = []string{
	"废止.by", "部分废止.by", "修改.by", "延长.by", "废止", "部分废止", "修改", "延长", "印发", "转发", "批转", "公布",
	"印发.by", "转发.by", "批转.by", "公布.by", "落实", "依据", "落实.by", "依据.by", "即将出台", "即将出台.by", "解读", "提到", "提到.by", "同号",
}

func (h *Web) versions(ctx context.Context, d feed.Document) ([]templates.Version, error) {
	all, err := h.Store.Versions(ctx, d.ID)
	if err != nil {
		return nil, err
	}
	var out []templates.Version
	for i, v := range all {
		row := templates.Version{Date: v.On().String(), Title: v.Title, Number: v.Number, URL: v.Path()}
		if i > 0 && v.Article != 0 && all[i-1].Article != 0 {
			row.ChangesURL = fmt.Sprintf("/articles/%d/changes?against=%d", v.Article, all[i-1].Article)
		}
		out = append(out, row)
	}
	slices.Reverse(out)
	return out, nil
}

// life returns the history of a document and its known future events, by day. Events
// without a day are left out.
func (h *Web) life(d feed.Document, shown feed.Article, to []related, chain feed.Chain, language string) []templates.LifeEvent {
	today := h.Today()
	type event struct {
		on policy.Date
		templates.LifeEvent
	}
	var all []event
	add := func(on policy.Date, e templates.LifeEvent) {
		if !on.IsZero() {
			e.Date, e.Ahead = on.String(), today.Before(on)
			all = append(all, event{on, e})
		}
	}
	f := shown.Facts
	for _, x := range to {
		e := templates.LifeEvent{Text: x.mention.Title, URL: x.mention.URL}
		switch x.relation.Kind {
		case feed.RelationPromises:
			e.Key = "promised"
			add(x.on, e)
		case policy.RelationAmends:
			e.Key = "amended"
			add(x.effective, e)
		case policy.RelationInterprets:
			e.Key = "interpreted"
			add(x.on, e)
		case policy.RelationRepeals:
			e.Key = "repealed"
			add(cmp.Or(d.RepealedOn, x.effective), e)
		}
	}
	add(d.IssuedOn, templates.LifeEvent{Key: "issued", Provenance: f.IssuedFrom})
	add(d.PublishedOn, templates.LifeEvent{Key: "published", Provenance: f.PublishedFrom})
	add(f.FirstEffectiveOn, templates.LifeEvent{Key: "first"})
	add(d.EffectiveOn, templates.LifeEvent{Key: "effective", Provenance: f.EffectiveFrom})
	if n := len(chain.Steps); n > 0 {
		first := chain.Steps[0].Document
		add(first.On(), templates.LifeEvent{Key: "implemented", Text: first.Title, URL: first.Path()})
	}
	add(d.SupersededOn, templates.LifeEvent{Key: "superseded"})
	if d.RepealedBy == 0 || d.RepealedOn.IsZero() || !d.ExpiresOn.IsZero() && d.ExpiresOn.Before(d.RepealedOn) {
		e := templates.LifeEvent{Key: "expires"}
		if d.ExpiresOn == f.ExpiresOn {
			e.Provenance = f.ExpiresFrom
		}
		add(d.ExpiresOn, e)
	}
	if !shown.WithdrawnAt.IsZero() {
		add(policy.DateOf(shown.WithdrawnAt.In(h.zone())), templates.LifeEvent{Key: "withdrawn"})
	}
	slices.SortStableFunc(all, func(a, b event) int { return a.on.Compare(b.on) })
	out := make([]templates.LifeEvent, len(all))
	for i := range all {
		out[i] = all[i].LifeEvent
		out[i].Provenance = templates.Provenance(language, out[i].Provenance)
	}
	return out
}

func (h *Web) chainPage(w http.ResponseWriter, r *http.Request) {
	d, _, ok := h.findDocument(w, r, "/chain")
	if !ok {
		return
	}
	h.servePage(w, r, r.URL.EscapedPath(), func(ctx context.Context, p templates.Page) (PageView, error) {
		chain, err := h.Store.Chain(ctx, d.ID)
		if err != nil {
			return nil, err
		}
		p.Title, p.Current = templates.Words(p.Language, "chain.title")+" · "+d.Title, "browse"
		p.Crumbs = []templates.Crumb{{Title: cmp.Or(d.Number, d.Title), URL: d.Path()}}
		p.Feeds = PageFeeds(h.BaseURL, "/", h.SiteName)
		if d.Number != "" {
			p.Feeds = FeedLinks(h.BaseURL, d.Path()+"/chain/", d.Number)
		}
		view := templates.ChainPage{Page: p, Document: mentionOf(d, h.Today()), Median: -1}
		view.Rows = chainRows(chain, h.Today(), p.Language)
		var lags []int
		for _, row := range view.Rows {
			if row.Lag >= 0 {
				lags = append(lags, row.Lag)
			}
		}
		if len(lags) > 0 {
			slices.Sort(lags)
			view.Median = lags[len(lags)/2]
			view.Ticks = ticks(lags, p.Language)
		}
		return view, nil
	})
}

// firstSteps is the number of steps of its chain on the page of a document.
const firstSteps = 5

func chainRows(chain feed.Chain, today policy.Date, language string) []templates.ChainRow {
	longest := 1
	for _, s := range chain.Steps {
		longest = max(longest, s.Days)
	}
	var rows []templates.ChainRow
	for _, s := range chain.Steps {
		m := mentionOf(s.Document, today)
		m.Sentence = s.Quote
		rows = append(rows, templates.ChainRow{Mention: m, Region: division.NameIn(s.Document.Region, language), Level: string(s.Document.Level), Lag: s.Days, Share: 100 * max(s.Days, 0) / longest})
	}
	return rows
}

// ticks places the days of a chain and the marks of its scale on a line of length 1000.
func ticks(lags []int, language string) []templates.ChainTick {
	longest := max(lags[len(lags)-1], 1)
	step := 1
	for _, s := range []int{1, 2, 5, 10, 30, 90, 180, 365, 730, 1825, 3650, 7300} {
		if step = s; longest/s <= 8 {
			break
		}
	}
	var all []templates.ChainTick
	for day := 0; day <= longest; day += step {
		all = append(all, templates.ChainTick{At: 1000 * day / longest, Label: templates.Words(language, "chain.days", day)})
	}
	for i := 0; i < len(lags); {
		n := 1
		for i+n < len(lags) && lags[i+n] == lags[i] {
			n++
		}
		all = append(all, templates.ChainTick{At: 1000 * lags[i] / longest, Label: templates.Words(language, "chain.days", lags[i]), Rows: n})
		i += n
	}
	return all
}

// describeDocument returns the description of a document for programs.
func describeDocument(d feed.Document, shown feed.Article, view templates.DocumentPage, base, canonical string, today policy.Date) map[string]any {
	a := shown
	f := &a.Facts
	f.Kind, f.Title, f.DocumentNumber, f.Issuers, f.Type, f.Region = policy.KindDocument, d.Title, d.Number, d.Issuers, d.Type, d.Region
	f.IssuedOn, f.PublishedOn, f.EffectiveOn, f.ExpiresOn = d.IssuedOn, d.PublishedOn, d.EffectiveOn, d.ExpiresOn
	if a.UpdatedAt.IsZero() {
		a.UpdatedAt = d.UpdatedAt
	}
	data := describe(a, base, today)
	data["@id"], data["url"] = canonical, canonical
	if force := force(view.Document.Status); force != "" {
		data["legislationLegalForce"] = force
	}
	if d.Article == 0 {
		delete(data, "publisher")
	}
	for _, g := range view.Groups {
		key := map[string]string{"废止": "legislationRepeals", "修改": "legislationAmends", "落实": "legislationTransposes", "依据": "isBasedOn"}[g.Key]
		if key == "" {
			continue
		}
		var all []map[string]any
		for _, m := range g.Mentions {
			x := map[string]any{"@type": "Legislation", "name": m.Title}
			if m.Number != "" {
				x["legislationIdentifier"] = m.Number
			}
			if m.URL != "" {
				x["url"] = base + m.URL
			}
			all = append(all, x)
		}
		data[key] = all
	}
	data["dateModified"] = d.UpdatedAt.UTC().Format(time.RFC3339)
	return data
}
