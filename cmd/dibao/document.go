package main

import (
	"context"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"dibao/cmd/dibao/cli"
	"dibao/feed"
	"dibao/policy"
)

func newDocument(g *globals) *cobra.Command {
	cmd := &cobra.Command{Use: "document", Short: "Show official documents: history, related documents and implementation"}
	cmd.AddCommand(newDocumentList(g), newDocumentShow(g), newDocumentChain(g))
	return cmd
}

// documentView is a document in JSON; unknown is null.
type documentView struct {
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

func viewDocument(d feed.Document, on policy.Date) documentView {
	return documentView{
		ID: d.ID, Number: null(d.Number), Aliases: append([]string{}, d.Aliases...), Title: d.Title, Issuers: append([]string{}, d.Issuers...),
		Type: null(d.Type), Level: null(string(d.Level)), Region: null(d.Region), RegionName: null(policy.RegionName(d.Region)), Theme: null(d.Theme),
		Issued: null(d.IssuedOn.String()), Published: null(d.PublishedOn.String()), Effective: null(d.EffectiveOn.String()),
		Expires: null(d.ExpiresOn.String()), Repealed: null(d.RepealedOn.String()), RepealedBy: null(d.RepealedBy),
		Status: null(string(d.Status(on).State)), Article: null(d.Article),
	}
}

// today is the day in the configured zone.
func (a *app) today() policy.Date { return policy.DateOf(time.Now().In(a.config.Schedule.Zone)) }

func newDocumentList(g *globals) *cobra.Command {
	var sel feed.DocumentSelection
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List official documents, newest first",
		RunE: g.verb(func(cmd *cobra.Command, _ []string, a *app) error {
			g.hintThemes(cmd, sel.Theme)
			all, err := a.articles.Documents(cmd.Context(), sel)
			if err != nil {
				return err
			}
			views := make([]documentView, len(all))
			for i, d := range all {
				views[i] = viewDocument(d, a.today())
			}
			return printRows(g, cmd, []any{"ID", "Issued", "Status", "Number", "Title"}, views, func(v documentView) []any {
				return []any{v.ID, deref(v.Issued), deref(v.Status), deref(v.Number), v.Title}
			})
		}),
	}
	flags := cmd.Flags()
	boundedVar(flags, &sel.Limit, "limit", 50, 1, feed.MaxSelection, "maximum number of results")
	boundedVar(flags, &sel.Before, "before", 0, 0, math.MaxInt64, "only results with a lower id")
	regionVar(flags, &sel.Region, "only this region and those in it")
	choiceVar(flags, &sel.Level, "level", "", policy.Levels, "only issuers of this level")
	flags.StringVar(&sel.Theme, "theme", "", "only this theme")
	flags.StringVar(&sel.Type, "type", "", "only this 文种")
	flags.StringVar(&sel.Issuer, "issuer", "", "only this issuer")
	return cmd
}

// findDocument finds the one document that goes by a number, a title or an id.
func (a *app) findDocument(ctx context.Context, ref string) (feed.Document, error) {
	if id, err := strconv.ParseInt(ref, 10, 64); err == nil {
		return a.articles.Document(ctx, id)
	}
	all, err := a.articles.FindDocuments(ctx, ref)
	if err != nil {
		return feed.Document{}, err
	}
	switch len(all) {
	case 0:
		return feed.Document{}, fmt.Errorf("no document is called %q; look for it with: dibao article search %q", ref, ref)
	case 1:
		return all[0], nil
	}
	var lines []string
	for _, d := range all {
		lines = append(lines, fmt.Sprintf("%d %s", d.ID, d.Title))
	}
	return feed.Document{}, fmt.Errorf("%d documents are called %q; give the id of one: %s", len(all), ref, strings.Join(lines, ", "))
}

// withDocument is a verb on the document that its argument names.
func withDocument(g *globals, f func(cmd *cobra.Command, a *app, d feed.Document) error) func(*cobra.Command, []string) error {
	return g.verb(func(cmd *cobra.Command, args []string, a *app) error {
		d, err := a.findDocument(cmd.Context(), args[0])
		if err != nil {
			return err
		}
		return f(cmd, a, d)
	})
}

// relationView is what one text does with another.
type relationView struct {
	Kind     *string `json:"relation"`
	Document *int64  `json:"document"`
	Number   *string `json:"number"`
	Title    *string `json:"title"`
	Article  int64   `json:"article"` // that says so
	SaidIn   string  `json:"said_in"`
	Quote    *string `json:"quote"`
}

