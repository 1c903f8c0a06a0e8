package site

import (
	"context"
	"maps"
	"slices"

	"dibao/feed"
	"dibao/feed/amend"
	"dibao/feed/asks"
	"dibao/policy"
	"dibao/templates"
)

// statusOn returns the status of a text on a day, as far as the text itself states it.
func statusOn(f policy.Facts, today policy.Date) string {
	return policy.StatusOf(f, nil, today).Word(today)
}

// Items returns the views of articles that pages list, in a language. They include the
// state of their documents if it is unusual, what these documents repeal and amend, who
// else has the same text, and what later notices changed in calls. A repost whose
// original is in the same list is left out.
func (h *Web) Items(ctx context.Context, language string, articles []feed.Article) ([]templates.Item, error) {
	ids := make([]int64, len(articles))
	for i, a := range articles {
		ids[i] = a.ID
	}
	documents, err := h.Store.DocumentsOfArticles(ctx, ids)
	if err != nil {
		return nil, err
	}
	clusters, err := h.Store.Clusters(ctx, ids)
	if err != nil {
		return nil, err
	}
	effects, err := h.Store.Effects(ctx, ids)
	if err != nil {
		return nil, err
	}
	copies, err := h.Store.ArticlesByID(ctx, shownCopies(ids, clusters))
	if err != nil {
		return nil, err
	}
	targets, err := h.targets(ctx, effects)
	if err != nil {
		return nil, err
	}
	amended, err := amend.States(ctx, h.Store.DB(), ids)
	if err != nil {
		return nil, err
	}
	today, words := h.Today(), asks.In(language)
	all := make([]templates.Item, 0, len(articles))
	for _, a := range articles {
		first := clusters[a.ID].First
		if first != 0 && first != a.ID && slices.Contains(ids, first) {
			continue
		}
		v := feed.ItemView(a, h.BaseURL)
		v.Status = statusOn(a.Facts, today)
		if d, ok := documents[a.ID]; ok {
			v.Status = d.StatusWord(today)
		}
		if v.Status == string(policy.StateInForce) {
			v.Status = "" // not shown for a new document
		}
		for _, r := range effects {
			if r.Article == a.ID && len(v.Effects) < maxEffects {
				m := targets.mention(r)
				m.Status = ""
				v.Effects = append(v.Effects, m)
			}
		}
		if s, ok := amended[a.ID]; ok {
			v.Change, v.ChangeURL = words.State(s), feed.ArticleURL(h.BaseURL, s.Notice)
			v.MoveDeadline(s.Until.String())
		}
		h.addCopies(&v, a.ID, clusters[a.ID], copies)
		all = append(all, v)
	}
	return all, nil
}

// maxReposts is the maximum number of reposts of an article that are listed; the others are
// counted.
const maxReposts = 50

// shownCopies returns the parts of clusters that Items shows: the original of a
// repost, and some reposts of an original.
func shownCopies(articles []int64, clusters map[int64]feed.Cluster) (shown []int64) {
	for _, id := range articles {
		switch c := clusters[id]; c.First {
		case 0:
		case id:
			shown = append(shown, c.Articles[1:min(len(c.Articles), 1+maxReposts)]...)
		default:
			shown = append(shown, c.First)
		}
	}
	return shown
}

// addCopies links an article to its original, or to its reposts.
func (h *Web) addCopies(v *templates.Item, article int64, c feed.Cluster, copies map[int64]feed.Article) {
	link := func(id int64) templates.FeedLink {
		a := copies[id]
		return templates.FeedLink{Title: a.SourceName + " · " + a.Title(), URL: feed.ArticleURL(h.BaseURL, id)}
	}
	if c.First == 0 {
		return
	}
	if c.First != article {
		if _, ok := copies[c.First]; ok {
			v.Original = link(c.First)
		}
		return
	}
	v.RepostCount = len(c.Articles) - 1
	for _, id := range c.Articles[1:min(len(c.Articles), 1+maxReposts)] {
		if _, ok := copies[id]; ok {
			v.Reposts = append(v.Reposts, link(id))
		}
	}
}

// maxEffects is the maximum number of documents that a list shows as repealed or amended by
// one.
const maxEffects = 4

// knownDocuments are the documents that relations refer to, by id.
type knownDocuments struct {
	byID  map[int64]feed.Document
	today policy.Date
}

// targets looks up the documents to which relations point. A document with only
// hidden pages is shown by its name in the text.
func (h *Web) targets(ctx context.Context, relations []feed.Relation) (knownDocuments, error) {
	var ids []int64
	for _, r := range relations {
		for _, id := range []int64{r.Target, r.Document} {
			if id != 0 && !slices.Contains(ids, id) {
				ids = append(ids, id)
			}
		}
	}
	found, err := h.Store.DocumentsByID(ctx, ids)
	maps.DeleteFunc(found, func(_ int64, d feed.Document) bool { return d.Article == 0 })
	return knownDocuments{found, h.Today()}, err
}

// mention returns the document to which a relation points: ours if it is known, or else its
// name in the text.
func (k knownDocuments) mention(r feed.Relation) templates.Mention {
	if d, ok := k.byID[r.Target]; ok {
		m := mentionOf(d, k.today)
		m.Relation, m.Sentence = relationKey(r.Kind), r.Quote
		return m
	}
	m := templates.Mention{Relation: relationKey(r.Kind), Title: r.TargetTitle, Number: r.TargetNumber, Sentence: r.Quote}
	if len(r.TargetIssuers) > 0 {
		m.Issuer = r.TargetIssuers[0]
	}
	if m.Title == "" {
		m.Title, m.Number = m.Number, ""
	}
	if r.Kind == feed.RelationPromises {
		m.Status = string(policy.StatePromised)
	}
	return m
}

// relationKey returns the key of the word for a relation in the catalog.
func relationKey(kind string) string {
	if kind == feed.RelationCites {
		return feed.CitesName
	}
	return kind
}

// mentionOf returns a document as other pages show it.
func mentionOf(d feed.Document, today policy.Date) templates.Mention {
	m := templates.Mention{Title: d.Title, Number: d.Number, URL: d.Path(), Date: d.On().String(), Status: d.StatusWord(today)}
	if len(d.Issuers) > 0 {
		m.Issuer = d.Issuers[0]
	}
	return m
}
