package adminsite

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/dustin/go-humanize"

	"dibao/cmd/dibao/cli"
	"dibao/cmd/dibao/status"
	"dibao/digest/delivery"
	"dibao/feed"
	"dibao/internal/nodes"
	"dibao/internal/redact"
	"dibao/templates"
)

const (
	soon       = "01-02 15:04" // the format of nearby times
	shownNeeds = 8             // maximum number of listed sources that need attention
	minDisk    = 1 << 30       // bytes; minimum free space
)

// overview shows what dibao status shows.
func (s *Site) overview(ctx context.Context, _ *http.Request, p templates.AdminPage) (page, error) {
	st, err := s.Node.Read(ctx)
	if err != nil {
		return nil, err
	}
	v := s.voice(p)
	p.Section = "overview"
	out := templates.AdminOverview{AdminPage: p, Figures: v.figures(st), Reports: v.counts("Kind", st.Digest.Reports), System: v.system(st)}
	out.Needs, out.More = v.needs(st)
	if out.Lists, _, err = v.listRows(ctx, st.ListsByTime()); err != nil {
		return nil, err
	}
	for _, m := range st.Mailings {
		row := v.mailing(m)
		row.Lists = strings.Join(st.MailingLists[m.Mailing], templates.Words(p.Language, "comma"))
		out.Mailings = append(out.Mailings, row)
	}
	return out, nil
}

// figures are the numbers at the head of the overview.
func (v voice) figures(st status.Snapshot) []templates.AdminFigure {
	all := 0
	for _, n := range st.Feed.Sources {
		all += n
	}
	well := all - st.Unhealthy() - st.Feed.Sources[feed.StatePaused] - st.Feed.Sources[feed.StateNew]
	next, matched := "–", ""
	for _, l := range st.ListsByTime() {
		if !l.NextAt.IsZero() && l.OverdueSince.IsZero() {
			next = l.NextAt.In(st.Zone).Format(soon)
			if l.Matched != nil {
				matched = v.say("figure.matched", *l.Matched)
			}
			break
		}
	}
	sent, failed := st.Digest.Deliveries["sent"], st.Digest.Deliveries["failed"]
	pending := ""
	if n := st.Subscriptions["pending"]; n > 0 {
		pending = v.say("figure.pending", n)
	}
	return []templates.AdminFigure{
		{Key: "sources", Value: strconv.Itoa(well), Note: v.say("figure.of", all), Bad: st.Unhealthy() > 0},
		{Key: "articles", Value: humanize.Comma(st.Feed.Articles)},
		{Key: "next", Value: next, Note: matched},
		{Key: "readers", Value: humanize.Comma(int64(st.Readers)), Note: pending},
		{Key: "sent", Value: humanize.Comma(int64(sent))},
		{Key: "failed", Value: humanize.Comma(int64(failed)), Note: percent(failed, sent+failed), Bad: failed*50 > sent+failed},
	}
}

// needs returns what an admin should look at; more counts the sources that are left
// out.
func (v voice) needs(st status.Snapshot) (needs []templates.AdminNeed, more int) {
	add := func(bad bool, verb, key string, args ...any) {
		needs = append(needs, templates.AdminNeed{Text: v.say("need."+key, args...), Verbs: []string{verb}, Bad: bad})
	}
	for _, l := range st.ListsByTime() {
		if !l.OverdueSince.IsZero() {
			add(true, "dibao issue list --list "+l.List.Slug, "", "overdue", l.List.Title, cli.ShortTime(l.OverdueSince, st.Zone))
		}
	}
	for _, t := range st.Troubles {
		needs = append(needs, v.trouble(t))
	}
	if n := st.Digest.HeldIssues; n > 0 {
		add(false, "dibao issue list", "heldissues", n)
	}
	if n := st.Digest.Pending; n > 0 {
		add(false, "dibao bounce list --pending", "pending", n)
	}
	if st.DiskFree > 0 && st.DiskFree < minDisk {
		add(true, "dibao doctor", "disk", humanize.Bytes(st.DiskFree))
	}
	if st.ClockSkew.Abs() > nodes.MaxSkew {
		add(true, "dibao doctor", "clock", st.ClockSkew.Abs().Round(time.Second))
	}
	if n := st.Feed.Held; n > 0 {
		add(false, "dibao source release "+v.say("arg.source"), "heldarticles", n)
	}
	for i, src := range st.Sources {
		if src.State.Severity() == 0 {
			break
		}
		if i == shownNeeds {
			return needs, st.Unhealthy() - i
		}
		needs = append(needs, templates.AdminNeed{
			Text: v.say("need.source", src.Name, v.code("State", string(src.State))), URL: sourcePath(src.ID), Detail: v.detail(src),
			Verbs: []string{fmt.Sprintf("dibao source test %d", src.ID)}, Bad: class(src.State) == "bad",
		})
	}
	return needs, 0
}

// detail describes the problem of a source.
func (v voice) detail(src feed.Source) string {
	return cmp.Or(v.sentence(redact.Text(src.LastError)), v.sentence(src.Advice()))
}

// system returns the figures of the machine.
func (v voice) system(st status.Snapshot) (facts []templates.Fact) {
	add := func(key, value string) {
		if value != "" {
			facts = append(facts, templates.Fact{Key: key, Values: []templates.FactValue{{Text: value}}})
		}
	}
	add("version", cli.VersionLine())
	add("database", st.Database)
	if st.DiskFree > 0 {
		add("disk", humanize.Bytes(st.DiskFree))
	}
	add("clock", st.ClockSkew.Round(time.Millisecond).String())
	add("newest", cli.ShortTime(st.Feed.NewestAt, st.Zone))
	add("index", cmp.Or(humanize.Comma(st.Feed.Unindexed), "0"))
	add("subscriptions", v.list("State", st.Subscriptions))
	add("suppressions", v.list("Reason", st.Suppressions))
	return facts
}

// counts returns counts by code, largest first.
func (v voice) counts(heading string, counts map[string]int) (all []templates.AdminCount) {
	for _, name := range slices.SortedFunc(maps.Keys(counts), func(a, b string) int {
		return cmp.Or(cmp.Compare(counts[b], counts[a]), cmp.Compare(a, b))
	}) {
		if counts[name] > 0 {
			all = append(all, templates.AdminCount{Name: v.code(heading, name), Class: "plain", Count: counts[name]})
		}
	}
	return all
}

// list writes counts by name on one line.
func (v voice) list(heading string, counts map[string]int) (text string) {
	for i, c := range v.counts(heading, counts) {
		if i > 0 {
			text += templates.Words(v.language, "comma")
		}
		text += c.Name + " " + humanize.Comma(int64(c.Count))
	}
	return text
}

// mailing is a row of a table of mailings.
func (v voice) mailing(m delivery.MailingReport) templates.AdminMailing {
	return templates.AdminMailing{
		Number: m.Mailing, URL: fmt.Sprintf("/mailings/%d", m.Mailing), Due: cli.ShortTime(m.DueAt, v.Node.Zone), State: v.code("State", m.State), Class: mailingClass(m.State),
		NoEmails: v.sentence(status.NoEmails(m)), All: m.Emails(), Sent: m.Sent, Waiting: m.Waiting + m.Claimed, Failed: m.Failed, Uncertain: m.Uncertain, NotSent: m.Suppressed,
	}
}
