package digest

import (
	"context"
	"fmt"

	"dibao/digest/channel"
	"dibao/feed"
	"dibao/subscribers"
	"dibao/templates"
)

// Card returns an issue as a channel shows it: the articles that come first in the email.
func (s *Service) Card(ctx context.Context, issue int64) (channel.Card, error) {
	all, err := s.issuesByID(ctx, []int64{issue})
	if err != nil {
		return channel.Card{}, err
	}
	items, err := s.shownItems(ctx, issue)
	if err != nil {
		return channel.Card{}, err
	}
	i, language := all[0], all[0].List.Language
	c := s.card(i.List, i.List.Title+" "+templates.Words(language, "mail.number", i.Number), s.IssueURL(i))
	c.Number, c.DueAt = i.Number, i.DueAt
	for _, b := range layOut(items) {
		for _, it := range b.items {
			if c.Total++; len(c.Items) < channel.MaxItems {
				c.Items = append(c.Items, channel.Item{Title: it.Article.Title(), URL: feed.ArticleURL(s.opts.BaseURL, it.Article.ID)})
			}
		}
	}
	return c, nil
}

// TestCard returns a card that says which list will be sent here.
func (s *Service) TestCard(l subscribers.List) channel.Card {
	c := s.card(l, templates.Words(l.Language, "channel.test", l.Title), s.opts.BaseURL+l.Path())
	c.DueAt = s.now()
	return c
}

func (s *Service) card(l subscribers.List, title, address string) channel.Card {
	return channel.Card{
		Language: l.Language, List: l.Slug, Title: title, Archive: channel.Item{Title: templates.Words(l.Language, "mail.archive"), URL: address},
		More: func(n int) string { return templates.Words(l.Language, "mail.more", n) },
	}
}

// Pause prevents the unsent messages of a mailing from being sent to readers and channels.
func (s *Service) Pause(ctx context.Context, mailing int64) error {
	n, err := s.Channels.Pause(ctx, mailing)
	return s.orElse(ctx, mailing, n, err, s.Service.Pause)
}

// Resume lets a paused mailing be sent.
func (s *Service) Resume(ctx context.Context, mailing int64) error {
	n, err := s.Channels.Resume(ctx, mailing)
	return s.orElse(ctx, mailing, n, err, s.Service.Resume)
}

// Cancel cancels a mailing: its unsent messages to readers and channels are dropped.
func (s *Service) Cancel(ctx context.Context, mailing int64) error {
	n, err := s.Channels.Cancel(ctx, mailing)
	return s.orElse(ctx, mailing, n, err, s.Service.Cancel)
}

// orElse changes the state of a mailing after the states of n deliveries to channels
// have changed. If only deliveries to channels were left, the mailing itself is done.
func (s *Service) orElse(ctx context.Context, mailing, n int64, err error, change func(context.Context, int64) error) error {
	if err != nil {
		return fmt.Errorf("channels of mailing %d: %w", mailing, err)
	}
	if n > 0 {
		report, err := s.ReportOf(ctx, mailing)
		if err != nil || report.State == "done" {
			return err
		}
	}
	return change(ctx, mailing)
}
