package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"dibao/cmd/dibao/cli"
	"dibao/cmd/dibao/flags"
	"dibao/cmd/dibao/view"
	"dibao/feed"
	"dibao/feed/search"
	"dibao/internal/fault"
	"dibao/policy"
	"dibao/policy/division"
)

// articleID reads the number of an article.
func articleID(s string) (int64, error) {
	id, err := strconv.ParseInt(s, 10, 64)
	if err != nil || id <= 0 {
		return 0, usagef("%q is not an article number; to see the numbers: dibao article list", s)
	}
	return id, nil
}

// withArticle wraps a command that works on the article in its argument.
func withArticle(g *globals, f func(cmd *cobra.Command, a *app, x feed.Article) error) func(*cobra.Command, []string) error {
	return g.verb(func(cmd *cobra.Command, args []string, a *app) error {
		id, err := articleID(args[0])
		if err != nil {
			return err
		}
		x, err := a.articles.Article(cmd.Context(), id)
		if err != nil {
			return err
		}
		return f(cmd, a, x)
	})
}

func newArticleEdit(g *globals) *cobra.Command {
	var pin, unpin, hide, unhide bool
	var note string
	var undo []string
	values := make(map[string]*string)
	cmd := &cobra.Command{
		Use:   "edit ID",
		Short: "Correct facts, pin or hide an article; corrections survive later collections",
		Long: `Corrects what dibao concluded about an article. A correction is stored separately and applied each
time the article is stored. An empty value says that the fact is unknown. A hidden article is not
shown anywhere; a pinned one comes first in its issue, after the calls that concern a reader.`,
		Example: "  dibao article edit 12 --number 国办发〔2023〕15号 --note 页面写错\n  dibao article edit 12 --undo number",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			id, err := articleID(args[0])
			if err != nil {
				return err
			}
			var all []feed.Correction
			add := func(field string, value *string) {
				all = append(all, feed.Correction{Field: field, Value: value, Note: note})
			}
			*values["kind"] = string(cli.CodeNamed("kind", *values["kind"], policy.Kinds))
			*values["level"] = string(cli.CodeNamed("level", *values["level"], division.Levels))
			for _, field := range feed.CorrectableFields() {
				if v := values[field]; v != nil && cmd.Flags().Changed(field) {
					add(field, v)
				}
			}
			for _, field := range undo {
				if !slices.Contains(feed.CorrectableFields(), field) {
					return usagef("--undo takes one of %v, not %q", feed.CorrectableFields(), field)
				}
				add(field, nil)
			}
			for _, f := range []struct {
				flag, field string
				is          bool
			}{{"pin", "pinned", pin}, {"unpin", "pinned", !unpin}, {"hide", "hidden", hide}, {"unhide", "hidden", !unhide}} {
				if cmd.Flags().Changed(f.flag) { // --hide=false shows the article again
					value := map[bool]string{true: "1", false: "0"}[f.is]
					add(f.field, &value)
				}
			}
			if len(all) == 0 {
				return usagef("no change was specified; see: dibao article edit --help")
			}
			a, err := g.open(cmd)
			if err != nil {
				return err
			}
			defer a.close()
			if err := a.articles.Correct(cmd.Context(), id, all); err != nil {
				return err
			}
			x, err := a.articles.Article(cmd.Context(), id)
			if err != nil {
				return err
			}
			if g.json {
				return showArticle(g, cmd, a, x)
			}
			var changes []string
			cmd.Flags().Visit(func(f *pflag.Flag) {
				if f.Name != "note" && cmd.LocalNonPersistentFlags().Lookup(f.Name) != nil {
					changes = append(changes, "--"+f.Name+"="+strings.Trim(f.Value.String(), "[]"))
				}
			})
			g.print(cmd, "article %d (%s) is changed: %s; see it with: dibao article show %d", id, cli.Clip(x.Title(), 60), strings.Join(changes, " "), id)
			return nil
		},
	}
	flags := cmd.Flags()
	for _, f := range []struct{ field, help string }{
		{"title", "title"}, {"kind", "document, interpretation, news, signed-article, consultation or other"}, {"type", "type of official document (文种), such as 通知"},
		{"number", "document number (发文字号), in any brackets"}, {"issuer", "issuers, the lead issuer first, separated by 、"}, {"published", "day of publication, YYYY-MM-DD"},
		{"issued", "day of signing (成文日期), YYYY-MM-DD"}, {"effective", "day on which it takes effect, YYYY-MM-DD"}, {"expires", "last day in force, YYYY-MM-DD"},
		{"deadline", "last day to apply or comment, YYYY-MM-DD"},
		{"theme", "theme from the State Council's classification (主题分类), such as 民政"}, {"region", "code of GB/T 2260, or name"}, {"summary", "summary"}, {"author", "author"},
		{"office", "job title of the author"}, {"body", "organization that the author represents"}, {"credit", "credit that the page gives (来源)"}, {"index", "number in the catalog of the site (索引号)"},
		{"level", "central, ministry, province, city or county"}, {"audience", "audiences, separated by 、"}, {"opens", "first day to apply or comment, YYYY-MM-DD"},
	} {
		values[f.field] = flags.String(f.field, "", f.help)
	}
	flags.BoolVar(&pin, "pin", false, "place the article first in its issue")
	flags.BoolVar(&unpin, "unpin", false, "no longer place the article first")
	flags.BoolVar(&hide, "hide", false, "hide the article everywhere")
	flags.BoolVar(&unhide, "unhide", false, "show a hidden article again")
	flags.StringVar(&note, "note", "", "reason; stored in the history")
	flags.StringSliceVar(&undo, "undo", nil, "remove the correction of a field")
	cmd.MarkFlagsMutuallyExclusive("pin", "unpin")
	cmd.MarkFlagsMutuallyExclusive("hide", "unhide")
	return cmd
}

