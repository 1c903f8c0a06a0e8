// Package policy reads what a policy text states about itself: its number,
// dates, issuers, author, kind and summary.
//
// The package is pure: evidence in, facts out; no clock, network, database or
// HTML. Everything is safe for concurrent use. Text is UTF-8. Dates are
// calendar dates ([Date]), never instants. A fact that the text does not state
// is the zero value, never a guess; if two sources of a fact disagree, a
// warning says so.
//
// Sources: 党政机关公文处理工作条例 (中办发〔2012〕14号) 第八、九条;
// 国办发〔2017〕47号 (meta tags of government sites); GB/T 9704; GB/T 2260.
package policy

import (
	"time"

	"dibao/policy/division"
	"dibao/policy/warn"
)

// Kind is the kind of an article (稿件类别).
type Kind string

// The kinds of articles. The zero Kind means that the article has not been evaluated.
const (
	KindDocument       Kind = "document"       // an official text (公文、法规)
	KindInterpretation Kind = "interpretation" // 解读, 答记者问, 图解
	KindNews           Kind = "news"
	KindSignedArticle  Kind = "signed-article" // 署名文章
	KindConsultation   Kind = "consultation"   // 征求意见
	KindOther          Kind = "other"
)

// Kinds contains all kinds of articles.
var Kinds = []Kind{KindDocument, KindInterpretation, KindNews, KindSignedArticle, KindConsultation, KindOther}

// Evidence is what a reader found on a page, without an evaluation. It is stored with the
// facts, so that better rules can evaluate it again without fetching.
type Evidence struct {
	URL      string `json:"url,omitempty"`
	Title    string `json:"title,omitempty"`     // headline of the page or feed item
	SiteName string `json:"site_name,omitempty"` // name of the site; its texts may call it 本站
	Zone     string `json:"zone,omitempty"`      // IANA name; "" is Asia/Shanghai
	Language string `json:"language,omitempty"`  // BCP 47, as declared
	Issuer   string `json:"issuer,omitempty"`    // the organization that runs the source, if configured
	Region   string `json:"region,omitempty"`    // GB/T 2260 code of the source, if configured

	Meta   []Pair  `json:"meta,omitempty"`   // meta elements in page order
	Labels []Label `json:"labels,omitempty"` // labeled values of the headline block, in page order

	ListTitle string `json:"list_title,omitempty"` // title of the article in its list
	ListDate  string `json:"list_date,omitempty"`

	FeedPublished *time.Time `json:"feed_published,omitempty"`
	FeedUpdated   *time.Time `json:"feed_updated,omitempty"`
	FeedAuthor    string     `json:"feed_author,omitempty"`
	FeedSummary   string     `json:"feed_summary,omitempty"` // plain text
	Categories    []string   `json:"categories,omitempty"`

	Links []Link `json:"links,omitempty"` // in the text, and those next to it that say 原文

	// Paragraphs are the text blocks of the content container in order, with
	// whitespace collapsed; they still include by-line and signature.
	Paragraphs []string `json:"paragraphs,omitempty"`
	// File is the name of the attached file whose text Paragraphs end with, from index
	// FileFrom on; "" if there is none.
	File     string `json:"file,omitempty"`
	FileFrom int    `json:"file_from,omitempty"`
	// Guides are attached files with facts that a call does not state. They are not part of
	// the text: only what a call asks is read from them.
	Guides []Guide `json:"guides,omitempty"`
}

// Guide is the text of an attached file.
type Guide struct {
	Name       string   `json:"name"`
	Paragraphs []string `json:"paragraphs"`
}

// Pair is the name and content of a meta element.
type Pair struct {
	Name    string `json:"name"`
	Content string `json:"content"`
}

// Label is a labeled value, such as 时间:2011-06-21 in div.info.
type Label struct {
	Element string `json:"element"` // tag with its class or id: "div.info", "td#date"
	Name    string `json:"name"`    // without the colon
	Value   string `json:"value"`
}

