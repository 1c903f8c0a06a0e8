package main

import (
	"context"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"dibao/cmd/dibao/cli"
	"dibao/cmd/dibao/view"
	"dibao/digest"
	"dibao/digest/channel"
	"dibao/internal/jobs"
	"dibao/subscribers"
)

func newListChannel(g *globals) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "channel",
		Short: "Manage the groups that get the issues of lists: WeCom, Feishu, DingTalk, Telegram, ntfy, Matrix, webhooks",
	}
	cmd.AddCommand(newChannelAdd(g), newChannelList(g), newChannelTest(g), newChannelRemove(g))
	return cmd
}

// channels returns the sender of issues to channels.
func (a *app) channels() *channel.Sender {
	s := &channel.Sender{Store: a.digest.Channels, Node: a.member.ID(), Client: a.poster, Card: a.digest.Card, Log: a.log}
	if a.config.Mail.Admin != "" && (a.config.Mail.Host != "" || a.config.Mail.Direct) {
		s.Notify = a.notifyChannel
	}
	return s
}

// wakeSenders makes all nodes send at once everything that is due in mailings and channels.
func (a *app) wakeSenders(ctx context.Context) error {
	err := jobs.Signal(ctx, a.db, "deliver")
	if err == nil {
		err = jobs.Signal(ctx, a.db, "channels")
	}
	return err
}

func newChannelAdd(g *globals) *cobra.Command {
	var address, room, file, proxy string
	var private bool
	cmd := &cobra.Command{
		Use:   "add LIST KIND",
		Short: "Add a channel: a group gets the issues of a list, starting with the next one",
		Long: "The group gets a card of each issue: its title, up to five articles with links, and a link to the issue. KIND is wecom\n" +
			"(企业微信), feishu (飞书), dingtalk (钉钉), telegram, ntfy, matrix or webhook. Secrets are read from a file that only the\n" +
			"user of dibao can read (mode 0600), whenever something is sent; the database and its backups hold only the path.\n" +
			"  wecom                the file holds the address of the group's bot\n" +
			"  feishu, dingtalk     the same; the second line is the key of 签名校验 or 加签, if the bot has one\n" +
			"  telegram             the token of the bot; --room is the id of the chat\n" +
			"  ntfy                 an access token, if the topic requires one; --room is the topic\n" +
			"  matrix               the access token of the bot; --address is the server, --room the id of the room\n" +
			"  webhook              the secret (whsec_…) that signs as Standard Webhooks specifies; --address gets the POST",
		Example: "  dibao list channel add weekly wecom --secret-file /etc/dibao/wecom.secret\n" +
			"  dibao list channel add weekly telegram --room -1001234567890 --secret-file /etc/dibao/telegram.secret\n" +
			"  dibao list channel add weekly matrix --address https://matrix.example.org --room '!abc:example.org' --secret-file /etc/dibao/matrix.secret",
		Args: cobra.ExactArgs(2),
		RunE: withList(g, func(cmd *cobra.Command, a *app, l subscribers.List) error {
			c, err := channel.New(l.ID, cmd.Flags().Arg(1), address, room)
			if err != nil {
				return usagef("%w", err)
			}
			c.Private, c.Proxy = private, proxy
			if c.SecretFile, err = channel.AbsoluteFile(file); err != nil {
				return err
			}
			if c, err = a.digest.Channels.Add(cmd.Context(), c); err != nil {
				return err
			}
			g.change.target = "list " + l.Slug
			if g.json {
				return writeJSON(cmd.OutOrStdout(), view.OfChannel(c, l.Slug, nil))
			}
			g.say(cmd, "channel %d of list %s added; to send a test message: dibao list channel test %d", c.ID, l.Slug, c.ID)
			return nil
		}),
	}
	f := cmd.Flags()
	f.StringVar(&address, "address", "", "address of the server (default: api.telegram.org, ntfy.sh)")
	f.StringVar(&room, "room", "", "chat, topic or room")
	f.StringVar(&file, "secret-file", "", "file with the bot's address or the token, readable by its owner only")
	f.StringVar(&proxy, "proxy", "", "use this proxy (http, https or socks5 address)")
	f.BoolVar(&private, "private", false, "allow a server in your own network: only its host and port")
	return cmd
}

