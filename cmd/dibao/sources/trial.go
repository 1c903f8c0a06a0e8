package sources

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/spf13/cobra"

	"dibao/cmd/dibao/cli"
	"dibao/cmd/dibao/inspect"
	"dibao/cmd/dibao/trial"
	"dibao/feed"
	"dibao/feed/ingest"
	"dibao/feed/ingest/answer"
	"dibao/feed/visit"
	"dibao/internal/redact"
)

const triedArticles = 3 // number of articles of a list that are read

func newSourceTest(p Program) *cobra.Command {
	var isPrivate, render bool
	cmd := &cobra.Command{
		Use:   "test SOURCE|URL",
		Short: "Test a source or an address: report what would be read, without storing anything",
		Long: "Reports the path to the list, what robots.txt says, rows found and left out, where each date comes from, the next page,\n" +
			"and three articles with their files and warnings. With --json: a line for each row, then one with the rest.",
		Example: "  dibao source test 3\n  dibao source test https://www.example.gov.cn/zhengce/",
		Args:    cobra.ExactArgs(1),
		RunE: orWithoutDatabase(p, func(cmd *cobra.Command, args []string, n *Node) error {
			s, err := n.Articles.SourceByRef(cmd.Context(), args[0])
			if err != nil && strings.HasPrefix(args[0], "http") {
				s, err = feed.Source{URL: args[0]}, nil
			}
			if err != nil {
				return err
			}
			if isPrivate {
				s.PermitPrivate()
			}
			s.Settings.Render = s.Settings.Render || render
			t := n.try(cmd.Context(), s)
			t.Chinese = p.Output().Chinese
			if p.Output().JSON {
				err = t.WriteJSON(cmd.OutOrStdout())
			} else {
				t.Write(cmd.OutOrStdout())
			}
			return errors.Join(err, t.Err)
		}),
	}
	cmd.Flags().BoolVar(&isPrivate, "private", false, privateHelp)
	cmd.Flags().BoolVar(&render, "render", false, renderHelp)
	return cmd
}

// orWithoutDatabase runs commands that only read the address in their argument. If
// there is no database yet, they run on an empty one, which is removed afterwards.
func orWithoutDatabase(p Program, run func(cmd *cobra.Command, args []string, n *Node) error) func(*cobra.Command, []string) error {
	return func(cmd *cobra.Command, args []string) error {
		lacking, err := p.LacksDatabase()
		if err != nil {
			return err
		}
		if strings.HasPrefix(args[0], "http") && lacking {
			dir, err := os.MkdirTemp("", "dibao-")
			if err != nil {
				return err
			}
			defer os.RemoveAll(dir)
			p.UseDatabase("sqlite:" + filepath.Join(dir, "dibao.db"))
			if err := os.WriteFile(filepath.Join(dir, "dibao.db"), nil, 0o600); err != nil {
				return err
			}
		}
		return verb(p, run)(cmd, args)
	}
}

// try reads a source as a collection would, and stores nothing.
func (n *Node) try(ctx context.Context, s feed.Source) *trial.Report {
	began := time.Now()
	t := &trial.Report{URL: redact.URL(s.URL), Source: cli.Null(s.Name), Answer: answer.Page, Usual: s.UsualItems, IsNew: map[string]bool{},
		Hops: []visit.Hop{}, Retitled: []string{}, LeftOut: inspect.ViewLeftOut(ingest.List{}, []ingest.Offer{}), Warnings: []string{}, Articles: []trial.Article{}}
	t.Robots = n.tryRobots(ctx, s)
	found, seen, err := n.look(ctx, s)
	t.Kind, t.Rendered, t.Hops = cli.Null(found.Kind), seen.Rendered, append(t.Hops, seen.Hops...)
	if err == nil && found.URL != s.URL {
		t.Hops = append(t.Hops, visit.Hop{By: "a search for a feed", To: redact.URL(found.URL)})
	}
	if err != nil {
		failTrial(t, s, err)
	} else {
		n.takeList(ctx, t, found, seen)
		n.tryPlain(t, s, seen)
		n.tryNext(ctx, t, found, seen.List)
		for _, it := range seen.List.Items[:min(len(seen.List.Items), triedArticles)] {
			t.Articles = append(t.Articles, n.tryArticle(ctx, found, it))
		}
	}
	t.Seconds = float64(time.Since(began).Milliseconds()) / 1000
	return t
}

