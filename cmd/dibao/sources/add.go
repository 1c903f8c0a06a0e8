package sources

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"strings"

	"github.com/mattn/go-isatty"
	"github.com/spf13/cobra"

	"dibao/cmd/dibao/cli"
	"dibao/cmd/dibao/flags"
	"dibao/cmd/dibao/inspect"
	"dibao/cmd/dibao/view"
	"dibao/feed"
	"dibao/feed/ingest"
	"dibao/feed/ingest/answer"
	"dibao/feed/ingest/literal"
	"dibao/feed/visit"
	"dibao/internal/fetch"
)

func newSourceAdd(p Program) *cobra.Command {
	var s feed.Source
	var fromCatalog, anyway, isPrivate bool
	cmd := &cobra.Command{
		Use:   "add URL",
		Short: "Add a feed or a list page as a source",
		Long: "Fetches the address, shows what would be collected, and stores the source. dibao recognizes feeds. For a page, it tries\n" +
			"the feeds that the page links to, then the list of articles on it, by --item and the other selectors, or by its\n" +
			"structure. In the latter case it proposes selectors, and stores them only if you agree (--yes agrees in advance).",
		Example: "  dibao source add --catalog 国务院\n  dibao source add https://www.example.gov.cn/zhengce/ --name 某市政府 --issuer 某市人民政府 --licence official\n" +
			"  dibao source add https://www.example.org/feed.xml",
		Args: cobra.ExactArgs(1),
		RunE: verb(p, func(cmd *cobra.Command, args []string, n *Node) error {
			if fromCatalog {
				for _, f := range flags.Given(cmd) {
					if f.Name != "catalog" && f.Name != "anyway" {
						return cli.Usagef("--catalog adds sources as they are; change one afterwards with: dibao source edit SOURCE --%s", f.Name)
					}
				}
				return n.addFromCatalog(p, cmd, args[0], anyway)
			}
			if anyway && s.Kind == "" {
				return cli.Usagef("--anyway needs --kind: a source that cannot be read now does not show its kind")
			}
			s.URL = args[0]
			if isPrivate {
				s.PermitPrivate()
			}
			found, seen, err := n.look(cmd.Context(), s)
			var blocked *fetch.BlockedError
			switch {
			case err != nil && anyway && !errors.As(err, &blocked):
				if refused := n.store(p, cmd, s); refused != nil {
					return refused
				}
				p.Say(cmd, "%s cannot be read now, and each collection tries it again: %v", s.URL, err)
				return nil
			case err != nil:
				return adviseOnPrivate(err)
			}
			l := seen.List
			showHops(p, cmd, seen)
			if found.Private != fetch.Origin(found.URL) {
				found.Private = "" // the feed is on a different host than the entered address
			}
			if found.URL != s.URL {
				p.Say(cmd, "the %s %s was found there", found.Kind, found.URL)
			}
			if dir, ok := strings.CutPrefix(found.URL, feed.MaildirScheme); ok {
				showMaildir(p, cmd, dir)
			} else {
				showItems(p, cmd, l.Items)
			}
			unset := found
			unset.Settings.Item = s.Settings.Item // as the admin set it, without the proposed selector
			showLeftOut(p, cmd, l, offersOf(unset, seen), found.Settings.Pages)
			if err := agree(p, cmd, s, found); err != nil {
				return err
			}
			return n.store(p, cmd, found)
		}),
	}
	addSourceFlags(cmd, &s)
	cmd.Flags().BoolVar(&isPrivate, "private", false, privateHelp)
	cmd.Flags().BoolVar(&fromCatalog, "catalog", false, "URL is the name, or part of it, of sources in the built-in catalog; each is read from its site now")
	cmd.Flags().BoolVar(&anyway, "anyway", false, "also add a source that cannot be read now; needs --kind or --catalog")
	cmd.ValidArgsFunction = func(cmd *cobra.Command, args []string, begun string) ([]string, cobra.ShellCompDirective) {
		if !fromCatalog || len(args) > 0 {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		return completeCatalog(cmd, args, begun)
	}
	return cmd
}

// store stores a new source.
func (n *Node) store(p Program, cmd *cobra.Command, s feed.Source) error {
	added, err := n.Articles.AddSource(cmd.Context(), s)
	if err != nil {
		return err
	}
	if p.Output().JSON {
		return cli.WriteJSON(cmd.OutOrStdout(), view.OfSource(added))
	}
	p.Say(cmd, "source %d (%s, %s) added; it is collected by dibao serve, or now by: dibao collect %d", added.ID, added.Kind, added.Name, added.ID)
	return nil
}

const renderHelp = "render the page with the browser that is set in [fetch] before reading it, for pages that scripts fill"

const privateHelp = "allow an address in your own network: only its host and port, not what it links or redirects to"

// adviseOnPrivate says how to add a source in the admin's own network.
func adviseOnPrivate(err error) error {
	var blocked *fetch.BlockedError
	if errors.As(err, &blocked) && blocked.Local {
		return fmt.Errorf("%w; if it is a site in your own network and you typed its address, add --private", err)
	}
	return err
}

// addSourceFlags adds the flags that describe a source.
func addSourceFlags(cmd *cobra.Command, s *feed.Source) {
	f := cmd.Flags()
	flags.Choice(f, &s.Kind, "kind", "", ingest.KindNames(), "kind of source (default: detected)")
	f.StringVar(&s.Name, "name", "", "name shown to readers (default: the title of the feed, or the host)")
	f.StringVar(&s.Issuer, "issuer", "", "organization that runs the source")
	flags.Region(f, &s.Region, "region of the source")
	f.StringVar(&s.Zone, "zone", "", "time zone of the dates on its pages (default: Asia/Shanghai)")
	flags.Choice(f, &s.Licence, "licence", "", feed.Licences, "how much may be shown (default: link-only)")
	f.DurationVar(&s.Interval, "interval", feed.DefaultInterval, "time between collections")
	f.StringVar(&s.Proxy, "proxy", "", "use this proxy (http, https or socks5 address)")
	f.StringVar(&s.UserAgent, "user-agent", "", "User-Agent for this source (default: user_agent in [fetch])")
	flags.Theme(f, &s.Theme, "theme of the source, from the State Council's classification (主题分类); also the name of its folder in OPML")
	inspect.AddSelectors(cmd, &s.Settings)
	f.BoolVar(&s.Settings.Render, "render", false, renderHelp)
}

// showHops prints the redirects that led to the page.
func showHops(p Program, cmd *cobra.Command, v visit.Visit) {
	for _, hop := range v.Hops {
		p.Say(cmd, "followed %s to %s", hop.By, hop.To)
	}
	if v.Rendered {
		p.Say(cmd, "the page was rendered by the browser")
	}
}

// agree asks whether to store selectors that dibao proposed, which an admin has
// to check first.
func agree(p Program, cmd *cobra.Command, asked, found feed.Source) error {
	if found.Kind != "page" && found.Kind != "json" || asked.Settings.Item != "" || asked.Kind != "" {
		return nil
	}
	p.Say(cmd, "the list was found by its structure:\n  %s", selectorFlags(found.Settings))
	if p.Yes() {
		return nil
	}
	if in, ok := cmd.InOrStdin().(*os.File); !ok || !isatty.IsTerminal(in.Fd()) {
		return fmt.Errorf("the source was not added: check the items and add --yes to agree, or set --item yourself")
	}
	fmt.Fprint(cmd.ErrOrStderr(), p.Message("Add the source with these settings?"), " [y/N] ")
	answer, err := bufio.NewReader(cmd.InOrStdin()).ReadString('\n')
	if err != nil || !flags.IsYes(answer) {
		return fmt.Errorf("the source was not added; set the selectors with --item, --date and --content")
	}
	return nil
}

// selectorFlags returns the flags that would set the given settings.
func selectorFlags(s ingest.Settings) string {
	var flags []string
	for _, f := range []struct{ name, value string }{{"item", s.Item}, {"link", s.Link}, {"title", s.Title}, {"date", s.Date}, {"content", s.Content}} {
		if f.value != "" {
			flags = append(flags, fmt.Sprintf("--%s %q", f.name, f.value))
		}
	}
	if len(flags) == 0 {
		return "no selector is needed to find it again, and none is set"
	}
	return strings.Join(flags, " ")
}

// look fetches a source and reads it without storing anything. If no kind is specified,
// it detects what the address is: a feed, a sitemap, a page that links to feeds, a list
// page, or a site with a feed at a well-known path. The source that it returns has
// address, kind and selectors set.
func (n *Node) look(ctx context.Context, s feed.Source) (found feed.Source, seen visit.Visit, err error) {
	if strings.HasPrefix(s.URL, "maildir:") {
		s.Kind = "mail"
		return s, visit.Visit{}, nil // a mail source is only read when it is collected
	}
	v, err := n.Collector.Visitor(s)
	if err != nil {
		return s, visit.Visit{}, err
	}
	res, err := v.Get(ctx, s.Request(s.URL, s.Kind == "page"))
	if err != nil {
		return s, visit.Visit{}, err
	}
	if res.Permanent && res.URL != s.URL {
		defer func() { seen.Hops = append([]visit.Hop{{By: "a permanent redirect", To: res.URL}}, seen.Hops...) }()
	}
	if s.Kind != "" && s.Kind != "page" {
		return n.lookAs(s, res)
	}
	l := &looker{node: n, source: s, found: s, first: res.URL}
	if l.source.Private != fetch.Origin(res.URL) {
		l.source.Private = "" // addresses on the page get the permission only if the page itself is on the entered host
	}
	out, err := v.Open(ctx, res, l.read)
	if err == nil && s.Kind == "" && l.found.Kind == "page" {
		// It was requested without robots.txt, since it could have been a feed.
		_, err = n.Collector.Client.Robots(ctx, s.Request(res.URL, true))
		return l.found, out, err
	}
	if err == nil {
		return l.found, out, nil
	}
	var answered *answer.Error
	if s.Kind == "" && (!errors.As(err, &answered) || answered.Kind == answer.Page) {
		for _, path := range ingest.WellKnown {
			if u, err := url.Parse(res.URL); err == nil {
				if found, list, ok := n.tryAt(ctx, l.source, u.ResolveReference(&url.URL{Path: path}).String()); ok {
					return found, visit.Visit{Response: res, List: list}, nil
				}
			}
		}
	}
	return s, out, err
}

// lookAs reads the response of a site as the kind that the admin specified.
func (n *Node) lookAs(s feed.Source, res *fetch.Response) (feed.Source, visit.Visit, error) {
	page := n.pageOf(res)
	l, err := ingest.ReadKind(s.Kind, page, s.Ingest())
	if s.Name == "" && s.Kind == "feed" {
		s.Name = ingest.FeedTitle(page)
	}
	out := visit.Visit{Response: res, Page: page, List: l}
	if err != nil || len(l.Items) == 0 {
		if answered := ingest.NoList(page, s.Settings); answered.Kind != answer.Page {
			return s, out, answered
		}
	}
	if err == nil && len(l.Items) == 0 {
		err = fmt.Errorf("no items were found at %s, read as kind %s; look at the page and set the selectors", s.URL, s.Kind)
	}
	return s, out, err
}

// looker determines what kind of page is at an address or behind it.
type looker struct {
	node   *Node
	source feed.Source // as requested
	found  feed.Source // as it was recognized
	first  string      // the address of the first page that answered
}

// at sets the address of a source to that of a page to which a page redirected. For a
// list page, the address stays, and each collection follows the redirect.
func (l *looker) at(s feed.Source, page ingest.Page) feed.Source {
	if page.URL != l.first {
		s.URL = page.URL
	}
	return s
}

// read is a [visit.Reader]. If no kind is specified, it tries a page as a feed and a
// sitemap, then the feeds that it links to, then the list on it.
func (l *looker) read(ctx context.Context, page ingest.Page) (ingest.List, error) {
	s := l.source
	if s.Kind == "" {
		if found, list, ok := try(s, page, "feed", "sitemap"); ok {
			l.found = l.at(found, page)
			return list, nil
		}
		if s.Settings.Item == "" {
			for _, c := range ingest.Discover(page) {
				if found, list, ok := l.node.tryAt(ctx, s, c.URL); ok {
					l.found = found
					return list, nil
				}
			}
		}
	}
	if s.Kind == "" && literal.IsJSON(page.Body) {
		found, list, err := lookJSON(s, page)
		if err == nil {
			l.found = l.at(found, page)
		}
		return list, err
	}
	list, err := ingest.ReadKind("page", page, s.Ingest())
	if err != nil || len(list.Items) == 0 {
		return list, err
	}
	l.found = s
	l.found.Kind = "page"
	if s.Kind == "" && s.Settings.Item == "" {
		l.found.Settings.Item = ingest.ProposeList(page, s.Ingest())
	}
	if s.Kind == "" && s.Settings.Item == "" && s.Settings.Content == "" {
		l.found.Settings.Content = l.node.proposeContent(ctx, s, list.Items[0])
	}
	return list, nil
}

// lookJSON finds the list of articles in a JSON response.
func lookJSON(s feed.Source, page ingest.Page) (feed.Source, ingest.List, error) {
	s.Kind = "json"
	if s.Settings.Item == "" {
		set, err := ingest.ProposeJSON(page, s.Ingest())
		if err != nil {
			return s, ingest.List{}, fmt.Errorf("%s: %w", s.URL, err)
		}
		s.Settings = set
	}
	l, err := ingest.ReadList(page, s.Ingest())
	if err == nil && len(l.Items) == 0 {
		err = fmt.Errorf("nothing was found at %s; set the paths --item, --title, --link and --date", s.URL)
	}
	return s, l, err
}

func (n *Node) getPage(ctx context.Context, s feed.Source, address string, isPage bool) (ingest.Page, error) {
	res, err := n.Collector.Client.Get(ctx, s.Request(address, isPage))
	if err != nil {
		return ingest.Page{}, err
	}
	return n.pageOf(res), nil
}

// pageOf returns the page that was just fetched.
func (n *Node) pageOf(res *fetch.Response) ingest.Page {
	return ingest.Page{URL: res.URL, ContentType: res.Header.Get("Content-Type"), Body: res.Body, FetchedAt: n.Articles.Now()}
}

// try reads a page as each of the kinds; the first that can read it counts.
func try(s feed.Source, page ingest.Page, kinds ...string) (feed.Source, ingest.List, bool) {
	for _, kind := range kinds {
		l, err := ingest.ReadKind(kind, page, s.Ingest())
		if err == nil {
			s.Kind = kind
			if s.Name == "" && kind == "feed" {
				s.Name = ingest.FeedTitle(page)
			}
			return s, l, true
		}
	}
	return s, ingest.List{}, false
}

// tryAt fetches an address and tries it as a feed with items.
func (n *Node) tryAt(ctx context.Context, s feed.Source, address string) (feed.Source, ingest.List, bool) {
	page, err := n.getPage(ctx, s, address, false)
	if err != nil {
		return s, ingest.List{}, false
	}
	s.URL = address
	found, l, ok := try(s, page, "feed", "sitemap")
	return found, l, ok && len(l.Items) > 0
}

// proposeContent reads one article of a list and proposes a selector for its
// text; "" if the text is found without one, or not at all.
func (n *Node) proposeContent(ctx context.Context, s feed.Source, it ingest.Item) string {
	page, err := n.getPage(ctx, s, it.URL, true)
	if err != nil {
		return ""
	}
	return ingest.ProposeContent(page, s.Ingest())
}
