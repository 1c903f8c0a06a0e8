package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"dibao/cmd/dibao/cli"
	"dibao/cmd/dibao/flags"
	"dibao/cmd/dibao/mailer"
	"dibao/subscribers"
	"dibao/subscribers/mailaddr"
)

func newSubscriber(g *globals) *cobra.Command {
	cmd := &cobra.Command{Use: "subscriber", SuggestFor: []string{"reader", "user", "import"}, Short: "Manage readers"}
	cmd.AddCommand(
		newSubscriberAdd(g), newSubscriberEdit(g), newSubscriberList(g), newSubscriberShow(g), newSubscriberImport(g), newSubscriberExport(g),
		newSubscriberUnsubscribe(g), newSubscriberSuppress(g), newSubscriberUnsuppress(g), newSubscriberForget(g), newSubscriberPrune(g),
	)
	return cmd
}

// languages are the languages of emails.
var languages = []string{"zh", "en"}

// subscriberView is a reader in JSON.
type subscriberView struct {
	ID         int64             `json:"id"`
	Address    string            `json:"address"`
	Language   string            `json:"language"`
	Lists      map[string]string `json:"lists"` // state by name
	Suppressed *string           `json:"suppressed"`
}

func viewSubscriber(s subscribers.Subscriber) subscriberView {
	v := subscriberView{ID: s.ID, Address: s.Address, Language: s.Language, Lists: map[string]string{}, Suppressed: null(s.Suppressed)}
	for _, x := range s.Subscriptions {
		v.Lists[x.Slug] = string(x.State)
	}
	return v
}

func newSubscriberAdd(g *globals) *cobra.Command {
	var lists []string
	var consent, language string
	cmd := &cobra.Command{
		Use:   "add ADDRESS",
		Short: "Subscribe a reader who has agreed, or send a confirmation request",
		Long: "Without --consent, the reader gets a confirmation email, as from the form. With it, the reader is subscribed immediately,\n" +
			"and the text is kept as proof: state how and when they agreed. Existing readers keep their language.",
		Example: "  dibao subscriber add reader@example.org --list weekly\n" +
			"  dibao subscriber add reader@example.org --list weekly --consent \"signed form of 2026-11-02, folder 7\"",
		Args: cobra.ExactArgs(1),
		RunE: g.verb(func(cmd *cobra.Command, args []string, a *app) error {
			chosen, err := a.lists(cmd, lists)
			if err != nil {
				return err
			}
			if len(chosen) == 0 {
				return errNoList
			}
			if consent == "" {
				mail, err := a.subscribers.Subscribe(cmd.Context(), subscribers.Request{Address: args[0], Language: language, Lists: chosen})
				if err != nil {
					return err
				}
				if mail == nil {
					return fmt.Errorf("no confirmation email was sent to %s: the reader is subscribed or suppressed, or already got one today or three in all", args[0])
				}
				g.change.detail = "asked to confirm"
				if err := a.confirm(cmd.Context(), *mail); err != nil {
					if mailer.IsOurs(err) {
						err = errors.Join(err, a.subscribers.NotMailed(context.WithoutCancel(cmd.Context()), mail.Address))
					}
					return err
				}
				g.say(cmd, "sent a confirmation request to %s", mailaddr.Readable(mail.Address))
				return nil
			}
			id, err := a.subscribers.AddConfirmed(cmd.Context(), args[0], language, chosen, consent)
			if err != nil {
				return err
			}
			g.change.target = fmt.Sprintf("subscriber %d", id)
			g.say(cmd, "subscribed %s", args[0])
			x, err := a.subscribers.SubscriberByAddress(cmd.Context(), args[0])
			if err == nil && language != "" && language != x.Language {
				g.say(cmd, "the emails of this reader stay in %s; to change that: dibao subscriber edit %s --language %s", x.Language, args[0], language)
			}
			return err
		}),
	}
	cmd.Flags().StringArrayVar(&lists, "list", nil, "name of a list (repeatable; default: all)")
	cmd.Flags().StringVar(&consent, "consent", "", "how and when the reader agreed")
	flags.Choice(cmd.Flags(), &language, "language", "", languages, "language of the emails (default: that of the first list)")
	return cmd
}

func newSubscriberList(g *globals) *cobra.Command {
	var sel subscribers.Selection
	var list string
	cmd := &cobra.Command{
		Use:     "list [PATTERN]",
		Short:   "List readers",
		Example: "  dibao subscriber list '*@qq.com' --state confirmed\n  dibao subscriber list --after 100 --limit 100 --json",
		Args:    cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 1 {
				sel.Like = args[0]
			}
			a, err := g.open(cmd)
			if err != nil {
				return err
			}
			defer a.close()
			if list != "" {
				l, err := a.subscribers.ListBySlug(cmd.Context(), list)
				if err != nil {
					return err
				}
				sel.List = l.ID
			}
			all, err := a.subscribers.Subscribers(cmd.Context(), sel)
			if err != nil {
				return err
			}
			views := make([]subscriberView, len(all))
			for i, s := range all {
				views[i] = viewSubscriber(s)
			}
			return printRows(g, cmd, []any{"ID", "Address", "Language", "Lists", "Suppressed"}, views, func(v subscriberView) []any {
				var lists []string
				for _, name := range slices.Sorted(maps.Keys(v.Lists)) {
					lists = append(lists, name+" "+g.code("State", v.Lists[name]))
				}
				return []any{v.ID, mailaddr.Readable(v.Address), v.Language, strings.Join(lists, ", "), g.code("Reason", cli.Value(v.Suppressed))}
			})
		},
	}
	f := cmd.Flags()
	f.StringVar(&list, "list", "", "only this list")
	flags.Choice(f, &sel.State, "state", "", subscribers.States, "only readers in this state")
	f.StringVar(&sel.Like, "like", "", "part of the address, or a pattern with *")
	f.BoolVar(&sel.Suppressed, "suppressed", false, "only suppressed readers")
	flags.Bounded(f, &sel.After, "after", 0, 0, math.MaxInt64, "only results with a higher number")
	flags.Bounded(f, &sel.Limit, "limit", 100, 1, maxListed, "maximum number of results")
	return cmd
}
