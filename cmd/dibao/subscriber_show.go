package main

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"dibao/subscribers"
)

// timeLine is one event of a reader, whoever keeps it.
type timeLine struct {
	At     time.Time `json:"at"`
	Event  string    `json:"event"`
	List   *string   `json:"list"`
	Detail *string   `json:"detail"`
}

// personView is everything that is known of a reader, in JSON.
type personView struct {
	ID int64 `json:"id"`
	subscribers.Person
	TimeLine []timeLine `json:"time_line"`
}

// person gathers what subscribers and digest keep of a reader.
func (a *app) person(ctx context.Context, id int64) (personView, error) {
	p, err := a.subscribers.Person(ctx, id)
	if err != nil {
		return personView{}, err
	}
	if p.History, err = a.digest.History(ctx, id); err != nil {
		return personView{}, err
	}
	v := personView{ID: id, Person: p, TimeLine: []timeLine{}}
	for _, e := range p.Consents {
		detail := strings.Trim(orEmpty(e.Detail)+", "+orEmpty(e.Network), ", ")
		v.TimeLine = append(v.TimeLine, timeLine{e.At, e.Event, e.List, null(detail)})
	}
	for _, e := range p.History {
		v.TimeLine = append(v.TimeLine, timeLine{e.At, e.Event, nil, e.Detail})
	}
	slices.SortStableFunc(v.TimeLine, func(x, y timeLine) int { return cmp.Compare(x.At.UnixNano(), y.At.UnixNano()) })
	return v, nil
}

func orEmpty(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

func newSubscriberShow(g *globals) *cobra.Command {
	return &cobra.Command{
		Use:   "show ADDRESS",
		Short: "Show a reader: preferences and history",
		Args:  cobra.ExactArgs(1),
		RunE: g.verb(func(cmd *cobra.Command, args []string, a *app) error {
			x, err := a.subscribers.SubscriberByAddress(cmd.Context(), args[0])
			if err != nil {
				return a.explainUnknown(cmd.Context(), args[0], err)
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

func (a *app) printPerson(g *globals, cmd *cobra.Command, v personView) error {
	zone := a.config.Schedule.Zone
	g.print(cmd, "%s  (number %d, since %s, %s, %s)", subscribers.Readable(v.Address), v.ID, shortTime(v.CreatedAt, zone), v.Language, v.Format)
	if v.Suppressed != nil {
		g.print(cmd, "suppressed: %s; gets no mail", *v.Suppressed)
	}
	if v.PausedUntil != nil {
		g.print(cmd, "paused until %s", *v.PausedUntil)
	}
	for _, s := range v.Subscriptions {
		narrowed := strings.Join(append(slices.Clone(s.Themes), s.Regions...), ", ")
		g.print(cmd, "  %s %s, frequency: %s %s", s.List, s.State, s.Frequency, narrowed)
	}
	fmt.Fprintln(cmd.OutOrStdout())
	return printRows(g, cmd, []any{"When", "Event", "List", "Detail"}, v.TimeLine, func(e timeLine) []any {
		return []any{shortTime(e.At, zone), e.Event, orEmpty(e.List), orEmpty(e.Detail)}
	})
}

// explainUnknown adds, of an address without a reader, whether it is suppressed.
func (a *app) explainUnknown(ctx context.Context, address string, err error) error {
	if x, e := a.subscribers.Suppression(ctx, address); e == nil && x != nil {
		return fmt.Errorf("%w; the address is suppressed (%s) since %s", err, x.Reason, shortTime(x.At, a.config.Schedule.Zone))
	}
	return err
}
