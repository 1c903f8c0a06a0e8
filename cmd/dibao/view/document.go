package view

import (
	"context"

	"dibao/cmd/dibao/cli"
	"dibao/feed"
	"dibao/policy"
	"dibao/policy/division"
)

// Document is a document in JSON; unknown is null.
type Document struct {
	ID         int64    `json:"id"`
	Number     *string  `json:"number"`
	Aliases    []string `json:"aliases"`
	Title      string   `json:"title"`
	Issuers    []string `json:"issuers"`
	Type       *string  `json:"type"`
	Level      *string  `json:"level"`
	Region     *string  `json:"region"`
	RegionName *string  `json:"region_name"`
	Theme      *string  `json:"theme"`
	Issued     *string  `json:"issued"`
	Published  *string  `json:"published"`
	Effective  *string  `json:"effective"`
	Expires    *string  `json:"expires"`
	Repealed   *string  `json:"repealed"`
	RepealedBy *int64   `json:"repealed_by_article"`
	Status     *string  `json:"status"`
	Article    *int64   `json:"article"`
}

// OfDocument returns the view of a document, with its status on a day.
func OfDocument(d feed.Document, on policy.Date) Document {
	return Document{
		ID: d.ID, Number: cli.Null(d.Number), Aliases: append([]string{}, d.Aliases...), Title: d.Title, Issuers: append([]string{}, d.Issuers...),
		Type: cli.Null(d.Type), Level: cli.Null(string(d.Level)), Region: cli.Null(d.Region), RegionName: cli.Null(division.Name(d.Region)), Theme: cli.Null(d.Theme),
		Issued: cli.Null(d.IssuedOn.String()), Published: cli.Null(d.PublishedOn.String()), Effective: cli.Null(d.EffectiveOn.String()),
		Expires: cli.Null(d.ExpiresOn.String()), Repealed: cli.Null(d.RepealedOn.String()), RepealedBy: cli.Null(d.RepealedBy),
		Status: cli.Null(d.StatusWord(on)), Article: cli.Null(d.Article),
	}
}

// Relation is a relation between two texts.
type Relation struct {
	Kind     *string `json:"relation"`
	Document *int64  `json:"document"`
	Number   *string `json:"number"`
	Title    *string `json:"title"`
	Article  int64   `json:"article"` // the article that states it
	SaidIn   string  `json:"said_in"`
	Quote    *string `json:"quote"`
}

// DocumentPage is everything that is known about a document.
type DocumentPage struct {
	Document
	StatusSince     *string    `json:"status_since"`
	StatusUntil     *string    `json:"status_until"`
	Articles        []int64    `json:"articles"`
	Interpretations []int64    `json:"interpretations"`
	Versions        []Document `json:"versions"`
	To              []Relation `json:"relations"`
	From            []Relation `json:"related_from"`
	Chain           []Step     `json:"chain"`
}

// OfDocumentPage reads everything that is known about a document, with its status on a
// day.
func OfDocumentPage(ctx context.Context, articles *feed.Store, d feed.Document, on policy.Date) (DocumentPage, error) {
	status := d.Status(on)
	page := DocumentPage{Document: OfDocument(d, on), StatusSince: cli.Null(status.Since.String()), StatusUntil: cli.Null(status.Until.String()),
		Versions: []Document{}, To: []Relation{}, From: []Relation{}, Chain: []Step{}}
	carriers, err := articles.DocumentArticles(ctx, d.ID)
	if err != nil {
		return page, err
	}
	explained, err := articles.Interpretations(ctx, d.ID)
	if err != nil {
		return page, err
	}
	page.Articles, page.Interpretations = append([]int64{}, carriers...), append([]int64{}, explained...)
	versions, err := articles.Versions(ctx, d.ID)
	if err != nil {
		return page, err
	}
	for _, v := range versions {
		page.Versions = append(page.Versions, OfDocument(v, on))
	}
	to, err := articles.RelationsFrom(ctx, d.ID)
	if err != nil {
		return page, err
	}
	for _, r := range to {
		page.To = append(page.To, Relation{cli.Null(r.Kind), cli.Null(r.Target), cli.Null(r.TargetNumber), cli.Null(r.TargetTitle), r.Article, r.SaidIn, cli.Null(r.Quote)})
	}
	from, err := articles.RelationsTo(ctx, d.ID)
	if err != nil {
		return page, err
	}
	var ids, articleIDs []int64
	for _, r := range from {
		ids, articleIDs = append(ids, r.Document), append(articleIDs, r.Article)
	}
	docs, err := articles.DocumentsByID(ctx, ids)
	if err != nil {
		return page, err
	}
	stating, err := articles.ArticlesByID(ctx, articleIDs)
	if err != nil {
		return page, err
	}
	for _, r := range from {
		number, title := docs[r.Document].Number, docs[r.Document].Title
		if title == "" {
			title = stating[r.Article].Title()
		}
		page.From = append(page.From, Relation{cli.Null(r.Kind), cli.Null(r.Document), cli.Null(number), cli.Null(title), r.Article, r.SaidIn, cli.Null(r.Quote)})
	}
	chain, err := articles.Chain(ctx, d.ID)
	for _, s := range chain.Steps {
		page.Chain = append(page.Chain, OfStep(s, on))
	}
	return page, err
}

// Step is a document of an implementation chain.
type Step struct {
	Document
	Days   *int    `json:"days"` // days after the document that it implements
	SaidIn string  `json:"said_in"`
	Quote  *string `json:"quote"`
}

// OfStep returns the view of a document of a chain, with its status on a day.
func OfStep(s feed.Step, on policy.Date) Step {
	v := Step{Document: OfDocument(s.Document, on), SaidIn: s.SaidIn, Quote: cli.Null(s.Quote)}
	if s.Days >= 0 {
		v.Days = &s.Days
	}
	return v
}
