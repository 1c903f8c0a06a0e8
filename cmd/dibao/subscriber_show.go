package main

import (
	"cmp"
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"dibao/cmd/dibao/cli"
	"dibao/cmd/dibao/view"
	"dibao/policy/division"
	"dibao/policy/theme"
	"dibao/subscribers"
	"dibao/subscribers/mailaddr"
)

// person returns everything that subscribers and digest store about a reader.
func (a *app) person(ctx context.Context, id int64) (view.Person, error) {
	p, err := a.subscribers.Person(ctx, id)
	if err != nil {
		return view.Person{}, err
	}
	if p.History, err = a.digest.History(ctx, id); err != nil {
		return view.Person{}, err
	}
	if p.Stars, err = a.digest.Stars.Listed(ctx, id); err != nil {
		return view.Person{}, err
	}
	return view.OfPerson(id, p), nil
}

func newSubscriberShow(g *globals) *cobra.Command {
	return &cobra.Command{
		Use:   "show ADDRESS",
		Short: "Show a reader: preferences and history",
		Args:  cobra.ExactArgs(1),
		RunE: g.verb(func(cmd *cobra.Command, args []string, a *app) error {
			x, err := a.reader(cmd.Context(), args[0])
			if err != nil {
				return err
			}
			v, err := a.person(cmd.Context(), x.ID)
			if err != nil {
				return err
			}
			if g.json {
				return writeJSON(cmd.OutOrStdout(), v)
			}
			return a.printPerson(g, cmd, v)
		}),
	}
}

func (a *app) printPerson(g *globals, cmd *cobra.Command, v view.Person) error {
	zone := a.config.Schedule.Zone
	g.print(cmd, "%s  (number %d, since %s, %s, %s)", mailaddr.Readable(v.Address), v.ID, shortTime(v.CreatedAt, zone), v.Language, v.Format)
	if v.Suppressed != nil {
		g.print(cmd, "suppressed: %s; gets no mail", *v.Suppressed)
	}
	if v.PausedUntil != nil {
		g.print(cmd, "paused until %s", *v.PausedUntil)
	}
	for _, s := range v.Subscriptions {
		g.print(cmd, "  %s %s, frequency: %s", s.List, s.State, s.Frequency)
		if narrowed := g.narrowed(s.Themes, s.Regions); narrowed != "" {
			g.print(cmd, "    only articles about %s", narrowed)
		}
	}
	if v.Profile != nil {
		for _, f := range subscribers.ProfileLines(*v.Profile, g.language()) {
			fmt.Fprintf(cmd.OutOrStdout(), "  %s%s%s\n", f.Title, g.either(": ", "："), strings.Join(f.Values, g.either("; ", "；")))
		}
	}
	for _, s := range v.Stars {
		last := cmp.Or(cli.Value(s.Last), g.either("not known", "未知"))
		g.print(cmd, "  starred article %d, last day %s: %s", s.Article, last, s.Title)
	}
	fmt.Fprintln(cmd.OutOrStdout())
	return printRows(g, cmd, []any{"When", "Event", "List", "Detail"}, v.TimeLine, func(e view.PersonEvent) []any {
		detail := cli.Value(e.Detail)
		if e.NextAt != nil {
			detail += "; " + g.message("next try %s", shortTime(*e.NextAt, zone))
		}
		return []any{shortTime(e.At, zone), e.Event, cli.Value(e.List), detail}
	})
}

// narrowed returns the themes and regions to which a reader limited a list, "" if none.
func (g *globals) narrowed(themes, regions []string) string {
	var words []string
	for _, t := range themes {
		words = append(words, theme.NameIn(t, g.language()))
	}
	for _, code := range regions {
		words = append(words, cmp.Or(division.NameIn(code, g.language()), code))
	}
	return strings.Join(words, g.either(" / ", "、"))
}

// reader returns the reader with an address. The error for an unknown address says if the
// address is suppressed.
func (a *app) reader(ctx context.Context, address string) (subscribers.Subscriber, error) {
	reader, err := a.subscribers.SubscriberByAddress(ctx, address)
	if err == nil {
		return reader, nil
	}
	if x, e := a.subscribers.Suppression(ctx, address); e == nil && x != nil {
		err = fmt.Errorf("%w; the address has been suppressed (%s) since %s", err, x.Reason, shortTime(x.At, a.config.Schedule.Zone))
	}
	return reader, err
}

// eachReader calls f with the selected readers, in the order of their ids.
func (a *app) eachReader(ctx context.Context, sel subscribers.Selection, f func(subscribers.Subscriber) error) error {
	for sel.Limit = 1000; ; {
		page, err := a.subscribers.Subscribers(ctx, sel)
		if err != nil {
			return err
		}
		for _, x := range page {
			sel.After = x.ID
			if err := f(x); err != nil {
				return err
			}
		}
		if len(page) < sel.Limit {
			return nil
		}
	}
}
