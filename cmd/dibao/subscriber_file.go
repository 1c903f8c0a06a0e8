package main

import (
	"bufio"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"dibao/cmd/dibao/flags"
	"dibao/subscribers"
)

func newSubscriberImport(g *globals) *cobra.Command {
	var in subscribers.Import
	var lists []string
	var report string
	cmd := &cobra.Command{
		Use:   "import FILE.csv",
		Short: "Import readers (dry run without --apply)",
		Long: "Reads CSV files separated by commas, semicolons, tabs or vertical bars, or one address per line, in UTF-8, UTF-16 or\n" +
			"GB18030. The address column is recognized by its name (email, 邮箱, …); the columns list, state, language, format,\n" +
			"frequency (issue, weekly or monthly), themes, regions, consent and confirmed_at are used if they exist, and so is the\n" +
			"profile in profile_entities, profile_regions, profile_industries, profile_size, profile_qualifications and profile_topics\n" +
			"(主体类型, 地区, 行业, 规模, 资质, 关注主题); themes and regions (订阅主题, 订阅地区) limit what readers get;\n" +
			"separate several themes, regions or values of a profile with |. Addresses that unsubscribed, bounced, complained or never confirmed\n" +
			"elsewhere are refused, in exports of Ghost, Substack, Buttondown, phpList, Mautic, Brevo, HubSpot, MailPoet, Sendy,\n" +
			"MailerLite, Mailchimp, listmonk and Mailman, and in columns such as \"unsubscribed\" or \"退订\".\n\n" +
			"An ambiguous file is refused as a whole, with the line number: an unclosed quote, a row with more or fewer fields,\n" +
			"two address columns, or a column that looks like a state and is not understood.\n\n" +
			"Names of readers are not stored, because nothing needs them; a column of names is listed as not read.\n\n" +
			"Without --apply, nothing is stored. The import sends no mail and does not resubscribe anyone who unsubscribed or is suppressed;\n" +
			"it adds lists to existing readers, but does not change their choices; a second run changes nothing. A report next to the file\n" +
			"lists each refused row and the reason.",
		Example: "  dibao subscriber import readers.csv --list weekly --consent \"form of the conference 2026-11-02\"\n" +
			"  dibao subscriber import readers.csv --list weekly --consent \"form of the conference 2026-11-02\" --apply",
		Args: cobra.ExactArgs(1),
		RunE: g.verb(func(cmd *cobra.Command, args []string, a *app) error {
			info, err := os.Stat(args[0])
			if err != nil {
				return fmt.Errorf("%s can't be read: %w", args[0], err)
			}
			if len(lists) > 0 {
				if in.Lists, err = a.lists(cmd, lists); err != nil {
					return err
				}
			}
			in.Apply = in.Apply || g.yes
			size := info.Size()
			if in.Apply {
				size *= 2 // the file is read to its end before anything is stored, so its size counts twice
			}
			bar := g.progress(cmd, "import", "import: %d rows", size)
			in.Open = func() (io.ReadCloser, error) {
				f, err := os.Open(args[0])
				if err != nil {
					return nil, err
				}
				return bar.reader(f), nil
			}
			in.Progress = bar.rows
			out, err := a.subscribers.Import(cmd.Context(), in)
			bar.done()
			if partial := new(subscribers.PartialImportError); errors.As(err, &partial) {
				return fmt.Errorf("%s: %w", args[0], err)
			}
			if err != nil {
				return fmt.Errorf("%s: %w; nothing was imported", args[0], err)
			}
			g.change = change{none: !in.Apply, target: "file", detail: fmt.Sprintf("%d rows, %d readers, %d subscriptions, %d refused", out.Rows, out.Readers, out.Added, out.Refused)}
			if report == "" {
				report = args[0] + ".report.csv"
			}
			return g.reportImport(cmd, in, out, report)
		}),
	}
	f := cmd.Flags()
	f.StringArrayVar(&lists, "list", nil, "list for rows without one (repeatable)")
	f.StringVar(&in.Columns.Address, "column", "", "name or number of the address column")
	f.StringArrayVar(&in.Columns.Status, "status-column", nil, "a column that says who gets mail, with values such as true, 1, subscribed, 已订阅 (repeatable)")
	f.StringArrayVar(&in.Columns.Ignore, "ignore-column", nil, "a column that does not say who gets mail (repeatable)")
	f.StringVar(&in.Consent, "consent", "", "how and when these readers agreed; kept with each")
	flags.Choice(f, &in.Language, "language", "", languages, "language for rows without one (default: that of the first list)")
	f.BoolVar(&in.Apply, "apply", false, "apply the changes")
	f.StringVar(&report, "report", "", "file for refused rows and rows with remarks (default: FILE.report.csv)")
	return cmd
}

// importView is the outcome of an import in JSON.
type importView struct {
	subscribers.Imported
	Applied bool    `json:"applied"`
	Report  *string `json:"report"` // file with the refused rows and rows with remarks; null if there are none
}