// Facts is the result of [Understand]. Zero values are unknown.
type Facts struct {
	Title      string   `json:"title,omitempty"`
	Subtitle   string   `json:"subtitle,omitempty"`
	Paragraphs []string `json:"paragraphs,omitempty"` // the text without by-line and page boilerplate
	Summary    string   `json:"summary,omitempty"`
	Language   string   `json:"language,omitempty"` // BCP 47

	PublishedOn   Date      `json:"published_on,omitzero"`
	PublishedAt   time.Time `json:"published_at,omitzero"` // set only if a time of day is given
	PublishedFrom string    `json:"published_from,omitempty"`
	IssuedOn      Date      `json:"issued_on,omitzero"` // 成文日期
	IssuedFrom    string    `json:"issued_from,omitempty"`
	EffectiveOn   Date      `json:"effective_on,omitzero"` // 施行日期
	EffectiveFrom string    `json:"effective_from,omitempty"`
	ExpiresOn     Date      `json:"expires_on,omitzero"` // last day in force
	ExpiresFrom   string    `json:"expires_from,omitempty"`
	DeadlineOn    Date      `json:"deadline_on,omitzero"` // last day that counts
	DeadlineFrom  string    `json:"deadline_from,omitempty"`
	lastDays      []Date    // the last days that the text states, if they differ

	OpensOn          Date           `json:"opens_on,omitzero"` // first day on which comments or applications are accepted
	OpensFrom        string         `json:"opens_from,omitempty"`
	ExtendsTo        Date           `json:"extends_to,omitzero"`         // new last day of the document whose term this one extends
	FirstEffectiveOn Date           `json:"first_effective_on,omitzero"` // day on which the first version took effect, if the text is a later version that repeats it
	RelativeDates    []RelativeDate `json:"relative_dates,omitempty"`
	LateDays         int            `json:"late_days,omitempty"` // working days until publication, if over the limit (逾期公开)

	Credit       string `json:"credit,omitempty"`        // 来源; 未知 is ""
	Author       string `json:"author,omitempty"`        // a person
	AuthorOffice string `json:"author_office,omitempty"` // 民政部部长、党组书记
	AuthorBody   string `json:"author_body,omitempty"`   // 民政部
	Byline       string `json:"byline,omitempty"`        // the raw line

	DocumentNumber string         `json:"document_number,omitempty"` // canonical
	IndexNumber    string         `json:"index_number,omitempty"`    // 索引号 in the site's register
	Issuers        []string       `json:"issuers,omitempty"`         // the first is the lead issuer (主办)
	Kind           Kind           `json:"kind,omitempty"`
	Type           string         `json:"type,omitempty"`       // 文种
	Theme          string         `json:"theme,omitempty"`      // 主题分类, with its second level after a backslash
	ThemeFrom      string         `json:"theme_from,omitempty"` // provenance of Theme: 主题分类, or the words of the title
	Region         string         `json:"region,omitempty"`     // GB/T 2260 without trailing zeros; "" is national or unknown
	Level          division.Level `json:"level,omitempty"`
	Audiences      []string       `json:"audiences,omitempty"` // some of [Audiences]: whom the title and headings address
	Marker         string         `json:"marker,omitempty"`    // 有效, 失效 …, as the page itself states

	Citations []Citation     `json:"citations,omitempty"`
	Originals []Link         `json:"originals,omitempty"` // links of an interpretation to what it explains
	Warnings  []warn.Warning `json:"warnings,omitempty"`
}

// Citation is a document that the text mentions.
type Citation struct {
	Title    string   `json:"title"`
	Number   string   `json:"number,omitempty"`
	Issuers  []string `json:"issuers,omitempty"`
	Relation string   `json:"relation,omitempty"` // one of the Relation constants; "" is a mere mention
	Status   string   `json:"status,omitempty"`   // issued | promised
}
