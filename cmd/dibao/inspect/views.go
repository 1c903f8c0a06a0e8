package inspect

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"dibao/policy/division"
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
	Number   *string  `json:"number"` // 发文字号
	Issuers  []string `json:"issuers"`
	Relation *string  `json:"relation"` // how the text relates to it, such as repeals
	Status   *string  `json:"status"`   // status of the document, if the text says so
}

// FactsView is what dibao understood, in JSON; unknown is null.
type FactsView struct {
	URL            *string  `json:"url"`
	Title          string   `json:"title"`
	Subtitle       *string  `json:"subtitle"`
	Published      *string  `json:"published"`       // date, or time where the page gives one
	PublishedFrom  *string  `json:"published_from"`  // the element, label or pattern that states it; the same applies to other keys in _from
	Issued         *string  `json:"issued"`          // 成文日期
	Effective      *string  `json:"effective"`       // 施行日期, the first day in force
	Expires        *string  `json:"expires"`         // 失效日期, the last day in force
	Deadline       *string  `json:"deadline"`        // 截止日期, the last day for readers
	Source         *string  `json:"source"`          // what the page prints after 来源：
	Issuer         *string  `json:"issuer"`          // all issuers, joined by 、
	Issuers        []string `json:"issuers"`         // the lead issuer (主办机关) first
	Author         *string  `json:"author"`          // a person's name
	AuthorOffice   *string  `json:"author_office"`   // the office given with the name
	DocumentNumber *string  `json:"document_number"` // 发文字号, in its canonical form
	IndexNumber    *string  `json:"index_number"`    // 索引号
	Kind           *string  `json:"kind"`            // document, interpretation, news, signed-article, consultation or other
	Type           *string  `json:"type"`            // type of official document (文种), such as 通知
	Theme          *string  `json:"theme"`           // 主题分类 of the State Council
	Region         *string  `json:"region"`          // code of GB/T 2260

	RegionName     *string               `json:"region_name"`
	Level          *string               `json:"level"` // central, ministry, province, city or county
	ThemeFrom      *string               `json:"theme_from"`
	IssuedFrom     *string               `json:"issued_from"`
	EffectiveFrom  *string               `json:"effective_from"`
	FirstEffective *string               `json:"first_effective"` // day on which the first version took effect, if the text is a later version that repeats it
	ExpiresFrom    *string               `json:"expires_from"`
	DeadlineFrom   *string               `json:"deadline_from"`
	LateDays       *int                  `json:"late_days"`      // working days until it was published, if there were too many (逾期公开)
	AuthorBody     *string               `json:"author_body"`    // the organization of the office, such as 民政部
	RelativeDates  []policy.RelativeDate `json:"relative_dates"` // days that the text states relative to another day
	Opens          *string               `json:"opens"`          // first day for comments or applications
	OpensFrom      *string               `json:"opens_from"`
	Audience       []string              `json:"audience"` // groups that the title and headings address
	Marker         *string               `json:"marker"`   // 有效, 失效 and the like, as the page itself states

	Language   *string        `json:"language"` // zh or en
	Summary    *string        `json:"summary"`
	Paragraphs []string       `json:"paragraphs"`    // the text
	Citations  []citationView `json:"citations"`     // documents that the text mentions
	Warnings   []string       `json:"warnings"`      // sentences in English
	Codes      []warn.Warning `json:"warning_codes"` // the warnings as codes with parameters
}

// unknownAddress replaces the address of a page that was saved without one, so that its
// relative links resolve; the printed links don't include it.
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
	v.RegionName, v.Level, v.ThemeFrom = cli.Null(division.Name(f.Region)), cli.Null(string(f.Level)), cli.Null(f.ThemeFrom)
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

// LeftOut is the last object in the JSON output of a list.
type LeftOut struct {
	Dropped []list.Drop    `json:"dropped"`
	Offers  []ingest.Offer `json:"offers"` // other lists of the page
	Next    *string        `json:"next"`
	Pager   *string        `json:"pager"`
}

// ViewLeftOut returns what was left out of a list, which other lists its page has, and where
// the list continues.
func ViewLeftOut(l ingest.List, offers []ingest.Offer) LeftOut {
	return LeftOut{append([]list.Drop{}, l.Dropped...), offers, cli.Null(l.Next), cli.Null(l.Pager.String())}
}

// SayOffer says in one line what another list of a page is and which flag reads it.
func SayOffer(o ingest.Offer) string {
	if o.Item == "" {
		return fmt.Sprintf("%s, %d rows", o.Name, o.Rows)
	}
	return fmt.Sprintf("%s, %d rows, read with --item '%s'", o.Name, o.Rows, o.Item)
}

// ListedView is a row of a list in JSON.
type ListedView struct {
	URL      string  `json:"url"`
	Title    string  `json:"title"`
	Date     *string `json:"date"`
	DateFrom *string `json:"date_from"`
	New      *bool   `json:"new,omitempty"` // null if it was not compared with stored articles
}

// ViewListed returns a row of a list as it is printed in JSON.
func ViewListed(it ingest.Item) ListedView {
	return ListedView{it.URL, it.Title, cli.Null(DateOfItem(it)), cli.Null(it.DateFrom), nil}
}

// Sentences are warnings in words, for admins; never nil.
func Sentences(all []warn.Warning, language string) []string {
	out := make([]string, len(all))
	for i, w := range all {
		params := slices.Clone(w.Params)
		if n := len(params); language == "zh" && n > 0 && strings.HasSuffix(w.Code, "-unread") {
			params[n-1] = cli.Chinese(params[n-1]) // the error
		}
		out[i] = templates.AdminWarning(language, w.Code, params)
	}
	return out
}