func newArticleReread(g *globals) *cobra.Command {
	var all, fetch bool
	var source string
	cmd := &cobra.Command{
		Use:   "reread [ID…]",
		Short: "Reread stored articles with the current rules",
		Long: "Understands the stored texts again. With --fetch, fetches the pages of the articles again and reads them with the present\n" +
			"settings of their source, for example after: dibao source edit SOURCE --content SELECTOR. The texts that they had are\n" +
			"replaced, and do not count as changes by the site.",
		Example: "  dibao article reread 12 13\n  dibao article reread --fetch --source 民政部",
		RunE: func(cmd *cobra.Command, args []string) error {
			if (all || source != "") == (len(args) > 0) {
				return usagef("specify articles, or use --source or --all")
			}
			var ids []int64
			for _, s := range args {
				id, err := articleID(s)
				if err != nil {
					return err
				}
				ids = append(ids, id)
			}
			a, err := g.open(cmd)
			if err != nil {
				return err
			}
			defer a.close()
			if source != "" {
				if ids, err = a.articlesOf(cmd.Context(), source); err != nil {
					return err
				}
				if len(ids) == 0 {
					return fmt.Errorf("the source has no articles; collect it with: dibao collect %s", source)
				}
			}
			bar := g.progress(cmd, "reread", "reread: %d articles", 0)
			n, err := a.reread(cmd, ids, fetch, bar.count)
			bar.done()
			if err != nil {
				return err
			}
			switch {
			case len(ids) > 0 && n == 0:
				return errors.New("no such article exists; to see all articles: dibao article list")
			case len(ids) > n:
				return &partialError{Err: fmt.Errorf("not found: %d of %d articles; to see all articles: dibao article list", len(ids)-n, len(ids))}
			}
			g.say(cmd, "%d articles were reread", n)
			return nil
		},
		Args: cobra.ArbitraryArgs,
	}
	f := cmd.Flags()
	f.BoolVar(&all, "all", false, "all articles")
	f.StringVar(&source, "source", "", "all articles of this source")
	f.BoolVar(&fetch, "fetch", false, "fetch their pages again")
	cmd.MarkFlagsMutuallyExclusive("all", "source")
	cmd.MarkFlagsMutuallyExclusive("all", "fetch")
	return cmd
}

