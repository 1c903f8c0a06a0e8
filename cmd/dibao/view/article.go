// Package view contains the types that commands print with --json: with stable
// keys, and null for unknown values.
package view

import (
	"time"

	"dibao/cmd/dibao/cli"
	"dibao/cmd/dibao/inspect"
	"dibao/feed"
	"dibao/feed/amend"
	"dibao/feed/search"
	"dibao/policy/call"
	"dibao/policy/warn"
)

// Article is an article in JSON; unknown is null.
type Article struct {
	ID     int64  `json:"id"`
	Source string `json:"collected_from"` // name of the source from which it was collected
	GUID   string `json:"guid"`           // identity of the item in its feed
	inspect.FactsView
	PageState  feed.PageState `json:"page_state"` // complete, wanted or missing
	Collected  string         `json:"collected_at"`
	Updated    string         `json:"updated_at"`
	Withdrawn  *string        `json:"withdrawn_at"` // when its page was found to be removed
	Held       bool           `json:"held"`         // waits until an admin releases it
	Pinned     bool           `json:"pinned"`       // first in its issue
	Hidden     bool           `json:"hidden"`       // not shown anywhere
	Attachment []string       `json:"attachments"`  // addresses of files

	Call *call.View `json:"call,omitempty"` // what it asks of readers or offers them; only in the output of article show, and only if there is something

	Changes []amend.ChangeView `json:"changes,omitempty"` // how later notices, and edits of its text, changed the call, oldest first; only in the output of article show, and only if there are any

	MachineSummaries []MachineSummary `json:"machine_summaries"` // written by a language model, if one is configured
}

// MachineSummary is what a model, and not dibao, says about the text.
type MachineSummary struct {
	Language    string `json:"language"`
	Text        string `json:"text"`
	Model       string `json:"model"`
	MadeAt      string `json:"made_at"`
	MachineMade bool   `json:"machine_made"`
}

// OfArticle returns the view of an article.
func OfArticle(a feed.Article) Article {
	v := Article{
		ID: a.ID, Source: a.SourceName, GUID: a.GUID, FactsView: inspect.ViewFacts(a.Facts), PageState: a.PageState,
		Collected: a.CollectedAt.Format("2006-01-02T15:04:05Z07:00"), Updated: a.UpdatedAt.Format("2006-01-02T15:04:05Z07:00"),
		Attachment: []string{}, MachineSummaries: []MachineSummary{}, Held: a.Held, Pinned: a.Pinned, Hidden: a.Hidden,
	}
	if !a.WithdrawnAt.IsZero() {
		v.Withdrawn = cli.Null(a.WithdrawnAt.Format("2006-01-02T15:04:05Z07:00"))
	}
	if a.Call != nil {
		v.Call = a.Call.View()
	}
	v.URL = &a.URL
	v.Title = a.Title()
	v.Warnings, v.Codes = inspect.Sentences(a.Warnings, "en"), append([]warn.Warning{}, a.Warnings...)
	for _, x := range a.Attachments {
		v.Attachment = append(v.Attachment, x.URL)
	}
	return v
}

// Hit is an article that was found, in JSON.
type Hit struct {
	Article
	Where      string        `json:"where"`
	TitleSpans []search.Span `json:"title_spans"`
	Snippet    []search.Span `json:"snippet"`
}

// Event is one thing that happened to an article.
type Event struct {
	At     time.Time `json:"at"`
	What   string    `json:"what"` // one of collected, text, correction, undone, relation, relation-gone, withdrawn
	Field  *string   `json:"field"`
	Value  *string   `json:"value"`
	Detail *string   `json:"detail"`
}
