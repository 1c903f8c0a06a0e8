package main

import (
	"errors"
	"fmt"
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
	"dibao/policy"
	"dibao/policy/theme"
	"dibao/policy/workday"
	"dibao/subscribers"
	"dibao/subscribers/tokens"
)

// listFlags defines the flags for the properties of a list.
func listFlags(cmd *cobra.Command, l *subscribers.List) {
	f := cmd.Flags()
	f.StringVar(&l.Title, "title", "", "title shown to readers (default: the name)")
	f.StringVar(&l.Description, "description", "", "one sentence for readers")
	f.StringVar(&l.Cron, "cron", subscribers.DefaultCron, "schedule: minute hour day month weekday")
	f.StringVar(&l.Zone, "zone", "", "time zone of the schedule (default: zone in [schedule])")
	f.BoolVar(&l.AsItHappens, "as-it-happens", false, "an issue whenever something is new, instead of --cron; requires --min-gap")
	f.DurationVar(&l.MinGap, "min-gap", 0, "minimum time between two issues, such as 2h")
	f.BoolVar(&l.WorkingDays, "working-days", false, "no issue on weekends and holidays; it comes on the next working day")
	f.BoolVar(&l.Welcome, "welcome", false, "send the last issue to readers when they confirm")
	f.BoolVar(&l.Hold, "hold", false, "hold the issues until you run: dibao issue send")
	f.StringVar(&l.Sender, "from", "", "sender, 名称 <name@example.org> (default: from in [mail])")
	flags.Choice(f, &l.Language, "language", "zh", languages, "language of the issues")
	f.IntVar(&l.MaxItems, "max-items", subscribers.DefaultMaxItems, "maximum number of articles in an issue; the others wait for the next one")
	f.Var((*visibilityFlag)(&l.Visibility), "visibility", "public, hidden (an admin adds readers) or invitation (by a link)")
	f.Bool("hidden", false, "the same as --visibility hidden")
	f.StringArrayVar(&l.Query.Themes, "theme", nil, "theme of the State Council's classification (主题分类), or a part of its name, such as 民政 or finance (repeatable)")
	f.StringArrayVar(&l.Query.Regions, "region", nil, "code of GB/T 2260 or name, such as 51, 四川省 or Sichuan, with all regions in it")
	f.StringArrayVar(&l.Query.Issuers, "issuer", nil, "issuer")
	f.StringArrayVar(&l.Query.Kinds, "kind", nil, "document, interpretation, news, signed-article, consultation, other")
	f.StringArrayVar(&l.Query.Types, "type", nil, "type of official document (文种), such as 通知")
	f.Int64SliceVar(&l.Query.Sources, "source", nil, "number of a source")
	f.StringArrayVar(&l.Query.Documents, "document", nil, "number of a document to follow: the document itself, changes and interpretations")
	f.StringArrayVar(&l.Query.Chains, "chain", nil, "follow the implementation of this document, by number, at lower levels")
	f.StringArrayVar(&l.Query.Any, "any", nil, "a word or phrase; one of them must occur (repeatable)")
	f.StringArrayVar(&l.Query.All, "all", nil, "a word or phrase that must occur (repeatable)")
	f.StringArrayVar(&l.Query.None, "none", nil, "a word or phrase that must not occur in the title or summary")
}

// visibilityFlag is a flag whose value is a visibility.
type visibilityFlag subscribers.Visibility

func (v *visibilityFlag) String() string     { return string(*v) }
func (v *visibilityFlag) Set(s string) error { *v = visibilityFlag(s); return nil }
func (v *visibilityFlag) Type() string       { return "string" }