// articlesOf returns the ids of all articles of a source, newest first.
func (a *app) articlesOf(ctx context.Context, source string) (ids []int64, err error) {
	s, err := a.articles.SourceByRef(ctx, source)
	if err != nil {
		return nil, err
	}
	sel := feed.Selection{Source: s.ID, Limit: feed.MaxSelection, Hidden: true}
	for {
		page, err := a.articles.Articles(ctx, sel)
		if err != nil {
			return nil, err
		}
		for _, x := range page {
			ids = append(ids, x.ID)
		}
		if len(page) < sel.Limit {
			return ids, nil
		}
		sel.Before = page[len(page)-1].ID
	}
}

// reread reads articles again, with fetch from their sites, and returns how many. A page that
// can't be read leaves its article as it is.
func (a *app) reread(cmd *cobra.Command, ids []int64, fetch bool, count func(n int)) (n int, err error) {
	if !fetch {
		return a.articles.Reread(cmd.Context(), ids, count)
	}
	var first error
	failed := 0
	for i, id := range ids {
		err := a.collector.Reread(cmd.Context(), id)
		if cmd.Context().Err() != nil {
			return i, cmd.Context().Err()
		}
		if err != nil {
			failed++
			first = cmp.Or(first, err)
		}
		count(i + 1)
	}
	if failed > 0 {
		return 0, &partialError{Err: fmt.Errorf("not reread and unchanged: %d of %d articles; the first: %w", failed, len(ids), first)}
	}
	return len(ids), nil
}

func newArticleHistory(g *globals) *cobra.Command {
	return &cobra.Command{
		Use:   "history ID",
		Short: "Show the history of an article: replaced texts, corrections and relations",
		Args:  cobra.ExactArgs(1),
		RunE: withArticle(g, func(cmd *cobra.Command, a *app, x feed.Article) error {
			changes, err := a.articles.History(cmd.Context(), x.ID)
			if err != nil {
				return err
			}
			if !g.json {
				if err := sayStatus(g, cmd, a, x); err != nil {
					return err
				}
			}
			views := []view.Event{{At: x.CollectedAt.UTC().Truncate(time.Second), What: "collected", Detail: null(x.URL)}}
			for _, c := range changes {
				views = append(views, view.Event{At: c.At.UTC().Truncate(time.Second), What: c.What, Field: null(c.Field), Value: c.Value, Detail: null(c.Detail)})
			}
			return printRows(g, cmd, []any{"At", "Event", "Field", "Value", "Detail"}, views, func(v view.Event) []any {
				value := cli.Value(v.Value)
				if v.What == "correction" && v.Value == nil {
					value = "(unknown)"
				}
				if slices.Contains([]string{"kind", "level"}, cli.Value(v.Field)) {
					value = g.code(strings.ToUpper((*v.Field)[:1])+(*v.Field)[1:], value)
				}
				return []any{shortTime(v.At, a.config.Schedule.Zone), v.What, cli.Value(v.Field), value, cli.Value(v.Detail)}
			})
		}),
	}
}

// printFacets prints how many articles a search finds for each kind, theme,
// region, issuer and year.
func printFacets(g *globals, cmd *cobra.Command, found feed.Results) error {
	f := found.Facets
	if g.json {
		return writeJSON(cmd.OutOrStdout(), map[string]any{"total": found.Total, "approximate": found.AtLeast, "sampled": f.Sampled,
			"kinds": f.Kinds, "themes": f.Themes, "regions": f.Regions, "issuers": f.Issuers, "years": f.Years})
	}
	type row struct {
		by string
		search.FacetCount
	}
	var rows []row
	for _, x := range []struct {
		by  string
		all []search.FacetCount
	}{{"kind", f.Kinds}, {"theme", f.Themes}, {"region", f.Regions}, {"issuer", f.Issuers}, {"year", f.Years}} {
		for _, c := range x.all {
			rows = append(rows, row{x.by, c})
		}
	}
	return printRows(g, cmd, []any{"By", "Value", "Articles"}, rows, func(r row) []any {
		value := r.Value
		if r.by == "kind" {
			value = g.code("Kind", value)
		}
		return []any{r.by, value, r.Count}
	})
}

