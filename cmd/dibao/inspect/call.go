package inspect

import (
	"cmp"

	"github.com/spf13/cobra"

	"dibao/cmd/dibao/cli"
	"dibao/feed/ingest"
	"dibao/policy"
	"dibao/policy/call"
)

func newInspectCall(readFile FileReader) *cobra.Command {
	var address, charset string
	var now timeFlag
	cmd := &cobra.Command{
		Use:     "call FILE…",
		Short:   "Read what a notice asks of its readers, with the sentence that says each thing: one JSON object per line",
		Example: "  dibao inspect call --url https://www.example.gov.cn/a/1.html notice.html",
		Args:    cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return inspectFiles(cmd, args, newUnreadable, func(name string, b []byte) (any, error) {
				src := ingest.Source{Settings: ingest.Settings{Charset: charset}}
				page := ingest.Page{URL: cmp.Or(address, unknownAddress), Body: b, FetchedAt: now.orNow()}
				item, _, err := readForInspection(cmd.Context(), readFile, page, src, name)
				if err != nil {
					return nil, err
				}
				item.Shorten()
				f := policy.Understand(item.Evidence)
				v := struct {
					File string    `json:"file"`
					Call *CallView `json:"call"` // null: the text asks its readers for nothing
				}{File: name}
				if c, ok := call.Extract(f.Title, f.Paragraphs, madeOn(f)); ok {
					v.Call = ViewCall(c)
				}
				return v, nil
			})
		},
	}
	cmd.Flags().StringVar(&address, "url", "", "address that the page was served at")
	cmd.Flags().Var(&now, "now", "time at which the page was fetched, to resolve 昨天 and 11-27 (default: now)")
	cmd.Flags().StringVar(&charset, "charset", "", "character set, overriding every other sign")
	return cmd
}

// madeOn is the day from which days without a year are counted: a site may publish
// a notice again, but its days stay those of the year in which it was made.
func madeOn(f policy.Facts) policy.Date {
	if f.PublishedOn.IsZero() || !f.IssuedOn.IsZero() && f.IssuedOn.Before(f.PublishedOn) {
		return f.IssuedOn
	}
	return f.PublishedOn
}

// CallView is a call in JSON; unknown is null, and a list of nothing is empty.
type CallView struct {
	Kind           string          `json:"kind"`
	Subject        *saidView       `json:"subject"`
	Entities       []saidView      `json:"entities"`
	Regions        []saidView      `json:"regions"`
	Industries     []saidView      `json:"industries"`
	Sizes          []saidView      `json:"sizes"`
	Qualifications []saidView      `json:"qualifications"`
	Thresholds     []thresholdView `json:"thresholds"`
	Brings         []benefitView   `json:"brings"`
	Steps          []stepView      `json:"steps"`
	ByOthers       []stepView      `json:"by_others"`
	Materials      []saidView      `json:"materials"`
	Platforms      []saidView      `json:"platforms"`
	Addresses      []saidView      `json:"addresses"`
	Contacts       []contactView   `json:"contacts"`
}

type saidView struct {
	Value    string `json:"value"`
	Evidence string `json:"evidence"`
}

type thresholdView struct {
	Text     string  `json:"text"`
	What     string  `json:"what"`
	Bound    string  `json:"bound"`
	Value    float64 `json:"value"`
	Unit     string  `json:"unit"`
	Evidence string  `json:"evidence"`
}

type benefitView struct {
	Yuan     *int64   `json:"yuan"`
	UpTo     *int64   `json:"up_to"`
	Percent  *float64 `json:"percent"`
	Cap      *int64   `json:"cap"`
	Per      *string  `json:"per"`
	Evidence string   `json:"evidence"`
}

type stepView struct {
	What     *string `json:"what"`
	By       *string `json:"by"`
	First    *string `json:"first"`
	Last     string  `json:"last"`
	Moved    bool    `json:"moved"`
	Evidence string  `json:"evidence"`
}

type contactView struct {
	Office    *string `json:"office"`
	Telephone *string `json:"telephone"`
	Email     *string `json:"email"`
	Evidence  string  `json:"evidence"`
}

// ViewCall returns a call as it is printed in JSON.
func ViewCall(c call.Call) *CallView {
	v := CallView{
		Kind: string(c.Kind), Entities: viewSaid(c.Who.Entities), Regions: viewSaid(c.Who.Regions), Industries: viewSaid(c.Who.Industries),
		Sizes: viewSaid(c.Who.Sizes), Qualifications: viewSaid(c.Who.Qualifications), Thresholds: []thresholdView{}, Brings: []benefitView{},
		Steps: viewSteps(c.Steps), ByOthers: viewSteps(c.ByOthers), Materials: viewSaid(c.Materials), Platforms: viewSaid(c.Platforms),
		Addresses: viewSaid(c.Addresses), Contacts: []contactView{},
	}
	if c.Subject.Value != "" {
		v.Subject = &saidView{c.Subject.Value, c.Subject.Evidence}
	}
	for _, t := range c.Who.Thresholds {
		v.Thresholds = append(v.Thresholds, thresholdView(t))
	}
	for _, b := range c.Brings {
		v.Brings = append(v.Brings, benefitView{cli.Null(b.Yuan), cli.Null(b.UpTo), cli.Null(b.Percent), cli.Null(b.Cap), cli.Null(b.Per), b.Evidence})
	}
	for _, x := range c.Contacts {
		v.Contacts = append(v.Contacts, contactView{cli.Null(x.Office), cli.Null(x.Telephone), cli.Null(x.Email), x.Evidence})
	}
	return &v
}

func viewSaid(all []call.Said) []saidView {
	views := []saidView{}
	for _, s := range all {
		views = append(views, saidView(s))
	}
	return views
}

func viewSteps(all []call.Step) []stepView {
	views := []stepView{}
	for _, s := range all {
		views = append(views, stepView{cli.Null(s.What), cli.Null(s.By), cli.Null(s.First.String()), s.Last.String(), s.Moved, s.Evidence})
	}
	return views
}