// given copies to l the values of the flags that were set, from the list that the flags
// are bound to.
func given(cmd *cobra.Command, from, l *subscribers.List) {
	copies := map[string]func(){
		"title": func() { l.Title = from.Title }, "description": func() { l.Description = from.Description },
		"cron": func() { l.Cron, l.AsItHappens = from.Cron, false }, "zone": func() { l.Zone = from.Zone },
		"as-it-happens": func() { l.AsItHappens = from.AsItHappens }, "min-gap": func() { l.MinGap = from.MinGap },
		"working-days": func() { l.WorkingDays = from.WorkingDays }, "welcome": func() { l.Welcome = from.Welcome }, "hold": func() { l.Hold = from.Hold },
		"from": func() { l.Sender = from.Sender }, "language": func() { l.Language = from.Language }, "max-items": func() { l.MaxItems = from.MaxItems },
		"visibility": func() { l.Visibility = from.Visibility }, "hidden": func() { l.Visibility = subscribers.Hidden },
		"theme": func() { l.Query.Themes = from.Query.Themes }, "region": func() { l.Query.Regions = from.Query.Regions },
		"issuer": func() { l.Query.Issuers = from.Query.Issuers }, "kind": func() { l.Query.Kinds = from.Query.Kinds },
		"type": func() { l.Query.Types = from.Query.Types }, "source": func() { l.Query.Sources = from.Query.Sources },
		"document": func() { l.Query.Documents = from.Query.Documents }, "chain": func() { l.Query.Chains = from.Query.Chains },
		"any": func() { l.Query.Any = from.Query.Any }, "all": func() { l.Query.All = from.Query.All }, "none": func() { l.Query.None = from.Query.None },
	}
	cmd.Flags().Visit(func(f *pflag.Flag) {
		if set, ok := copies[f.Name]; ok {
			set()
		}
	})
}

// checkQuery replaces Chinese names of kinds with codes, and refuses themes that do not
// exist.
func checkQuery(q *subscribers.Query) error {
	for i, kind := range q.Kinds {
		q.Kinds[i] = string(cli.CodeNamed("kind", kind, policy.Kinds))
	}
	for i, name := range q.Themes {
		if err := feed.CheckTheme(name); name != "" && err != nil {
			return &cli.UsageError{Err: err}
		}
		q.Themes[i] = theme.Named(name)
	}
	return nil
}

// withoutEmpty removes empty values, which are how a user clears a condition.
func withoutEmpty(q *subscribers.Query) {
	for _, field := range []*[]string{&q.Themes, &q.Regions, &q.Issuers, &q.Kinds, &q.Types, &q.Documents, &q.Chains, &q.Any, &q.All, &q.None} {
		var kept []string
		for _, v := range *field {
			if v != "" {
				kept = append(kept, v)
			}
		}
		*field = kept
	}
}

func newListEdit(g *globals) *cobra.Command {
	var from subscribers.List
	var name string
	var renew bool
	cmd := &cobra.Command{
		Use:   "edit NAME",
		Short: "Edit a list; settings without a flag stay as they are",
		Long:  "A flag replaces the whole condition: --theme 民政 --theme 财政 replaces all themes, --theme \"\" removes the condition.",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(flags.Given(cmd)) == 0 {
				return usagef("no change was specified; see: dibao list edit --help")
			}
			if err := checkQuery(&from.Query); err != nil {
				return err
			}
			a, err := g.open(cmd)
			if err != nil {
				return err
			}
			defer a.close()
			l, err := a.subscribers.ListBySlug(cmd.Context(), args[0])
			if err != nil {
				return err
			}
			given(cmd, &from, &l)
			withoutEmpty(&l.Query)
			if name != "" {
				l.Slug = name
			}
			changed, err := a.subscribers.UpdateList(cmd.Context(), l)
			if err != nil {
				return err
			}
			if renew {
				if changed, err = a.subscribers.RenewPageKey(cmd.Context(), l.ID); err != nil {
					return err
				}
			}
			v, err := a.viewList(cmd.Context(), changed)
			if err != nil {
				return err
			}
			g.change.target = "list " + args[0]
			if g.json {
				return writeJSON(cmd.OutOrStdout(), v)
			}
			if renew {
				fmt.Fprintln(cmd.OutOrStdout(), v.Address)
			}
			g.say(cmd, "list %s changed; its next issue %s", v.Slug, a.nextIssue(v))
			a.sayHolidays(g, cmd, v)
			return a.sayUnmatched(g, cmd, changed.Query)
		},
	}
	listFlags(cmd, &from)
	flags.WithoutDefaults(cmd.Flags())
	cmd.Flags().StringVar(&name, "name", "", "new name; links to the old one break")
	cmd.Flags().BoolVar(&renew, "new-address", false, "create and print another secret address for a list that is not public; the old one, also in sent emails, stops working")
	return cmd
}

// nextIssue returns the time of a list's next issue, in words.
func (a *app) nextIssue(v view.List) string {
	if v.NextDue == nil {
		return "is published when something is new"
	}
	return "is due " + v.NextDue.In(a.config.Schedule.Zone).Format("2006-01-02 15:04") + " (" + a.config.Schedule.Zone.String() + ")"
}

