package adminsite

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/dustin/go-humanize"

	"dibao/cmd/dibao/cli"
	"dibao/digest"
	"dibao/subscribers"
	"dibao/templates"
)

const (
	growthWeeks = 26
	lately      = 28  // days that the figures next to a list cover
	shownItems  = 100 // articles of the next issue
	shownLeft   = 20  // articles that are left out of the next issue
	shownIssues = 12
)

// lists shows all lists.
func (s *Site) lists(ctx context.Context, _ *http.Request, p templates.AdminPage) (page, error) {
	st, err := s.Node.Read(ctx)
	if err != nil {
		return nil, err
	}
	v := s.voice(p)
	p.Section, p.Title = "lists", v.say("lists")
	rows, movements, err := v.listRows(ctx, st.ListsByTime())
	if err != nil {
		return nil, err
	}
	return templates.AdminLists{AdminPage: p, Lists: rows, Growth: v.growth(movements, 0)}, nil
}

// listRows returns the rows of a table of lists, with the readers who joined and left in
// half a year.
func (v voice) listRows(ctx context.Context, lists []digest.ListStatus) (rows []templates.AdminList, movements []subscribers.Movement, err error) {
	now := v.Node.Articles.Now().In(v.Node.Zone)
	if movements, err = v.Node.Subscribers.Movements(ctx, now.AddDate(0, 0, -7*growthWeeks)); err != nil {
		return nil, nil, err
	}
	since := now.AddDate(0, 0, -lately).Format(time.DateOnly)
	for _, l := range lists {
		counts, err := v.Node.Subscribers.CountStates(ctx, l.List.ID)
		if err != nil {
			return nil, nil, err
		}
		row := templates.AdminList{
			Slug: l.List.Slug, Title: l.List.Title, URL: "/lists/" + l.List.Slug, Matched: "–", Overdue: !l.OverdueSince.IsZero(),
			Next: cli.ShortTime(l.NextAt, v.Node.Zone), Readers: counts["confirmed"],
		}
		if l.Matched != nil {
			row.Matched = humanize.Comma(int64(*l.Matched))
		}
		switch {
		case row.Overdue:
			row.Next = cli.ShortTime(l.OverdueSince, v.Node.Zone)
		case l.NextAt.IsZero():
			row.Next = v.say("asithappens")
		}
		for _, m := range movements {
			if m.List == l.List.ID && m.Day > since {
				row.Joined, row.Left = row.Joined+m.Joined, row.Left+m.Left
			}
		}
		rows = append(rows, row)
	}
	return rows, movements, nil
}

// growth plots how many readers joined and left a list; 0 means all lists.
func (v voice) growth(movements []subscribers.Movement, list int64) templates.Chart {
	w := weeksUntil(v.Node.Articles.Now(), v.Node.Zone, growthWeeks)
	joined, left := make([]float64, growthWeeks), make([]float64, growthWeeks)
	came, went := 0, 0
	for _, m := range movements {
		if week, ok := w.of(m.Day); ok && (list == 0 || m.List == list) {
			joined[week] += float64(m.Joined)
			left[week] -= float64(m.Left)
			came, went = came+m.Joined, went+m.Left
		}
	}
	return templates.Chart{
		ID: "plot-growth", Title: v.say("growth"), Note: v.say("growth.note", growthWeeks, came, went), Step: v.say("week"), Labels: w.labels, Ticks: w.ticks,
		Series: []templates.Series{{Name: v.say("growth.joined"), Class: "good", Values: joined}, {Name: v.say("growth.left"), Class: "bad", Values: left}},
	}
}

// list shows one list and the articles of its next issue.
func (s *Site) list(ctx context.Context, r *http.Request, p templates.AdminPage) (page, error) {
	st, err := s.Node.Digest.Status(ctx)
	if err != nil {
		return nil, err
	}
	at := slices.IndexFunc(st.Lists, func(l digest.ListStatus) bool { return l.List.Slug == r.PathValue("slug") })
	if at < 0 {
		return nil, subscribers.ErrNotFound
	}
	list := st.Lists[at].List
	v := s.voice(p)
	rows, movements, err := v.listRows(ctx, st.Lists[at:at+1])
	if err != nil {
		return nil, err
	}
	items, err := s.Node.Digest.Preview(ctx, list)
	if err != nil {
		return nil, err
	}
	left, err := s.Node.Digest.LeftOut(ctx, list, shownLeft)
	if err != nil {
		return nil, err
	}
	issues, err := s.Node.Digest.Issues(ctx, list.ID, shownIssues)
	if err != nil {
		return nil, err
	}
	row := rows[0]
	next := row.Next
	if !st.Lists[at].NextAt.IsZero() && !row.Overdue {
		next = st.Lists[at].NextAt.In(s.Node.Zone).Format(soon)
	}
	p.Section, p.Title = "lists", list.Title
	out := templates.AdminListPage{
		AdminPage: p, List: row, Growth: v.growth(movements, list.ID), Number: 1, Count: len(items), More: max(len(items)-shownItems, 0),
		Figures: []templates.AdminFigure{
			{Key: "issue", Value: next, Bad: row.Overdue},
			{Key: "listmatched", Value: row.Matched},
			{Key: "listreaders", Value: humanize.Comma(int64(row.Readers))},
			{Key: "joined", Value: humanize.Comma(int64(row.Joined))},
			{Key: "left", Value: humanize.Comma(int64(row.Left))},
		},
	}
	for _, it := range items[:min(len(items), shownItems)] {
		if n := len(out.Sections); n == 0 || out.Sections[n-1].Key != it.Section {
			out.Sections = append(out.Sections, templates.Section{Key: it.Section})
		}
		one := templates.Item{Title: it.Article.Title(), URL: s.articleURL(it.Article.ID), Source: it.Article.SourceName}
		for _, why := range it.Why {
			one.Why = append(one.Why, digest.ReasonText(p.Language, why.Field, why.Value))
		}
		section := &out.Sections[len(out.Sections)-1]
		section.Items = append(section.Items, one)
	}
	for _, l := range left {
		out.LeftOut = append(out.LeftOut, templates.Item{Title: l.Article.Title(), URL: s.articleURL(l.Article.ID), Why: []string{templates.LeftOut(v.language, l.Why, l.Detail)}})
	}
	for i, issue := range issues {
		if i == 0 {
			out.Number = int(issue.Number) + 1
		}
		card := templates.IssueCard{Number: int(issue.Number), Date: cli.ShortTime(issue.DueAt, s.Node.Zone), Count: issue.Count}
		if issue.Mailing > 0 {
			card.URL, card.Lead = fmt.Sprintf("/mailings/%d", issue.Mailing), strconv.FormatInt(issue.Mailing, 10)
		}
		out.Issues = append(out.Issues, card)
	}
	return out, nil
}

func (s *Site) articleURL(id int64) string { return fmt.Sprintf("%s/articles/%d", s.BaseURL, id) }