func newChannelList(g *globals) *cobra.Command {
	return &cobra.Command{
		Use:   "list [LIST]",
		Short: "List channels and the results of their newest issues",
		Args:  cobra.MaximumNArgs(1),
		RunE: g.verb(func(cmd *cobra.Command, args []string, a *app) error {
			lists, err := a.lists(cmd, args)
			if err != nil {
				return err
			}
			latest, err := a.digest.Channels.Latest(cmd.Context())
			if err != nil {
				return err
			}
			var views []view.Channel
			for _, l := range lists {
				all, err := a.digest.Channels.Channels(cmd.Context(), l.ID)
				if err != nil {
					return err
				}
				for _, c := range all {
					var last *channel.Row
					if row, ok := latest[c.ID]; ok {
						last = &row
					}
					views = append(views, view.OfChannel(c, l.Slug, last))
				}
			}
			return printRows(g, cmd, []any{"ID", "List", "Kind", "Server", "Room", "State", "Problem"}, views, func(v view.Channel) []any {
				state, reply := "", cli.Value(v.Error)
				if v.Last != nil {
					state = v.Last.State
					if reply == "" {
						reply = v.Last.LastReply()
					}
				}
				return []any{v.ID, v.List, v.Kind, cli.Value(v.Server), cli.Value(v.Room), state, reply}
			})
		}),
	}
}

// withChannel wraps a command that works on the channel whose number is its argument, and
// on its list.
func withChannel(g *globals, f func(cmd *cobra.Command, a *app, c channel.Channel, l subscribers.List) error) func(*cobra.Command, []string) error {
	return g.verb(func(cmd *cobra.Command, args []string, a *app) error {
		id, err := strconv.ParseInt(args[0], 10, 64)
		if err != nil {
			return usagef("%q is not the number of a channel; see: dibao list channel list", args[0])
		}
		c, err := a.digest.Channels.Channel(cmd.Context(), id)
		if err != nil {
			return err
		}
		lists, err := a.subscribers.Lists(cmd.Context())
		if err != nil {
			return err
		}
		for _, l := range lists {
			if l.ID == c.List {
				g.change.target = "list " + l.Slug
				return f(cmd, a, c, l)
			}
		}
		return f(cmd, a, c, subscribers.List{}) // its list was removed
	})
}

func newChannelTest(g *globals) *cobra.Command {
	return &cobra.Command{
		Use:   "test CHANNEL",
		Short: "Send a test message to a channel now",
		Args:  cobra.ExactArgs(1),
		RunE: withChannel(g, func(cmd *cobra.Command, a *app, c channel.Channel, l subscribers.List) error {
			if err := a.channels().Test(cmd.Context(), c, a.digest.TestCard(l)); err != nil {
				return err
			}
			g.say(cmd, "channel %d accepted the test message", c.ID)
			return nil
		}),
	}
}

func newChannelRemove(g *globals) *cobra.Command {
	return &cobra.Command{
		Use:   "remove CHANNEL",
		Short: "Remove a channel; its secret file stays",
		Args:  cobra.ExactArgs(1),
		RunE: withChannel(g, func(cmd *cobra.Command, a *app, c channel.Channel, l subscribers.List) error {
			if err := g.confirm(cmd, "Remove channel %d (%s) of list %s?", c.ID, c.Kind, l.Slug); err != nil {
				return err
			}
			if err := a.digest.Channels.Remove(cmd.Context(), c.ID); err != nil {
				return err
			}
			g.say(cmd, "channel %d removed", c.ID)
			return nil
		}),
	}
}

// printChannels prints the state of a mailing's issues in channels.
func (a *app) printChannels(g *globals, cmd *cobra.Command, rows []channel.Row) error {
	if len(rows) == 0 {
		return nil
	}
	return printRows(g, cmd, []any{"Channel", "Kind", "State", "Attempts", "Next try", "Problem"}, rows, func(r channel.Row) []any {
		next := ""
		if r.NextAt != nil {
			next = shortTime(*r.NextAt, a.config.Schedule.Zone)
		}
		return []any{r.Channel, r.Kind, r.State, r.Attempts, next, r.LastReply()}
	})
}

// sayChannels prints how many channels get the issues of a mailing.
func (a *app) sayChannels(g *globals, cmd *cobra.Command, made digest.Composed) error {
	rows, err := a.digest.Channels.Report(cmd.Context(), made.Mailing)
	if len(rows) > 0 {
		var kinds []string
		for _, r := range rows {
			kinds = append(kinds, g.code("Kind", r.Kind))
		}
		g.say(cmd, "%d channels get it: %s", len(rows), strings.Join(kinds, g.either(", ", "、")))
	}
	return err
}
