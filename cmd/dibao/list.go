package main

import (
	"strings"
	"time"

	"github.com/spf13/cobra"

	"dibao/digest"
	"dibao/subscribers"
)

func newList(g *globals) *cobra.Command {
	cmd := &cobra.Command{Use: "list", Short: "Manage the lists that readers subscribe to"}
	cmd.AddCommand(newListCreate(g), newListShow(g), newListPreview(g))
	return cmd
}

// listView is a list in JSON.
type listView struct {
	ID          int64             `json:"id"`
	Slug        string            `json:"slug"`
	Title       string            `json:"title"`
	Description *string           `json:"description"`
	Query       subscribers.Query `json:"query"`
	Cron        string            `json:"cron"`
	Zone        string            `json:"zone"`
	Sender      *string           `json:"sender"`
	Language    string            `json:"language"`
	MaxItems    int               `json:"max_items"`
	Visibility  string            `json:"visibility"`
	NextDue     time.Time         `json:"next_due_at"`
}

func (a *app) viewList(l subscribers.List) (listView, error) {
	next, err := a.digest.NextDue(l)
	return listView{
		ID: l.ID, Slug: l.Slug, Title: l.Title, Description: null(l.Description), Query: l.Query, Cron: l.Cron, Zone: l.Zone,
		Sender: null(l.Sender), Language: l.Language, MaxItems: l.MaxItems, Visibility: string(l.Visibility), NextDue: next,
	}, err
}

func newListCreate(g *globals) *cobra.Command {
	var l subscribers.List
	var hidden bool
	cmd := &cobra.Command{
		Use:   "create NAME",
		Short: "Create a list",
		Long: "A list is a saved query with a schedule. Within one flag any value is enough, all flags that are given must agree;\n" +
			"without any, the list takes everything.",
		Example: "  dibao list create weekly --title 邸报周刊\n" +
			"  dibao list create elderly --title 养老政策 --any 养老 --any 老年 --kind document --kind interpretation --cron \"0 9 * * 1-5\"",
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			a, err := g.open(cmd)
			if err != nil {
				return err
			}
			defer a.close()
			l.Slug = args[0]
			if l.Zone == "" {
				l.Zone = a.config.Schedule.Zone.String()
			}
			if hidden {
				l.Visibility = subscribers.Hidden
			}
			made, err := a.subscribers.CreateList(cmd.Context(), l)
			if err != nil {
				return err
			}
			v, err := a.viewList(made)
			if err != nil {
				return err
			}
			if g.json {
				return writeJSON(cmd.OutOrStdout(), v)
			}
			g.say(cmd, "list %s made; its first issue is due %s; look ahead with: dibao list preview %s",
				v.Slug, v.NextDue.In(a.config.Schedule.Zone).Format("2006-01-02 15:04 MST"), v.Slug)
			return nil
		},
	}
	f := cmd.Flags()
	f.StringVar(&l.Title, "title", "", "title shown to readers (default: the name)")
	f.StringVar(&l.Description, "description", "", "one sentence for readers")
	f.StringVar(&l.Cron, "cron", subscribers.DefaultCron, "when it comes out: minute hour day month weekday")
	f.StringVar(&l.Zone, "zone", "", "time zone of the schedule (default: zone in [schedule])")
	f.StringVar(&l.Sender, "from", "", "sender, 名称 <name@example.org> (default: from in [mail])")
	f.StringVar(&l.Language, "language", "zh", "zh or en")
	f.IntVar(&l.MaxItems, "max-items", subscribers.DefaultMaxItems, "articles in an issue at most; the rest waits for the next")
	f.BoolVar(&hidden, "hidden", false, "not shown to visitors")
	f.StringArrayVar(&l.Query.Themes, "theme", nil, "theme (again for more)")
	f.StringArrayVar(&l.Query.Regions, "region", nil, "GB/T 2260 code, with what belongs to it")
	f.StringArrayVar(&l.Query.Issuers, "issuer", nil, "issuing organ")
	f.StringArrayVar(&l.Query.Kinds, "kind", nil, "document, interpretation, news, signed-article, consultation, other")
	f.Int64SliceVar(&l.Query.Sources, "source", nil, "number of a source")
	f.StringArrayVar(&l.Query.Any, "any", nil, "a word, one of which must be there")
	f.StringArrayVar(&l.Query.All, "all", nil, "a word that must be there")
	f.StringArrayVar(&l.Query.None, "none", nil, "a word that must not be in the title or summary")
	return cmd
}

func newListShow(g *globals) *cobra.Command {
	return &cobra.Command{
		Use:   "show [NAME]",
		Short: "Show a list, or all of them",
		Args:  cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			a, err := g.open(cmd)
			if err != nil {
				return err
			}
			defer a.close()
			lists, err := a.lists(cmd, args)
			if err != nil {
				return err
			}
			views := make([]listView, len(lists))
			for i, l := range lists {
				if views[i], err = a.viewList(l); err != nil {
					return err
				}
			}
			return printRows(g, cmd, []any{"Name", "Title", "Schedule", "Zone", "Next issue", "Language"}, views, func(v listView) []any {
				return []any{v.Slug, v.Title, v.Cron, v.Zone, v.NextDue.In(a.config.Schedule.Zone).Format("2006-01-02 15:04"), v.Language}
			})
		},
	}
}

// lists returns the lists of these names, or all without a name.
func (a *app) lists(cmd *cobra.Command, names []string) ([]subscribers.List, error) {
	if len(names) == 0 {
		return a.subscribers.Lists(cmd.Context())
	}
	var lists []subscribers.List
	for _, name := range names {
		l, err := a.subscribers.ListBySlug(cmd.Context(), name)
		if err != nil {
			return nil, err
		}
		lists = append(lists, l)
	}
	return lists, nil
}

// itemView is an article of an issue in JSON.
type itemView struct {
	Article int64    `json:"article"`
	Section string   `json:"section"`
	Title   string   `json:"title"`
	URL     string   `json:"url"`
	Why     []string `json:"why"`
}

func viewItem(it digest.IssueItem) itemView {
	v := itemView{Article: it.Article.ID, Section: it.Section, Title: it.Article.Title(), URL: it.Article.URL, Why: []string{}}
	for _, w := range it.Why {
		v.Why = append(v.Why, w.Field+": "+w.Value)
	}
	return v
}

func printItems(g *globals, cmd *cobra.Command, items []digest.IssueItem) error {
	views := make([]itemView, len(items))
	for i, it := range items {
		views[i] = viewItem(it)
	}
	return printRows(g, cmd, []any{"Article", "Section", "Title", "Why"}, views, func(v itemView) []any {
		return []any{v.Article, v.Section, v.Title, strings.Join(v.Why, ", ")}
	})
}

func newListPreview(g *globals) *cobra.Command {
	return &cobra.Command{
		Use:   "preview NAME",
		Short: "Show what the next issue would hold now, and why",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			a, err := g.open(cmd)
			if err != nil {
				return err
			}
			defer a.close()
			l, err := a.subscribers.ListBySlug(cmd.Context(), args[0])
			if err != nil {
				return err
			}
			items, err := a.digest.Preview(cmd.Context(), l)
			if err != nil {
				return err
			}
			if len(items) == 0 {
				g.say(cmd, "nothing is new for %s: no issue would come out", l.Slug)
			}
			return printItems(g, cmd, items)
		},
	}
}

// shortTime prints an instant for a table.
func shortTime(t time.Time, zone *time.Location) string {
	if t.IsZero() {
		return ""
	}
	return t.In(zone).Format("2006-01-02 15:04")
}