// documentPage is all there is to a document.
type documentPage struct {
	documentView
	StatusSince     *string        `json:"status_since"`
	StatusUntil     *string        `json:"status_until"`
	Articles        []int64        `json:"articles"`
	Interpretations []int64        `json:"interpretations"`
	Versions        []documentView `json:"versions"`
	To              []relationView `json:"relations"`
	From            []relationView `json:"related_from"`
	Chain           []stepView     `json:"chain"`
}

func newDocumentShow(g *globals) *cobra.Command {
	return &cobra.Command{
		Use:     "show NUMBER",
		Short:   "Show a document by number, title or id: history, versions and relations",
		Example: "  dibao document show '国办发[2023]15号'",
		Args:    cobra.ExactArgs(1),
		RunE: withDocument(g, func(cmd *cobra.Command, a *app, d feed.Document) error {
			page, err := a.viewDocumentPage(cmd.Context(), d)
			if err != nil {
				return err
			}
			if g.json {
				return writeJSON(cmd.OutOrStdout(), page)
			}
			return cli.WriteFields(cmd.OutOrStdout(), page, g.chinese)
		}),
	}
}

func (a *app) viewDocumentPage(ctx context.Context, d feed.Document) (documentPage, error) {
	status := d.Status(a.today())
	page := documentPage{documentView: viewDocument(d, a.today()), StatusSince: null(status.Since.String()), StatusUntil: null(status.Until.String()),
		Versions: []documentView{}, To: []relationView{}, From: []relationView{}, Chain: []stepView{}}
	articles, err := a.articles.DocumentArticles(ctx, d.ID)
	if err != nil {
		return page, err
	}
	explained, err := a.articles.Interpretations(ctx, d.ID)
	if err != nil {
		return page, err
	}
	page.Articles, page.Interpretations = append([]int64{}, articles...), append([]int64{}, explained...)
	versions, err := a.articles.Versions(ctx, d.ID)
	if err != nil {
		return page, err
	}
	for _, v := range versions {
		page.Versions = append(page.Versions, viewDocument(v, a.today()))
	}
	to, err := a.articles.RelationsFrom(ctx, d.ID)
	if err != nil {
		return page, err
	}
	for _, r := range to {
		page.To = append(page.To, relationView{null(r.Kind), null(r.Target), null(r.TargetNumber), null(r.TargetTitle), r.Article, r.SaidIn, null(r.Quote)})
	}
	from, err := a.articles.RelationsTo(ctx, d.ID)
	if err != nil {
		return page, err
	}
	var ids, saying []int64
	for _, r := range from {
		ids, saying = append(ids, r.Document), append(saying, r.Article)
	}
	docs, err := a.articles.DocumentsByID(ctx, ids)
	if err != nil {
		return page, err
	}
	said, err := a.articles.ArticlesByID(ctx, saying)
	if err != nil {
		return page, err
	}
	for _, r := range from {
		number, title := docs[r.Document].Number, docs[r.Document].Title
		if title == "" {
			title = said[r.Article].Title()
		}
		page.From = append(page.From, relationView{null(r.Kind), null(r.Document), null(number), null(title), r.Article, r.SaidIn, null(r.Quote)})
	}
	chain, err := a.articles.Chain(ctx, d.ID)
	for _, s := range chain.Steps {
		page.Chain = append(page.Chain, viewStep(s, a.today()))
	}
	return page, err
}

// stepView is a document of an implementation chain.
type stepView struct {
	documentView
	Days   *int    `json:"days"` // after the document that it implements
	SaidIn string  `json:"said_in"`
	Quote  *string `json:"quote"`
}

func viewStep(s feed.Step, on policy.Date) stepView {
	v := stepView{documentView: viewDocument(s.Document, on), SaidIn: s.SaidIn, Quote: null(s.Quote)}
	if s.Days >= 0 {
		v.Days = &s.Days
	}
	return v
}

func newDocumentChain(g *globals) *cobra.Command {
	return &cobra.Command{
		Use:   "chain NUMBER",
		Short: "Show which documents implement a document, by whom, when and after how many days (落实)",
		Args:  cobra.ExactArgs(1),
		RunE: withDocument(g, func(cmd *cobra.Command, a *app, d feed.Document) error {
			chain, err := a.articles.Chain(cmd.Context(), d.ID)
			if err != nil {
				return err
			}
			views := make([]stepView, len(chain.Steps))
			for i, s := range chain.Steps {
				views[i] = viewStep(s, a.today())
			}
			return printRows(g, cmd, []any{"Days", "Issued", "Region", "Said in", "Number", "Title"}, views, func(v stepView) []any {
				days := "?"
				if v.Days != nil {
					days = strconv.Itoa(*v.Days)
				}
				return []any{days, deref(v.Issued), deref(v.RegionName), v.SaidIn, deref(v.Number), v.Title}
			})
		}),
	}
}
