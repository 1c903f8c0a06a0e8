package main

import (
	"cmp"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"dibao/cmd/dibao/cli"
	"dibao/cmd/dibao/flags"
	"dibao/subscribers"
	"dibao/subscribers/mailaddr"
)

// profileFields are the fields of a profile by their flags.
var profileFields = map[string]string{
	"entity":        "entities",
	"region":        "regions",
	"industry":      "industries",
	"size":          "size",
	"qualification": "qualifications",
	"topic":         "topics",
}

func newSubscriberEdit(g *globals) *cobra.Command {
	var e readerEdit
	var unstar []int64
	cmd := &cobra.Command{
		Use:   "edit ADDRESS",
		Short: "Edit the preferences and the profile of a reader",
		Long: "Settings without a flag stay as they are; an empty value, as in --industry \"\", removes a field. With --list, --frequency,\n" +
			"--themes and --regions limit what the reader gets of that list; they are stored as if the reader had chosen them, and the\n" +
			"reader's history says that an admin did. Readers see and change everything on their preference page.\n\n" +
			"The profile is used only for the section of calls in the reader's emails, which begin with the calls that match it. Calls are\n" +
			"notices that invite readers to apply, report or comment. Its values are codes or their names in Chinese, such as small or\n" +
			"小型企业; the error for an unknown value lists the known ones.",
		Example: "  dibao subscriber edit reader@example.org --language en --format text\n" +
			"  dibao subscriber edit reader@example.org --list weekly --frequency monthly --themes 财政,民政 --regions 四川省\n" +
			"  dibao subscriber edit reader@example.org --entity enterprise --region 成都市 --industry C --size small\n" +
			"  dibao subscriber edit reader@example.org --clear\n" +
			"  dibao subscriber edit reader@example.org --unstar 42",
		Args: cobra.ExactArgs(1),
		RunE: g.verb(func(cmd *cobra.Command, args []string, a *app) error {
			f := cmd.Flags()
			ofList := f.Changed("frequency") || f.Changed("themes") || f.Changed("regions")
			switch {
			case len(flags.Given(cmd)) == 0:
				return usagef("specify what to change; see: dibao subscriber edit --help")
			case ofList && e.list == "":
				return usagef("--frequency, --themes and --regions need a list; specify it with --list")
			case !ofList && e.list != "":
				return usagef("--list needs --frequency, --themes or --regions")
			}
			x, err := a.reader(cmd.Context(), args[0])
			if err != nil {
				return err
			}
			var l subscribers.List
			if ofList {
				if l, err = a.subscribers.ListBySlug(cmd.Context(), e.list); err != nil {
					return err
				}
			}
			g.change.target = fmt.Sprintf("subscriber %d", x.ID)
			for _, article := range unstar {
				if was, err := a.digest.Stars.Remove(cmd.Context(), x.ID, article); err != nil || !was {
					return cmp.Or(err, fmt.Errorf("%s has not starred article %d; to see the stars: dibao subscriber show %[1]s", mailaddr.Readable(x.Address), article))
				}
				g.say(cmd, "removed the star of article %d", article)
			}
			if len(unstar) > 0 && len(flags.Given(cmd)) == 1 {
				return nil
			}
			if err := a.subscribers.EditPreferences(cmd.Context(), x.ID, func(p *subscribers.Preferences) error {
				err := e.apply(cmd, p)
				if err == nil && ofList {
					err = e.limit(cmd, p, l)
				}
				return err
			}); err != nil {
				return err
			}
			g.say(cmd, "saved the preferences of %s", mailaddr.Readable(x.Address))
			return nil
		}),
	}
	f := cmd.Flags()
	flags.Choice(f, &e.language, "language", "", languages, "language of the emails")
	flags.Choice(f, &e.format, "format", "", []subscribers.Format{subscribers.HTML, subscribers.Text}, "format of the emails")
	f.StringVar(&e.list, "list", "", "list to which the next three flags apply")
	flags.Choice(f, &e.frequency, "frequency", "", []subscribers.Frequency{subscribers.EveryIssue, subscribers.Weekly, subscribers.Monthly}, "emails of the list: every issue, or at most one a week or month")
	f.StringArray("themes", nil, "only articles of the list with one of these themes (repeatable)")
	f.StringArray("regions", nil, "only articles of the list about one of these regions, by name or code (repeatable)")
	f.StringArray("entity", nil, "kind of reader: enterprise, self-employed, cooperative, university, institute, institution, association, school, student, graduate, individual or government (repeatable)")
	f.StringArray("region", nil, "region of the reader, by name or code (repeatable)")
	f.StringArray("industry", nil, "section of GB/T 4754-2017, from A to T, such as C or 制造业 (repeatable)")
	f.StringArray("size", nil, "size of the enterprise: micro, small, medium or large")
	f.StringArray("qualification", nil, "high-tech, tech-sme, innovative-sme, specialized, little-giant, champion, tech-service or above-scale (repeatable)")
	f.StringArray("topic", nil, "theme of the State Council's classification that the reader cares about, or a part of its name (repeatable)")
	f.Int64SliceVar(&unstar, "unstar", nil, "remove the star of the article with this number (repeatable)")
	f.BoolVar(&e.clear, "clear", false, "remove the whole profile before the other flags are applied")
	return cmd
}

// readerEdit contains the flags of subscriber edit.
type readerEdit struct {
	language  string
	format    subscribers.Format
	list      string
	frequency subscribers.Frequency
	clear     bool
}

// apply changes preferences that do not belong to a list.
func (e *readerEdit) apply(cmd *cobra.Command, p *subscribers.Preferences) error {
	p.Language, p.Format = cmp.Or(e.language, p.Language), cmp.Or(e.format, p.Format)
	if e.clear {
		p.Profile = subscribers.NoProfile
	}
	for flag, field := range profileFields {
		if !cmd.Flags().Changed(flag) {
			continue
		}
		if err := subscribers.SetProfileField(&p.Profile, field, separate(cmd, flag)); err != nil {
			return &cli.UsageError{Err: err}
		}
	}
	return nil
}

// limit changes what the reader gets of a list.
func (e *readerEdit) limit(cmd *cobra.Command, p *subscribers.Preferences, l subscribers.List) error {
	c, ok := p.Lists[l.ID]
	if !ok {
		return fmt.Errorf("the reader does not get the list %s; see: dibao subscriber show ADDRESS", l.Slug)
	}
	c.Frequency = cmp.Or(e.frequency, c.Frequency)
	for flag, set := range map[string]func(subscribers.List, []string) error{"themes": c.SetThemes, "regions": c.SetRegions} {
		if !cmd.Flags().Changed(flag) {
			continue
		}
		if err := set(l, separate(cmd, flag)); err != nil {
			return &cli.UsageError{Err: err}
		}
	}
	p.Lists[l.ID] = c
	return nil
}

// separate returns the values of a repeatable flag, which commas also separate.
func separate(cmd *cobra.Command, flag string) []string {
	values, err := cmd.Flags().GetStringArray(flag)
	if err != nil {
		panic(err) // the flag is one of this command
	}
	return strings.FieldsFunc(strings.Join(values, ","), func(r rune) bool { return r == ',' || r == '，' })
}