// sayHolidays says that holidays are not known in the year of a list's next issue.
func (a *app) sayHolidays(g *globals, cmd *cobra.Command, v view.List) {
	if !v.WorkingDays || v.NextDue == nil {
		return
	}
	zone, err := time.LoadLocation(v.Zone)
	if err != nil {
		zone = a.config.Schedule.Zone
	}
	day := policy.DateOf(v.NextDue.In(zone))
	if _, exact := workday.Is(day); !exact {
		g.say(cmd, "this version does not know the holidays of %d; until an upgrade, days off are weekends, January 1, May 1–2 and October 1–3 only", day.Year)
	}
}

// sayUnmatched says which new keywords of a list no stored article contains: often they are in
// another language than the texts.
func (a *app) sayUnmatched(g *globals, cmd *cobra.Command, q subscribers.Query) error {
	if !cmd.Flags().Changed("any") && !cmd.Flags().Changed("all") {
		return nil
	}
	if s, err := a.articles.Status(cmd.Context()); err != nil || s.Articles == 0 || s.Unindexed > 0 { // what waits for the index may contain them
		return err
	}
	missing := func(words []string) (all []string, err error) {
		for _, w := range words {
			found, err := a.articles.Search(cmd.Context(), search.Query{Text: `"` + strings.ReplaceAll(w, `"`, " ") + `*"`, Limit: 1})
			if err != nil {
				return nil, err
			}
			if found.Total == 0 {
				all = append(all, strconv.Quote(w))
			}
		}
		return all, nil
	}
	absent, err := missing(q.Any)
	if len(absent) < len(q.Any) { // one of them is enough
		absent = nil
	}
	required, more := missing(q.All)
	if absent = append(absent, required...); len(absent) > 0 {
		g.say(cmd, "no stored article contains %s; keywords must be in the language of the texts", strings.Join(absent, ", "))
	}
	return errors.Join(err, more)
}

// withList wraps a command that works on the list in its argument.
func withList(g *globals, f func(cmd *cobra.Command, a *app, l subscribers.List) error) func(*cobra.Command, []string) error {
	return g.verb(func(cmd *cobra.Command, args []string, a *app) error {
		l, err := a.subscribers.ListBySlug(cmd.Context(), args[0])
		if err != nil {
			return err
		}
		return f(cmd, a, l)
	})
}

func newListRemove(g *globals) *cobra.Command {
	return &cobra.Command{
		Use:   "remove NAME",
		Short: "Remove a list and its subscriptions; its issues stay in the archive",
		Args:  cobra.ExactArgs(1),
		RunE: withList(g, func(cmd *cobra.Command, a *app, l subscribers.List) error {
			counts, err := a.subscribers.CountStates(cmd.Context(), l.ID)
			if err != nil {
				return err
			}
			g.change.target = "list " + l.Slug
			if n := counts["confirmed"]; n > 0 && !g.yes {
				g.change.none = true
				return fmt.Errorf("%d readers have subscribed to the list %s; to end their subscriptions, too, run: dibao list remove %s --yes", n, l.Slug, l.Slug)
			}
			if err := g.confirm(cmd, "Remove list %s?", l.Slug); err != nil {
				return err
			}
			if err := a.subscribers.RemoveList(cmd.Context(), l.ID); err != nil {
				return err
			}
			if err := a.digest.Channels.RemoveOf(cmd.Context(), l.ID); err != nil {
				return err
			}
			g.say(cmd, "list %s removed; %d subscriptions ended", l.Slug, counts["confirmed"]+counts["pending"])
			return nil
		}),
	}
}

func newListInvite(g *globals) *cobra.Command {
	return &cobra.Command{
		Use:   "invite NAME",
		Short: "Print the subscription link of a list that is not public",
		Args:  cobra.ExactArgs(1),
		RunE: withList(g, func(cmd *cobra.Command, a *app, l subscribers.List) error {
			if l.Visibility != subscribers.Invitation {
				return fmt.Errorf("list %s is %s; only a list of --visibility invitation has such a link", l.Slug, l.Visibility)
			}
			g.change.target = "list " + l.Slug
			fmt.Fprintf(cmd.OutOrStdout(), "%s/subscribe?invite=%s\n", a.config.Server.BaseURL, a.subscribers.Keys().InviteToken(l.ID))
			g.say(cmd, "it works for %d days", tokens.InviteDays)
			return nil
		}),
	}
}
