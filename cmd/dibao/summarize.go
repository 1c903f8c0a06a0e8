package main

import (
	"context"
	"time"

	"dibao/feed"
	"dibao/internal/summarize"
)

// summarizer returns the job that requests summaries of new articles from a model; it does
// nothing unless an endpoint is configured.
func (a *app) summarizer() (func(context.Context) error, error) {
	o := a.config.Summary
	if o.URL == "" {
		return func(context.Context) error { return nil }, nil
	}
	client, err := summarize.New(summarize.Options{URL: o.URL.Reveal(), Model: o.Model, Key: o.Key.Reveal(), Timeout: o.Timeout})
	if err != nil {
		return nil, err
	}
	s := &feed.Summarizer{Store: a.articles, Ask: client.Summarize, Languages: o.Languages, DailyTokens: o.DailyLimit, Now: time.Now, Logger: a.log}
	return s.Run, nil
}
