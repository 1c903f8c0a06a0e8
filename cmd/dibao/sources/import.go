package sources

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"dibao/cmd/dibao/cli"
	"dibao/cmd/dibao/view"
	"dibao/feed"
	"dibao/feed/sourcelist"
	"dibao/internal/redact"
)

func newSourceImport(p Program) *cobra.Command {
	var trust, dry bool
	cmd := &cobra.Command{
		Use:   "import FILE",
		Short: "Add the sources of an OPML or TSV file; folders become themes",
		Long: "A file may need more than public feeds and pages: reading mail on this machine (maildir:), a proxy or a user agent,\n" +
			"access to your own network, or showing texts in full (licence). Such rows are refused without --trust.\n" +
			"--dry-run stores nothing and lists them first.",
		Example: "  dibao source import --dry-run subscriptions.opml\n  dibao source import sources.tsv",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			file, err := readSourceFile(args[0])
			if err != nil {
				return err
			}
			if len(file.Unread) > 0 {
				p.Say(cmd, "these columns are unknown and were ignored: %s", strings.Join(file.Unread, ", "))
			}
			n, done, err := p.Open(cmd)
			if err != nil {
				return err
			}
			defer done()
			if dry {
				p.ChangedNothing()
				return n.listImport(p, cmd, file, trust)
			}
			return n.importSources(p, cmd, file, trust)
		},
	}
	cmd.Flags().BoolVar(&trust, "trust", false, "also add rows that ask for more than a public feed or page, after you have checked them")
	cmd.Flags().BoolVar(&dry, "dry-run", false, "show what would be added and refused, and add nothing")
	return cmd
}

// readSourceFile reads a table or an OPML file, depending on the file name extension.
func readSourceFile(path string) (sourcelist.File, error) {
	f, err := os.Open(path)
	if err != nil {
		return sourcelist.File{}, err
	}
	defer f.Close()
	read := sourcelist.ReadOPML
	if ext := strings.ToLower(filepath.Ext(path)); ext == ".tsv" || ext == ".txt" {
		read = sourcelist.ReadTSV
	}
	file, err := read(f)
	if err != nil {
		return file, fmt.Errorf("%s: %w", path, err)
	}
	return file, nil
}

// importRow is a row of a file in JSON.
type importRow struct {
	Line       int      `json:"line"`
	Name       string   `json:"name"`
	Kind       string   `json:"kind"`
	URL        string   `json:"url"`
	NeedsTrust []string `json:"needs_trust"`
	Refused    *string  `json:"refused"` // the reason; null if the row is added
}

// importPlan is what an import does with the rows of a file.
type importPlan struct {
	rows    []importRow // those that are added or refused; those that need trust come first
	taken   []feed.Source
	there   int // number of rows whose source already exists
	refused int
}

// plan decides about the rows of a file. A source that already exists needs no trust.
func (n *Node) plan(ctx context.Context, file sourcelist.File, trust bool) (p importPlan, err error) {
	known, err := n.known(ctx)
	if err != nil {
		return p, err
	}
	var rest []importRow
	for _, row := range file.Rows {
		s := row.Source
		v := importRow{Line: row.Line, Name: s.Name, Kind: s.Kind, URL: redact.URL(s.URL), NeedsTrust: s.NeedsTrust()}
		switch {
		case row.Problem != nil:
			v.Refused = cli.Null(redact.Line(row.Problem))
			p.refused++
		case known[s.URL]:
			p.there++
			continue
		case len(v.NeedsTrust) > 0 && !trust:
			v.Refused = cli.Null("it " + strings.Join(v.NeedsTrust, ", ") + "; to allow that, import it with --trust")
			p.refused++
		default:
			p.taken = append(p.taken, s)
		}
		if len(v.NeedsTrust) > 0 {
			p.rows = append(p.rows, v)
		} else {
			v.NeedsTrust = []string{}
			rest = append(rest, v)
		}
	}
	p.rows = append(p.rows, rest...)
	return p, nil
}

// listImport shows the results of an import that is not applied.
func (n *Node) listImport(p Program, cmd *cobra.Command, file sourcelist.File, trust bool) error {
	plan, err := n.plan(cmd.Context(), file, trust)
	if err != nil {
		return err
	}
	err = cli.PrintRows(p.Output(), cmd, []any{"Line", "Name", "Kind", "URL", "Needs trust", "Refused"}, plan.rows, func(v importRow) []any {
		why := ""
		if v.Refused != nil {
			why = *v.Refused
		}
		return []any{v.Line, v.Name, v.Kind, v.URL, strings.Join(v.NeedsTrust, "; "), why}
	})
	if err != nil {
		return err
	}
	if plan.there > 0 {
		p.Say(cmd, "already there and unchanged: %d sources", plan.there)
	}
	return refusedRows(plan.refused, len(file.Rows))
}

// refusedRows is the error of an import in which rows were refused.
func refusedRows(refused, all int) error {
	if refused == 0 {
		return nil
	}
	return &cli.PartialError{Err: fmt.Errorf("%d of %d sources were refused; see above", refused, all)}
}

// importSources adds the rows of a file that may be added and lists the others.
func (n *Node) importSources(p Program, cmd *cobra.Command, file sourcelist.File, trust bool) error {
	plan, err := n.plan(cmd.Context(), file, trust)
	if err != nil {
		return err
	}
	for _, v := range plan.rows {
		if v.Refused == nil {
			continue
		}
		if p.Output().JSON {
			if err := cli.WriteJSON(cmd.OutOrStdout(), v); err != nil {
				return err
			}
		}
		text := p.Message("line %d (%s) is refused: %s", v.Line, v.Name, *v.Refused)
		if v.Name == "" {
			text = p.Message("line %d is refused: %s", v.Line, *v.Refused)
		}
		fmt.Fprintln(cmd.ErrOrStderr(), text)
	}
	added, there, err := n.addAll(p, cmd, plan.taken)
	if err != nil {
		return err
	}
	p.Say(cmd, "%d sources added, %d already existed; collect them with: dibao collect", added, there+plan.there)
	p.Changed(fmt.Sprintf("%d added, %d refused", added, plan.refused))
	return refusedRows(plan.refused, len(file.Rows))
}

// addAll stores sources; existing ones stay as they are.
func (n *Node) addAll(p Program, cmd *cobra.Command, all []feed.Source) (added, there int, err error) {
	known, err := n.known(cmd.Context())
	if err != nil {
		return 0, 0, err
	}
	for _, s := range all {
		if known[s.URL] {
			there++
			continue
		}
		stored, err := n.Articles.AddSource(cmd.Context(), s)
		if err != nil {
			return added, there, err
		}
		known[s.URL] = true
		added++
		if p.Output().JSON {
			if err := cli.WriteJSON(cmd.OutOrStdout(), view.OfSource(stored)); err != nil {
				return added, there, err
			}
		}
	}
	return added, there, nil
}

// known returns the addresses of the sources that exist.
func (n *Node) known(ctx context.Context) (map[string]bool, error) {
	have, err := n.Articles.Sources(ctx)
	known := make(map[string]bool, len(have))
	for _, s := range have {
		known[s.URL] = true
	}
	return known, err
}