// wrongField returns the error for a field of a search that can't have the given value.
func wrongField(p search.Problem) error {
	switch {
	case p.Field == "theme": // one of several, or an English name with a comma
		if feed.CheckTheme(p.Value) == nil {
			return nil
		}
		for name := range strings.SplitSeq(p.Value, ",") {
			if err := feed.CheckTheme(name); err != nil {
				return err
			}
		}
		return nil
	case p.Absent:
		return nil
	case p.Field == "kind":
		return fmt.Errorf("kind %q is unknown; use one of %s", p.Value, fault.Choices(policy.Kinds))
	case p.Field == "region":
		return fmt.Errorf("region %q is unknown; specify its code or its name, such as 51 or 四川省", p.Value)
	case p.Field != "":
		return fmt.Errorf("%s: %q is not a day, month or year such as 2026-05-01, 2026-05 or 2026", p.Field, p.Value)
	}
	return nil
}

func newArticleSearch(g *globals) *cobra.Command {
	var limit, offset int
	var facets bool
	cmd := &cobra.Command{
		Use:   "search QUERY",
		Short: "Search titles, numbers and texts, in Chinese and English",
		Long: `All words are required. "…" keeps words together, -word excludes, OR separates alternative words.
Fields: issuer: theme: region: kind: type: source: number: year: after: before: (several values: theme:财政,民政)
Brackets of document numbers may have any form; simplified and traditional characters match each other.`,
		Example: "  dibao article search '养老 region:四川 after:2024-01-01'\n  dibao article search '国办发[2023]15号'",
		Args:    cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			query := args[0]
			for _, s := range args[1:] {
				query += " " + s
			}
			a, err := g.open(cmd)
			if err != nil {
				return err
			}
			defer a.close()
			if err := a.articles.Index.Flush(cmd.Context()); err != nil {
				return err
			}
			found, err := a.articles.Search(cmd.Context(), search.Query{Text: query, Limit: limit, Offset: offset, Facets: facets})
			if err != nil {
				return err
			}
			for _, p := range found.Problems {
				if err := wrongField(p); err != nil {
					return &cli.UsageError{Err: err}
				}
				if p.Absent {
					g.say(cmd, "no stored article has %s", p)
				} else {
					g.say(cmd, "not understood: %s", p)
				}
			}
			more := ""
			if found.AtLeast {
				more = "about "
			}
			g.say(cmd, "%s%d articles found", more, found.Total)
			if facets {
				return printFacets(g, cmd, found)
			}
			views := make([]view.Hit, len(found.Hits))
			for i, h := range found.Hits {
				views[i] = view.Hit{Article: view.OfArticle(h.Article), Where: h.Where, TitleSpans: append([]search.Span{}, h.Title...), Snippet: append([]search.Span{}, h.Snippet...)}
			}
			return printRows(g, cmd, []any{"ID", "Published", "Where", "Number", "Title"}, views, func(v view.Hit) []any {
				return []any{v.ID, cli.ShortText(cli.Value(v.Published), a.config.Schedule.Zone), v.Where, cli.Value(v.DocumentNumber), v.Title}
			})
		},
	}
	flags.Bounded(cmd.Flags(), &limit, "limit", 200, 1, 200, "maximum number of results")
	flags.Bounded(cmd.Flags(), &offset, "offset", 0, 0, search.MaxOffset, "number of results to skip")
	cmd.Flags().BoolVar(&facets, "facets", false, "print counts by kind, theme, region, issuer and year")
	return cmd
}
