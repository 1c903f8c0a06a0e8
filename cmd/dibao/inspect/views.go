package inspect

import (
	"strings"
	"time"

	"dibao/policy/warn"

	"dibao/cmd/dibao/cli"
	"dibao/feed/ingest"
	"dibao/feed/ingest/list"
	"dibao/policy"
	"dibao/templates"
)

// citationView is a cited document in JSON.
type citationView struct {
	Title    string   `json:"title"`
	Number   *string  `json:"number"`
	Issuers  []string `json:"issuers"`
	Relation *string  `json:"relation"`
	Status   *string  `json:"status"`
}

// FactsView is what dibao understood, in JSON; unknown is null.
type FactsView struct {
	URL            *string  `json:"url"`
	Title          string   `json:"title"`
	Subtitle       *string  `json:"subtitle"`
	Published      *string  `json:"published"`
	PublishedFrom  *string  `json:"published_from"`
	Issued         *string  `json:"issued"`
	Effective      *string  `json:"effective"`
	Expires        *string  `json:"expires"`
	Deadline       *string  `json:"deadline"`
	Source         *string  `json:"source"`
	Issuer         *string  `json:"issuer"`
	Issuers        []string `json:"issuers"`
	Author         *string  `json:"author"`
	AuthorOffice   *string  `json:"author_office"`
	DocumentNumber *string  `json:"document_number"`
	IndexNumber    *string  `json:"index_number"`
	Kind           *string  `json:"kind"`
	Type           *string  `json:"type"`
	Theme          *string  `json:"theme"`
	Region         *string  `json:"region"`

	RegionName     *string               `json:"region_name"`
	Level          *string               `json:"level"`
	ThemeFrom      *string               `json:"theme_from"`
	IssuedFrom     *string               `json:"issued_from"`
	EffectiveFrom  *string               `json:"effective_from"`
	FirstEffective *string               `json:"first_effective"`
	ExpiresFrom    *string               `json:"expires_from"`
	DeadlineFrom   *string               `json:"deadline_from"`
	LateDays       *int                  `json:"late_days"`
	AuthorBody     *string               `json:"author_body"`
	RelativeDates  []policy.RelativeDate `json:"relative_dates"`
	Opens          *string               `json:"opens"`
	OpensFrom      *string               `json:"opens_from"`
	Audience       []string              `json:"audience"`
	Marker         *string               `json:"marker"`

	Language   *string        `json:"language"`
	Summary    *string        `json:"summary"`
	Paragraphs []string       `json:"paragraphs"`
	Citations  []citationView `json:"citations"`
	Warnings   []string       `json:"warnings"`
	Codes      []warn.Warning `json:"warning_codes"`
}

// unknownAddress stands for the address of a page that was saved without one, so
// that its relative links resolve; they are printed without it.
const unknownAddress = "http://unknown.invalid/"

// AttachmentView is a file of an article in JSON.
type AttachmentView struct {
	URL   string  `json:"url"`
	Title *string `json:"title"`
	Type  *string `json:"type"`
}

// ViewAttachments returns files as they are printed in JSON.
func ViewAttachments(all []ingest.Attachment) []AttachmentView {
	views := []AttachmentView{}
	for _, a := range all {
		views = append(views, AttachmentView{strings.TrimPrefix(a.URL, unknownAddress), cli.Null(a.Title), cli.Null(a.Type)})
	}
	return views
}

// ViewFacts returns facts as they are printed in JSON; unknown is null.
func ViewFacts(f policy.Facts) FactsView {
	v := FactsView{
		Title: f.Title, Subtitle: cli.Null(f.Subtitle), Published: cli.Null(f.PublishedOn.String()), PublishedFrom: cli.Null(f.PublishedFrom),
		Issued: cli.Null(f.IssuedOn.String()), Effective: cli.Null(f.EffectiveOn.String()), Expires: cli.Null(f.ExpiresOn.String()),
		Deadline: cli.Null(f.DeadlineOn.String()), Source: cli.Null(f.Credit), Author: cli.Null(f.Author), AuthorOffice: cli.Null(f.AuthorOffice),
		DocumentNumber: cli.Null(f.DocumentNumber), Kind: cli.Null(string(f.Kind)), Type: cli.Null(f.Type), Theme: cli.Null(f.Theme), Region: cli.Null(f.Region),
		Language: cli.Null(f.Language), Summary: cli.Null(f.Summary), Paragraphs: append([]string{}, f.Paragraphs...),
		Citations: []citationView{}, Warnings: Sentences(f.Warnings, "en"), Codes: append([]warn.Warning{}, f.Warnings...),
	}
	v.RegionName, v.Level, v.ThemeFrom = cli.Null(policy.RegionName(f.Region)), cli.Null(string(f.Level)), cli.Null(f.ThemeFrom)
	v.IssuedFrom, v.EffectiveFrom, v.FirstEffective = cli.Null(f.IssuedFrom), cli.Null(f.EffectiveFrom), cli.Null(f.FirstEffectiveOn.String())
	v.ExpiresFrom, v.DeadlineFrom, v.LateDays, v.AuthorBody = cli.Null(f.ExpiresFrom), cli.Null(f.DeadlineFrom), cli.Null(f.LateDays), cli.Null(f.AuthorBody)
	v.RelativeDates = append([]policy.RelativeDate{}, f.RelativeDates...)
	if !f.PublishedAt.IsZero() {
		v.Published = cli.Null(f.PublishedAt.Format(time.RFC3339))
	}
	v.Issuer, v.Issuers = cli.Null(strings.Join(f.Issuers, "、")), append([]string{}, f.Issuers...)
	v.IndexNumber, v.Marker, v.Audience = cli.Null(f.IndexNumber), cli.Null(f.Marker), append([]string{}, f.Audiences...)
	v.Opens, v.OpensFrom = cli.Null(f.OpensOn.String()), cli.Null(f.OpensFrom)
	for _, c := range f.Citations {
		v.Citations = append(v.Citations, citationView{c.Title, cli.Null(c.Number), append([]string{}, c.Issuers...), cli.Null(c.Relation), cli.Null(c.Status)})
	}
	return v
}

// LeftOut is the last object of a list in JSON.
type LeftOut struct {
	Dropped []list.Drop `json:"dropped"`
	Next    *string     `json:"next"`
	Pager   *string     `json:"pager"`
}

// ViewLeftOut returns what a list left out and where it goes on.
func ViewLeftOut(l ingest.List) LeftOut {
	return LeftOut{append([]list.Drop{}, l.Dropped...), cli.Null(l.Next), cli.Null(l.Pager.String())}
}

// ListedView is a row of a list in JSON.
type ListedView struct {
	URL      string  `json:"url"`
	Title    string  `json:"title"`
	Date     *string `json:"date"`
	DateFrom *string `json:"date_from"`
	New      *bool   `json:"new,omitempty"` // null: not compared with what is stored
}

// ViewListed returns a row of a list as it is printed in JSON.
func ViewListed(it ingest.Item) ListedView {
	return ListedView{it.URL, it.Title, cli.Null(DateOfItem(it)), cli.Null(it.DateFrom), nil}
}

// Sentences are warnings in words, for admins; never nil.
func Sentences(all []warn.Warning, language string) []string {
	out := make([]string, len(all))
	for i, w := range all {
		out[i] = templates.AdminWarning(language, w.Code, w.Params)
	}
	return out
}
