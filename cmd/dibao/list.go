package main

import (
	"context"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"dibao/cmd/dibao/cli"
	"dibao/cmd/dibao/view"
	"dibao/digest"
	"dibao/subscribers"
	"dibao/templates"
)

func newList(g *globals) *cobra.Command {
	cmd := &cobra.Command{Use: "list", Short: "Manage the lists that readers subscribe to"}
	cmd.AddCommand(newListCreate(g), newListShow(g), newListEdit(g), newListPreview(g), newListInvite(g), newListRemove(g), newListChannel(g))
	return cmd
}

func (a *app) viewList(ctx context.Context, l subscribers.List) (view.List, error) {
	counts, err := a.subscribers.CountStates(ctx, l.ID)
	if err != nil {
		return view.List{}, err
	}
	var due *time.Time
	if !l.AsItHappens {
		next, err := a.digest.NextDue(l)
		if err != nil {
			return view.List{}, err
		}
		due = &next
	}
	return view.OfList(l, counts, due, a.config.Server.BaseURL+l.Path()), nil
}

func newListCreate(g *globals) *cobra.Command {
	var l subscribers.List
	cmd := &cobra.Command{
		Use:   "create NAME",
		Short: "Create a list",
		Long: "A list is a saved query with a schedule. An article must match all conditions. If a flag is repeated, one of its\n" +
			"values is enough; but every value of --all must occur, and no value of --none. Without conditions, the list contains\n" +
			"every article.",
		Example: "  dibao list create weekly --title 邸报周刊\n" +
			"  dibao list create elderly --title 养老政策 --any 养老 --any 老年 --kind document --kind interpretation --cron \"0 9 * * 1-5\"",
		Args: cobra.ExactArgs(1),
		RunE: g.verb(func(cmd *cobra.Command, args []string, a *app) error {
			l.Slug = args[0]
			if err := checkQuery(&l.Query); err != nil {
				return err
			}
			if hidden, err := cmd.Flags().GetBool("hidden"); err == nil && hidden {
				l.Visibility = subscribers.Hidden
			}
			if l.Zone == "" {
				l.Zone = a.config.Schedule.Zone.String()
			}
			made, err := a.subscribers.CreateList(cmd.Context(), l)
			if err != nil {
				return err
			}
			v, err := a.viewList(cmd.Context(), made)
			if err != nil {
				return err
			}
			if g.json {
				return writeJSON(cmd.OutOrStdout(), v)
			}
			g.change.target = "list " + v.Slug
			g.say(cmd, "list %s created; its first issue %s; preview it with: dibao list preview %s", v.Slug, a.nextIssue(v), v.Slug)
			a.sayHolidays(g, cmd, v)
			return a.sayUnmatched(g, cmd, made.Query)
		}),
	}
	listFlags(cmd, &l)
	return cmd
}

func newListShow(g *globals) *cobra.Command {
	return &cobra.Command{
		Use:        "show [NAME]",
		SuggestFor: []string{"list", "ls"},
		Short:      "Show one list or all lists",
		Long: "The address of a list that is not public is secret: only people who have it can see its page, issues, feeds and\n" +
			"calendar. To replace it: dibao list edit NAME --new-address",
		Args: cobra.MaximumNArgs(1),
		RunE: g.verb(func(cmd *cobra.Command, args []string, a *app) error {
			lists, err := a.lists(cmd, args)
			if err != nil {
				return err
			}
			views := make([]view.List, len(lists))
			for i, l := range lists {
				if views[i], err = a.viewList(cmd.Context(), l); err != nil {
					return err
				}
			}
			if len(args) == 1 && !g.json {
				return cli.WriteFields(cmd.OutOrStdout(), views[0], g.chinese, a.config.Schedule.Zone)
			}
			return printRows(g, cmd, []any{"Name", "Title", "Schedule", "Zone", "Next issue", "Language", "Readers", "Visibility", "Address"}, views, func(v view.List) []any {
				schedule, next := v.Cron, ""
				if v.AsItHappens {
					schedule = "as it happens"
				}
				if v.NextDue != nil {
					next = shortTime(*v.NextDue, a.config.Schedule.Zone)
				}
				return []any{v.Slug, v.Title, schedule, v.Zone, next, v.Language, v.Subscribers["confirmed"], v.Visibility, v.Address}
			})
		}),
	}
}

