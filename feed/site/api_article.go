package site

import (
	"strings"
	"time"

	"dibao/feed"
	"dibao/feed/amend"
	"dibao/internal/redact"
	"dibao/policy/call"
)

// apiArticle is an article as the API shows it.
type apiArticleView struct {
	ID         int64     `json:"id"`
	URL        string    `json:"url"`
	Original   string    `json:"original_url"`
	Title      string    `json:"title"`
	Kind       *string   `json:"kind"`
	Type       *string   `json:"type"`
	Number     *string   `json:"document_number"`
	Issuers    []string  `json:"issuers"`
	Theme      *string   `json:"theme"`
	Region     *string   `json:"region"`
	Language   *string   `json:"language"`
	Published  *string   `json:"published"`
	Issued     *string   `json:"issued"`
	Effective  *string   `json:"effective"`
	Expires    *string   `json:"expires"`
	Deadline   *string   `json:"deadline"`
	Summary    *string   `json:"summary"`
	Author     *string   `json:"author"`
	Office     *string   `json:"author_office"`
	Source     apiSource `json:"source"`
	Collected  time.Time `json:"collected_at"`
	Updated    time.Time `json:"updated_at"`
	Withdrawn  *string   `json:"withdrawn_at"`
	HTML       *string   `json:"content_html,omitempty"`
	Paragraphs []string  `json:"paragraphs,omitempty"`

	Call    *call.View         `json:"call,omitempty"`    // only for a single article
	Changes []amend.ChangeView `json:"changes,omitempty"` // how later notices, and edits of its text, changed the call, oldest first; only for a single article
}

type apiSource struct {
	ID   int64   `json:"id"`
	Name string  `json:"name"`
	URL  *string `json:"url"` // null for a local folder
}

func newAPISource(a feed.Article) apiSource {
	s := apiSource{ID: a.SourceID, Name: a.SourceName}
	if strings.HasPrefix(a.SourceURL, "http") {
		shown := redact.Text(a.SourceURL)
		s.URL = &shown
	}
	return s
}

func orNull(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

func instant(t time.Time) *string {
	if t.IsZero() {
		return nil
	}
	return orNull(t.UTC().Format(time.RFC3339))
}

// APIArticle fills what the API shows of an article in lists.
func APIArticle(a feed.Article, base string) any { return newAPIArticle(a, base) }

func newAPIArticle(a feed.Article, base string) apiArticleView {
	f := a.Facts
	v := apiArticleView{
		ID: a.ID, URL: feed.ArticleURL(base, a.ID), Original: a.URL, Title: a.Title(), Kind: orNull(string(f.Kind)), Type: orNull(f.Type), Number: orNull(f.DocumentNumber),
		Issuers: orEmpty(f.Issuers), Theme: orNull(f.Theme), Region: orNull(f.Region), Language: orNull(f.Language),
		Published: orNull(f.PublishedOn.String()), Issued: orNull(f.IssuedOn.String()), Effective: orNull(f.EffectiveOn.String()),
		Expires: orNull(f.ExpiresOn.String()), Deadline: orNull(f.DeadlineOn.String()), Summary: orNull(f.Summary), Author: orNull(f.Author), Office: orNull(f.AuthorOffice),
		Source: newAPISource(a), Collected: a.CollectedAt.UTC(), Updated: a.UpdatedAt.UTC(), Withdrawn: instant(a.WithdrawnAt),
	}
	if !f.PublishedAt.IsZero() {
		v.Published = orNull(f.PublishedAt.Format(time.RFC3339))
	}
	return v
}
