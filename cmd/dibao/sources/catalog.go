package sources

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"dibao/cmd/dibao/cli"
	"dibao/cmd/dibao/flags"
	"dibao/cmd/dibao/view"
	"dibao/feed"
	"dibao/feed/catalog"
	"dibao/feed/ingest"
)

func newSourceCatalog(p Program) *cobra.Command {
	var s catalog.Selection
	cmd := &cobra.Command{
		Use:   "catalog [WORD…]",
		Short: "List the built-in official sources; add them with: dibao source add --catalog NAME",
		Long: "Lists the built-in official sources that have every WORD in their name, issuer, region or address. Nothing in the list\n" +
			"was checked on the live sites. The column Evidence shows where an address is known from: \"saved page\" is a saved copy,\n" +
			"\"crawler\" a public crawler that reads the address, \"paper\" documentation only. Checked is the day of that evidence;\n" +
			"--json shows the public project in which the address was seen.",
		Example:           "  dibao source catalog 财政部\n  dibao source catalog --region 广东省 --level city\n  dibao source catalog --lists consultation",
		Args:              cobra.ArbitraryArgs,
		ValidArgsFunction: completeCatalog,
		RunE: func(cmd *cobra.Command, args []string) error {
			s.Words = args
			chosen := catalog.Select(catalog.All(), s)
			if len(chosen) == 0 {
				return errors.New("the catalog has no such source; use fewer words or leave out --region, --level or --lists")
			}
			views := make([]view.Entry, len(chosen))
			for i, e := range chosen {
				views[i] = view.OfEntry(e)
			}
			return cli.PrintRows(p.Output(), cmd, []any{"Name", "In English", "Level", "Region", "Lists", "Evidence", "Checked", "URL"}, views, func(v view.Entry) []any {
				return []any{v.Name, v.NameEN, v.Level, cli.Value(v.Region), v.Lists, v.Evidence, cli.Value(v.Checked), shortAddress(v.URL)}
			})
		},
	}
	f := cmd.Flags()
	flags.Region(f, &s.Region, "only this region and those in it")
	flags.Choice(f, &s.Level, "level", "", catalog.Levels, "only of this level")
	flags.Choice(f, &s.Lists, "lists", "", catalog.AllLists, "only sources that mainly list this")
	return cmd
}

// shortAddress shortens an address that would make a table too wide.
func shortAddress(address string) string {
	const most = 80
	if len(address) <= most {
		return address
	}
	return address[:most-3] + "…"
}

// completeCatalog offers the names of the catalog, each with its English name.
func completeCatalog(_ *cobra.Command, _ []string, begun string) (names []string, _ cobra.ShellCompDirective) {
	for _, e := range catalog.All() {
		if strings.HasPrefix(e.Source.Name, begun) {
			names = append(names, e.Source.Name+"\t"+e.NameEN)
		}
	}
	return names, cobra.ShellCompDirectiveNoFileComp
}

// addFromCatalog adds the entries of the catalog that match a word.
func (n *Node) addFromCatalog(p Program, cmd *cobra.Command, word string, anyway bool) error {
	chosen := catalog.Named(catalog.All(), word)
	if len(chosen) == 0 {
		return fmt.Errorf("the catalog has no source %q; see: dibao source catalog", word)
	}
	return n.AddEntries(p, cmd, chosen, anyway)
}

// AddEntries reads each entry from its site and stores those that can be read; with
// anyway, it also stores the others, as they are in the catalog.
func (n *Node) AddEntries(p Program, cmd *cobra.Command, entries []catalog.Entry, anyway bool) error {
	known, err := n.known(cmd.Context())
	if err != nil {
		return err
	}
	var readable []feed.Source
	there, unread := 0, 0
	for _, e := range entries {
		if known[e.Source.URL] {
			there++
			continue
		}
		found, how, err := n.readEntry(cmd.Context(), e)
		if err == nil {
			p.Say(cmd, "%s: %s; %s", e.Source.Name, how, e.LastSeen())
			readable = append(readable, found)
			continue
		}
		if err := cmd.Context().Err(); err != nil {
			return err
		}
		if anyway {
			p.Say(cmd, "%s is added although it cannot be read now: %v; %s", e.Source.Name, err, e.LastSeen())
			readable = append(readable, e.Source)
			continue
		}
		unread++
		p.Say(cmd, "%s is not added: %v; %s", e.Source.Name, err, e.LastSeen())
	}
	added, again, err := n.addAll(p, cmd, readable)
	if err != nil {
		return err
	}
	p.Say(cmd, "%d sources added, %d already existed; collect them with: dibao collect", added, there+again)
	if unread == 0 {
		return nil
	}
	return &cli.PartialError{Err: fmt.Errorf("%d of %d sources were not added, since they cannot be read now (see above); --anyway adds them all the same, and each collection tries them again", unread, len(entries))}
}

// readEntry reads an entry by the structure of its list and, if the catalog has selectors,
// by those. The selectors count if they find rows with dates, because the structure alone
// finds something else in that case; otherwise the structure counts, because the site was
// redesigned. how describes what was read, in one clause.
func (n *Node) readEntry(ctx context.Context, e catalog.Entry) (found feed.Source, how string, err error) {
	plain := e.Source
	plain.Settings = ingest.Settings{}
	if plain.Kind == "json" {
		plain.Kind = "" // the address is read as JSON, and its paths are detected
	}
	found, seen, err := n.look(ctx, plain)
	if err == nil && e.Source.Kind == "json" && found.Kind != "json" {
		err = fmt.Errorf("%s no longer returns a list in JSON", e.Source.URL)
	}
	l := seen.List
	if e.Source.Settings == (ingest.Settings{}) {
		return found, fmt.Sprintf("%d items are read by the structure of the list", len(l.Items)), err
	}
	_, again, selectorErr := n.look(ctx, e.Source)
	by := again.List
	switch {
	case selectorErr == nil && dated(by) > 0:
		return e.Source, fmt.Sprintf("%d items are read by the selectors of the catalog, %d by the structure of the list alone", len(by.Items), len(l.Items)), nil
	case err == nil:
		return found, fmt.Sprintf("%d items are read by the structure of the list; the selectors of the catalog find nothing, so the site was redesigned", len(l.Items)), nil
	default:
		return found, "", err
	}
}

// dated counts the rows of a list that have a date.
func dated(l ingest.List) (n int) {
	for _, it := range l.Items {
		if it.Evidence.ListDate != "" || it.Evidence.FeedPublished != nil {
			n++
		}
	}
	return n
}
