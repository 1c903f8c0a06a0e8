package main

import (
	"cmp"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"dibao/cmd/dibao/cli"
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
	var clearAll bool
	var unstar []int64
	cmd := &cobra.Command{
		Use:   "edit ADDRESS",
		Short: "Edit the profile of a reader; emails begin with the calls that match it",
		Long: "Calls are notices that invite readers to apply, report or comment.\n" +
			"Settings without a flag stay as they are; an empty value, as in --industry \"\", removes a field. The profile is used only for\n" +
			"the section of calls in the reader's emails. Readers see and change it on their preference page.\n" +
			"Values are codes or their names in Chinese, such as small or 小型企业; the error for an unknown value lists the known ones.",
		Example: "  dibao subscriber edit reader@example.org --entity enterprise --region 成都市 --industry C --size small\n" +
			"  dibao subscriber edit reader@example.org --clear\n" +
			"  dibao subscriber edit reader@example.org --unstar 42",
		Args: cobra.ExactArgs(1),
		RunE: g.verb(func(cmd *cobra.Command, args []string, a *app) error {
			x, err := a.reader(cmd.Context(), args[0])
			if err != nil {
				return err
			}
			p, err := a.subscribers.Profile(cmd.Context(), x.ID)
			if err != nil {
				return err
			}
			given := clearAll
			if clearAll {
				p = subscribers.NoProfile
			}
			for flag, field := range profileFields {
				if !cmd.Flags().Changed(flag) {
					continue
				}
				given = true
				values, err := cmd.Flags().GetStringArray(flag)
				if err != nil {
					return err
				}
				if err := subscribers.SetProfileField(&p, field, strings.FieldsFunc(strings.Join(values, ","), func(r rune) bool { return r == ',' || r == '，' })); err != nil {
					return &cli.UsageError{Err: err}
				}
			}
			if !given && len(unstar) == 0 {
				return &cli.UsageError{Err: errors.New("specify what to change; see: dibao subscriber edit --help")}
			}
			g.change.target = fmt.Sprintf("subscriber %d", x.ID)
			for _, article := range unstar {
				if was, err := a.digest.Stars.Remove(cmd.Context(), x.ID, article); err != nil || !was {
					return cmp.Or(err, fmt.Errorf("%s has not starred article %d; to see the stars: dibao subscriber show %[1]s", mailaddr.Readable(x.Address), article))
				}
				g.say(cmd, "removed the star of article %d", article)
			}
			if !given {
				return nil
			}
			if err := a.subscribers.SetProfile(cmd.Context(), x.ID, p); err != nil {
				return err
			}
			g.say(cmd, "saved the profile of %s", mailaddr.Readable(x.Address))
			return nil
		}),
	}
	cmd.Flags().StringArray("entity", nil, "kind of reader: enterprise, self-employed, cooperative, university, institute, institution, association, school, student, graduate, individual or government (repeatable)")
	cmd.Flags().StringArray("region", nil, "region of the reader, by name or code (repeatable)")
	cmd.Flags().StringArray("industry", nil, "section of GB/T 4754-2017, from A to T, such as C or 制造业 (repeatable)")
	cmd.Flags().StringArray("size", nil, "size of the enterprise: micro, small, medium or large")
	cmd.Flags().StringArray("qualification", nil, "high-tech, tech-sme, innovative-sme, specialized, little-giant, champion, tech-service or above-scale (repeatable)")
	cmd.Flags().StringArray("topic", nil, "theme of the State Council's classification that the reader cares about, or a part of its name (repeatable)")
	cmd.Flags().Int64SliceVar(&unstar, "unstar", nil, "number of an article whose star to remove (repeatable)")
	cmd.Flags().BoolVar(&clearAll, "clear", false, "remove the whole profile before the other flags are applied")
	return cmd
}