// failTrial records why no list was read.
func failTrial(t *trial.Report, s feed.Source, err error) {
	t.Err = adviseOnPrivate(err)
	t.Problem = cli.Null(redact.Text(redact.Line(t.Err)))
	var answered *answer.Error
	if errors.As(err, &answered) {
		id := ""
		if s.ID != 0 {
			id = fmt.Sprint(s.ID)
		}
		t.Answer, t.Problem, t.Advice = answered.Kind, cli.Null(redact.Text(answered.Sentence())), cli.Null(redact.Text(answered.Advice(id)))
		t.Err = fmt.Errorf("no list was read at %s", t.URL) // the report contains the reason
	}
}

// tryRobots reads what robots.txt says about a list page; feeds are exempt.
func (n *Node) tryRobots(ctx context.Context, s feed.Source) trial.Robots {
	if strings.HasPrefix(s.URL, "maildir:") || s.Kind == "feed" {
		return trial.Robots{}
	}
	delay, err := n.Collector.Client.Robots(ctx, s.Request(s.URL, true))
	allowed := err == nil
	out := trial.Robots{Allowed: &allowed, Delay: delay.Seconds()}
	if err != nil {
		out.Problem = cli.Null(redact.Text(redact.Line(err)))
	}
	return out
}

func (n *Node) takeList(ctx context.Context, t *trial.Report, s feed.Source, seen visit.Visit) {
	l := seen.List
	t.Items, t.Rows, t.LeftOut, t.Pager = l.Items, len(l.Items), inspect.ViewLeftOut(l, offersOf(s, seen)), l.Pager
	t.Codes = l.Warnings()
	t.Warnings = inspect.Sentences(t.Codes, "en")
	for _, it := range l.Items {
		t.IsNew[it.GUID] = true
		if inspect.DateOfItem(it) != "" {
			t.Dated++
		}
	}
	t.New = t.Rows
	if s.ID == 0 {
		return
	}
	d, err := n.Collector.Compare(ctx, s.ID, l.Items)
	if err != nil {
		t.Err = err
		return
	}
	clear(t.IsNew)
	for _, it := range d.New {
		t.IsNew[it.GUID] = true
	}
	t.New, t.Stored, t.Retitled = len(d.New), t.Rows-len(d.New), append(t.Retitled, d.Retitled...)
}

// tryPlain reads the page of a list without the selectors of its source.
func (n *Node) tryPlain(t *trial.Report, s feed.Source, seen visit.Visit) {
	set := s.Settings
	if set.Item == "" && set.Date == "" && set.DatePattern == "" && set.Title == "" && set.Link == "" || s.Kind != "page" || seen.Response == nil {
		return
	}
	s.Settings.Item, s.Settings.Link, s.Settings.Title, s.Settings.Date, s.Settings.DatePattern = "", "", "", "", ""
	_, plain, err := n.lookAs(s, seen.Response)
	t.Plain = &trial.Plain{}
	if err == nil {
		t.Plain.Rows, t.Plain.Dated = len(plain.List.Items), dated(plain.List)
	}
}

// tryNext reads the next page of a list.
func (n *Node) tryNext(ctx context.Context, t *trial.Report, s feed.Source, l ingest.List) {
	if l.Next == "" {
		return
	}
	t.NextPage = &trial.Page{URL: l.Next}
	page, err := n.getPage(ctx, s, l.Next, true)
	if err == nil {
		var next ingest.List
		if next, err = ingest.ReadKind(s.Kind, page, s.Ingest()); err == nil {
			here := make(map[string]bool)
			for _, it := range l.Items {
				here[it.GUID] = true
			}
			for _, it := range next.Items {
				if !here[it.GUID] {
					t.NextPage.New++
				}
			}
			t.NextPage.Rows = len(next.Items)
		}
	}
	if err != nil {
		t.NextPage.Problem = cli.Null(redact.Text(redact.Line(err)))
	}
}

// tryArticle reads one article as a collection would.
func (n *Node) tryArticle(ctx context.Context, s feed.Source, it ingest.Item) trial.Article {
	article, err := n.Collector.ReadArticle(ctx, s, it)
	f := article.Facts
	v := trial.Article{URL: it.URL, Title: f.Title, Published: cli.Null(f.PublishedOn.String()), PublishedFrom: cli.Null(f.PublishedFrom), Source: cli.Null(f.Credit),
		Author: cli.Null(f.Author), Kind: cli.Null(string(f.Kind)), Paragraphs: len(f.Paragraphs), Attachments: inspect.ViewAttachments(article.Attachments),
		Warnings: inspect.Sentences(article.Warnings, "en"), Codes: article.Warnings}
	for _, p := range f.Paragraphs {
		v.Characters += utf8.RuneCountInString(p)
	}
	if err != nil {
		v.Problem = cli.Null(redact.Text(redact.Line(err)))
	}
	return v
}
