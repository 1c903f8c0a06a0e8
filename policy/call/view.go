package call

import "dibao/policy/when"

// MadeOn returns the day from which days without a year are counted: a site may publish a
// notice again, but its days remain those of the year in which it was made.
func MadeOn(issued, published when.Date) when.Date {
	if published.IsZero() || !issued.IsZero() && issued.Before(published) {
		return issued
	}
	return published
}

// View is a call in JSON; unknown values are null, and lists without entries are empty.
type View struct {
	Kind           string          `json:"kind"`               // application, collection, selection, consultation, objection, tender or intention
	Subject        *SaidView       `json:"subject"`            // the project, fund, title or text
	Entities       []SaidView      `json:"entities"`           // kinds of applicants: enterprise, university, individual and so on
	Unknown        []SaidView      `json:"unknown_applicants"` // those whom the text names with words that are not understood
	Regions        []SaidView      `json:"regions"`            // where they are registered
	Industries     []SaidView      `json:"industries"`         // codes of GB/T 4754-2017
	Sizes          []SaidView      `json:"sizes"`              // 中小微企业, 规模以上企业
	Qualifications []SaidView      `json:"qualifications"`     // 高新技术企业, 专精特新中小企业
	Thresholds     []ThresholdView `json:"thresholds"`         // conditions with a number
	Benefits       []BenefitView   `json:"brings"`             // money that it offers
	Steps          []StepView      `json:"steps"`              // what readers do
	ByOthers       []StepView      `json:"by_others"`          // what bodies between readers and the issuer do
	Unclear        []SaidView      `json:"unclear"`            // days on which something is due; the text does not say whether readers or bodies have to act, or the year is probably wrong
	Materials      []SaidView      `json:"materials"`          // documents to submit
	Platforms      []SaidView      `json:"platforms"`          // addresses on the web
	Addresses      []SaidView      `json:"addresses"`          // postal addresses
	Contacts       []ContactView   `json:"contacts"`
	Buyer          *SaidView       `json:"buyer"` // the buyer, if the text names one
	Plans          []PlanView      `json:"plans"` // what a body plans to buy
}

// SaidView is a value with its sentence.
type SaidView struct {
	Value    string  `json:"value"`
	Evidence string  `json:"evidence"` // the sentence that says so; the same applies to other keys named evidence
	File     *string `json:"file"`     // the attached file that contains the sentence; null if the notice itself does
}

// ThresholdView is a condition with a number.
type ThresholdView struct {
	Text     string  `json:"text"`
	What     string  `json:"what"`
	Bound    string  `json:"bound"` // least or most: whether the value is a minimum or a maximum
	Value    float64 `json:"value"`
	Unit     string  `json:"unit"` // yuan, years, percent or people
	Evidence string  `json:"evidence"`
	File     *string `json:"file"` // the attached file that contains the sentence; null if the notice itself does
}

// BenefitView is money that a call offers.
type BenefitView struct {
	Yuan     *int64   `json:"yuan"`
	UpTo     *int64   `json:"up_to"`
	Percent  *float64 `json:"percent"`
	Cap      *int64   `json:"cap"`
	Per      *string  `json:"per"`
	Evidence string   `json:"evidence"`
	File     *string  `json:"file"` // the attached file that contains the sentence; null if the notice itself does
}

// StepView is something to be done by a day.
type StepView struct {
	What     *string `json:"what"`
	By       *string `json:"by"`
	First    *string `json:"first"`
	Last     string  `json:"last"`
	Time     *string `json:"time"`  // the time on the last day, such as 17:00; null if the text does not give it
	Moved    bool    `json:"moved"` // whether it replaces an earlier day
	Evidence string  `json:"evidence"`
	File     *string `json:"file"` // the attached file that contains the sentence; null if the notice itself does
}

// ContactView is where readers ask.
type ContactView struct {
	Office    *string `json:"office"`
	Telephone *string `json:"telephone"`
	Email     *string `json:"email"`
	Evidence  string  `json:"evidence"`
	File      *string `json:"file"` // the attached file that contains the sentence; null if the notice itself does
}

// PlanView is something that a body plans to buy.
type PlanView struct {
	What     string  `json:"what"`
	Yuan     *int64  `json:"yuan"`  // the budget
	Month    *string `json:"month"` // when the purchase is planned to begin, such as 2026-07
	Evidence string  `json:"evidence"`
	File     *string `json:"file"` // the attached file that contains the sentence; null if the notice itself does
}

// View returns a call as it is printed in JSON.
func (c Call) View() *View {
	v := View{
		Kind: string(c.Kind), Entities: viewSaid(c.Who.Entities), Unknown: viewSaid(c.Who.Unknown), Regions: viewSaid(c.Who.Regions), Industries: viewSaid(c.Who.Industries),
		Sizes: viewSaid(c.Who.Sizes), Qualifications: viewSaid(c.Who.Qualifications), Thresholds: []ThresholdView{}, Benefits: []BenefitView{},
		Steps: viewSteps(c.Steps), ByOthers: viewSteps(c.ByOthers), Unclear: viewSaid(c.Unclear), Materials: viewSaid(c.Materials), Platforms: viewSaid(c.Platforms),
		Addresses: viewSaid(c.Addresses), Contacts: []ContactView{}, Plans: []PlanView{},
	}
	if c.Subject.Value != "" {
		v.Subject = &SaidView{c.Subject.Value, c.Subject.Evidence, nil}
	}
	for _, t := range c.Who.Thresholds {
		v.Thresholds = append(v.Thresholds, ThresholdView{t.Text, t.What, t.Bound, t.Value, t.Unit, t.Evidence, Known(t.In)})
	}
	for _, b := range c.Benefits {
		v.Benefits = append(v.Benefits, BenefitView{Known(b.Yuan), Known(b.UpTo), Known(b.Percent), Known(b.Cap), Known(b.Per), b.Evidence, Known(b.In)})
	}
	for _, x := range c.Contacts {
		v.Contacts = append(v.Contacts, ContactView{Known(x.Office), Known(x.Telephone), Known(x.Email), x.Evidence, Known(x.In)})
	}
	if c.Buyer.Value != "" {
		v.Buyer = &SaidView{c.Buyer.Value, c.Buyer.Evidence, Known(c.Buyer.In)}
	}
	for _, p := range c.Plans {
		v.Plans = append(v.Plans, PlanView{p.What, Known(p.Yuan), Known(p.Month), p.Evidence, Known(p.In)})
	}
	return &v
}

func viewSaid(all []Said) []SaidView {
	views := []SaidView{}
	for _, s := range all {
		views = append(views, SaidView{s.Value, s.Evidence, Known(s.In)})
	}
	return views
}

func viewSteps(all []Step) []StepView {
	views := []StepView{}
	for _, s := range all {
		views = append(views, StepView{Known(s.What), Known(s.By), Known(s.First.String()), s.Last.String(), Known(s.Time), s.Moved, s.Evidence, Known(s.In)})
	}
	return views
}

// Known returns nil for the zero value, which stands for what is not known.
func Known[T comparable](v T) *T {
	var zero T
	if v == zero {
		return nil
	}
	return &v
}