// lists returns the lists with these names, or all lists if there are no names.
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

func printItems(g *globals, cmd *cobra.Command, items []digest.IssueItem) error {
	views := make([]view.Item, len(items))
	for i, it := range items {
		views[i] = view.OfItem(it)
	}
	return printRows(g, cmd, []any{"Article", "Section", "Title", "Why"}, views, func(v view.Item) []any {
		why := make([]string, len(v.Why))
		for i, w := range v.Why {
			field, value, _ := strings.Cut(w, ": ")
			why[i] = digest.ReasonText(g.language(), field, value)
		}
		return []any{v.Article, v.Section, v.Title, strings.Join(why, g.either(", ", "，"))}
	})
}

func newListPreview(g *globals) *cobra.Command {
	left := 0
	cmd := &cobra.Command{
		Use:   "preview NAME",
		Short: "Show what the next issue would contain now, why, and what is left out",
		Long: "With --left-out N, shows the newest articles that the issue does not contain, each with the reason, such as a condition of\n" +
			"the list that it does not meet. In JSON, \"why\" is the name of the condition or one of: held, withdrawn, older (than the list),\n" +
			"archive (old when it was collected), same (as another in the issue), issued (already), repost (an issue contained the same\n" +
			"text), passed (withheld or without a match when an issue was composed), full (waits for the next issue).\n" +
			"With --json, prints a line for each article; with --left-out, one object.",
		Args: cobra.ExactArgs(1),
		RunE: g.verb(func(cmd *cobra.Command, args []string, a *app) error {
			l, err := a.subscribers.ListBySlug(cmd.Context(), args[0])
			if err != nil {
				return err
			}
			items, err := a.digest.Preview(cmd.Context(), l)
			if err != nil {
				return err
			}
			if len(items) == 0 {
				g.say(cmd, "nothing is new for %s: there would be no issue", l.Slug)
			}
			if left <= 0 {
				if err := a.sayOld(g, cmd, l); err != nil {
					return err
				}
				return printItems(g, cmd, items)
			}
			out, err := a.digest.LeftOut(cmd.Context(), l, left)
			if err != nil {
				return err
			}
			return a.printPreview(g, cmd, l, items, out)
		}),
	}
	cmd.Flags().IntVar(&left, "left-out", 0, "maximum number of left-out articles to show, with reasons")
	return cmd
}

// countedOld is the number of the newest left-out articles that are checked for being old.
const countedOld = 100

// sayOld prints how many articles an issue leaves out because they are old.
func (a *app) sayOld(g *globals, cmd *cobra.Command, l subscribers.List) error {
	out, err := a.digest.LeftOut(cmd.Context(), l, countedOld)
	old := 0
	for _, o := range out {
		if o.Why == "archive" {
			old++
		}
	}
	if old > 0 {
		g.say(cmd, "%d articles are left out because of their age when collected; see them with: dibao list preview %s --left-out %d", old, l.Slug, countedOld)
	}
	return err
}

func (a *app) printPreview(g *globals, cmd *cobra.Command, l subscribers.List, items []digest.IssueItem, out []digest.LeftOut) error {
	v, err := a.viewList(cmd.Context(), l)
	if err != nil {
		return err
	}
	p := view.Preview{List: l.Slug, Due: v.NextDue, Items: []view.Item{}, LeftOut: []view.LeftOut{}}
	for _, it := range items {
		p.Items = append(p.Items, view.OfItem(it))
	}
	for _, o := range out {
		p.LeftOut = append(p.LeftOut, view.LeftOut{Article: o.Article.ID, Title: o.Article.Title(), Why: o.Why, Has: null(o.Detail)})
	}
	if g.json {
		return writeJSON(cmd.OutOrStdout(), p)
	}
	if err := printItems(g, cmd, items); err != nil {
		return err
	}
	return printRows(g, cmd, []any{"Left out", "Title", "Why"}, p.LeftOut, func(v view.LeftOut) []any {
		return []any{v.Article, v.Title, templates.LeftOut(g.language(), v.Why, cli.Value(v.Has))}
	})
}

// shortTime prints an instant for a table.
func shortTime(t time.Time, zone *time.Location) string { return cli.ShortTime(t, zone) }
