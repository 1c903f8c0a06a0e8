package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"dibao/cmd/dibao/bars"
	"dibao/digest/delivery"
)

const (
	// watchEvery is how often the progress of a watched mailing is read.
	watchEvery = 2 * time.Second
	// domainsEvery is the minimum time between two counts of the domains, which
	// read all deliveries. It grows with the time that counting takes.
	domainsEvery = 6 * time.Second
)

// watchMailing follows a mailing: with bars on a terminal, for the whole and
// for its largest domains, otherwise with a line every few seconds.
func (a *app) watchMailing(g *globals, cmd *cobra.Command, mailing int64) error {
	ctx := cmd.Context()
	var shown *bars.Mailing
	if !g.json && !g.quiet && isTerminal(cmd.ErrOrStderr()) {
		shown = bars.New(cmd.ErrOrStderr(), a.config.Schedule.Zone)
		defer shown.Close()
	}
	tick := time.NewTicker(watchEvery)
	defer tick.Stop()
	var nextDomains time.Time
	for {
		r, err := a.digest.ReportOf(ctx, mailing)
		if errors.Is(err, context.Canceled) {
			return nil
		}
		if err != nil {
			return err
		}
		over := r.State == "done" || r.State == "cancelled"
		switch {
		case g.json:
			err = writeJSON(cmd.OutOrStdout(), r)
		case shown != nil:
			shown.Show(r)
			if start := time.Now(); over || start.After(nextDomains) {
				var domains []delivery.DomainReport
				if domains, err = a.digest.Domains(ctx, mailing); err == nil {
					shown.ShowDomains(domains)
				}
				nextDomains = time.Now().Add(max(domainsEvery, 20*time.Since(start)))
			}
		default:
			g.say(cmd, "%s", a.progressOf(r))
		}
		if err != nil || over {
			return err
		}
		select {
		case <-ctx.Done():
			return nil // the mailing goes on without a watcher
		case <-tick.C:
		}
	}
}

// progressOf returns the progress of a mailing in one line, in English: only what is known.
func (a *app) progressOf(r delivery.MailingReport) string {
	text := fmt.Sprintf("mailing %d %s: sent %d, waiting %d, failed %d", r.Mailing, r.State, r.Sent, r.Waiting+r.Claimed, r.Failed)
	switch {
	case r.PerSecond != nil && r.ETASeconds != nil:
		text += fmt.Sprintf("; %s a second, %s left", bars.Rate(r), bars.Left(r))
	case r.PerSecond != nil:
		text += fmt.Sprintf("; %s a second", bars.Rate(r))
	case r.NextAt != nil:
		text += fmt.Sprintf("; the next try is at %s", shortTime(*r.NextAt, a.config.Schedule.Zone))
	}
	return text
}