func (g *globals) reportImport(cmd *cobra.Command, in subscribers.Import, out subscribers.Imported, report string) error {
	v := importView{Imported: out, Applied: in.Apply}
	if len(out.Notes) > 0 {
		if err := g.writeNotes(report, out.Notes); err != nil {
			return fmt.Errorf("the report %s can't be written: %w", report, err)
		}
		v.Report = &report
	}
	if g.json {
		if err := writeJSON(cmd.OutOrStdout(), v); err != nil {
			return err
		}
	} else {
		if in.Apply {
			g.print(cmd, "%d rows: %d subscriptions of %d new readers added, %d rows change nothing, %d refused", out.Rows, out.Added, out.Readers, out.Known, out.Refused)
		} else {
			g.print(cmd, "%d rows: %d subscriptions of %d new readers would be added, %d rows change nothing, %d refused", out.Rows, out.Added, out.Readers, out.Known, out.Refused)
		}
		if len(out.Unread) > 0 {
			g.print(cmd, "columns that were not read: %s", strings.Join(out.Unread, g.either(", ", "、")))
		}
		if out.Narrowed > 0 {
			g.print(cmd, "limited to the themes and regions that the file names: %d of these subscriptions", out.Narrowed)
		}
		if v.Report != nil {
			g.print(cmd, "refused rows and rows with remarks are in %s", report)
		}
	}
	if !in.Apply {
		g.say(cmd, "nothing was stored; to store it, add --apply")
	}
	if out.Refused > 0 {
		return &partialError{Err: fmt.Errorf("%d of %d rows are refused; see %s", out.Refused, out.Rows, report)}
	}
	return nil
}

// writeNotes writes the report of an import, completely or not at all.
func (g *globals) writeNotes(path string, notes []subscribers.Note) error {
	f, err := os.CreateTemp(dirOf(path), ".report-*")
	if err != nil {
		return err
	}
	_, err = f.WriteString("\uFEFF") // without it, Excel reads UTF-8 in the code page of the system
	w := csv.NewWriter(f)
	err = errors.Join(err, w.Write([]string{g.message("row"), g.message("outcome"), g.message("why"), g.message("address")}))
	for _, n := range notes {
		outcome := "imported"
		if n.Refused {
			outcome = "refused"
		}
		err = errors.Join(err, w.Write([]string{strconv.Itoa(n.Row), g.code("Outcome", outcome), g.message("%s", n.Why), subscribers.Guard(n.Address)}))
	}
	w.Flush()
	if err = errors.Join(err, w.Error(), f.Close()); err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(f.Name()))
	}
	return nil
}

func dirOf(path string) string {
	if i := strings.LastIndexByte(path, os.PathSeparator); i >= 0 {
		return path[:i+1]
	}
	return "."
}

func newSubscriberExport(g *globals) *cobra.Command {
	var list, out string
	cmd := &cobra.Command{
		Use:   "export [ADDRESS]",
		Short: "Export all readers as CSV, or all data about one as JSON",
		Long: "Without an address: a line for each subscription as CSV, or with --json an object for each reader. \"subscriber\n" +
			"import\" reads the CSV back, and does not add readers with a reason in \"suppressed\". Fields that a spreadsheet would run\n" +
			"as a formula begin with an apostrophe. A file written with --out begins with a byte order mark, so that Excel reads\n" +
			"Chinese in it.\n" +
			"With an address: all data of that reader as JSON, to give to them.",
		Args: cobra.MaximumNArgs(1),
		RunE: g.verb(func(cmd *cobra.Command, args []string, a *app) (err error) {
			id := int64(0)
			if list != "" {
				l, err := a.subscribers.ListBySlug(cmd.Context(), list)
				if err != nil {
					return err
				}
				id = l.ID
			}
			if out == "" {
				return a.export(g, cmd, cmd.OutOrStdout(), args, id)
			}
			return writeNew(out, func(w io.Writer) error {
				if len(args) == 0 && !g.json {
					if _, err := io.WriteString(w, "\ufeff"); err != nil {
						return err
					}
				}
				return a.export(g, cmd, w, args, id)
			})
		}),
	}
	cmd.Flags().StringVar(&list, "list", "", "only this list")
	cmd.Flags().StringVar(&out, "out", "", "file to write (default: standard output)")
	return cmd
}

func (a *app) export(g *globals, cmd *cobra.Command, w io.Writer, args []string, list int64) error {
	switch {
	case len(args) == 1:
		x, err := a.reader(cmd.Context(), args[0])
		if err != nil {
			return err
		}
		v, err := a.person(cmd.Context(), x.ID)
		if err != nil {
			return err
		}
		return writeJSON(w, v.Person)
	case g.json:
		buffered := bufio.NewWriter(w)
		err := a.eachReader(cmd.Context(), subscribers.Selection{List: list}, func(x subscribers.Subscriber) error {
			p, err := a.person(cmd.Context(), x.ID)
			if err != nil {
				return err
			}
			return writeJSON(buffered, p.Person)
		})
		return errors.Join(err, buffered.Flush())
	}
	n, err := a.subscribers.Export(cmd.Context(), w, list)
	if err == nil {
		g.say(cmd, "%d readers", n)
	}
	return err
}
