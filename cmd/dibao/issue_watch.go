package main

import (
	"fmt"
	"io"
	"sync/atomic"
	"time"

	"dibao/digest/delivery"

	"github.com/spf13/cobra"
	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"
)

const (
	// watchEvery is how often a mailing that is followed is looked at.
	watchEvery = 2 * time.Second
	// domainsEvery is how often its domains are, at most: they are counted over all
	// of its deliveries. It grows with the time that takes.
	domainsEvery = 6 * time.Second
	// maxDomainBars bounds the domains that are shown.
	maxDomainBars = 8
)

// watchMailing follows a mailing: bars on a terminal, for all of it and for its
// largest domains, else a line every few seconds.
func (a *app) watchMailing(g *globals, cmd *cobra.Command, mailing int64) error {
	ctx := cmd.Context()
	var bars *mailingBars
	if !g.json && !g.quiet && isTerminal(cmd.ErrOrStderr()) {
		bars = newMailingBars(cmd.ErrOrStderr(), a.config.Schedule.Zone)
		defer bars.close()
	}
	tick := time.NewTicker(watchEvery)
	defer tick.Stop()
	var nextDomains time.Time
	for {
		r, err := a.digest.ReportOf(ctx, mailing)
		if err != nil {
			return err
		}
		over := r.State == "done" || r.State == "cancelled"
		switch {
		case g.json:
			err = writeJSON(cmd.OutOrStdout(), r)
		case bars != nil:
			bars.show(r)
			if start := time.Now(); over || start.After(nextDomains) {
				var domains []delivery.DomainReport
				if domains, err = a.digest.Domains(ctx, mailing); err == nil {
					bars.showDomains(domains)
				}
				nextDomains = time.Now().Add(max(domainsEvery, 20*time.Since(start)))
			}
		default:
			g.say(cmd, "mailing %d %s: sent %d, waiting %d, failed %d, %s a second, left %s", mailing, r.State, r.Sent, r.Waiting+r.Claimed, r.Failed, rateText(r), leftText(r))
		}
		if err != nil || over {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
	}
}

// mailingBars are a bar for a mailing and, below it, one for each of its largest
// domains.
type mailingBars struct {
	progress *mpb.Progress
	zone     *time.Location
	all      *stateBar
	domains  map[string]*stateBar
}

// stateBar is a bar with a text before it.
type stateBar struct {
	*mpb.Bar
	state atomic.Pointer[string] // read where it is drawn
}

func newMailingBars(w io.Writer, zone *time.Location) *mailingBars {
	b := &mailingBars{progress: mpb.New(mpb.WithOutput(w), mpb.WithWidth(30)), zone: zone, domains: make(map[string]*stateBar)}
	b.all = b.bar()
	return b
}

func (b *mailingBars) bar() *stateBar {
	s := &stateBar{}
	s.state.Store(new(string))
	text := decor.Any(func(decor.Statistics) string { return *s.state.Load() }, decor.WCSyncSpaceR)
	s.Bar = b.progress.AddBar(0, mpb.PrependDecorators(text), mpb.AppendDecorators(decor.Percentage()))
	return s
}

func (s *stateBar) set(done, total int, format string, args ...any) {
	state := fmt.Sprintf(format, args...)
	s.state.Store(&state)
	s.SetTotal(int64(total), false)
	s.SetCurrent(int64(done))
}

func (b *mailingBars) show(r delivery.MailingReport) {
	done := r.Sent + r.Failed + r.Suppressed + r.Uncertain
	rate := ""
	if r.PerSecond != nil {
		rate = "  " + rateText(r) + "/s"
	}
	if r.ETASeconds != nil {
		rate += "  left " + leftText(r)
	}
	b.all.set(done, done+r.Waiting+r.Claimed, "mailing %d %s  sent %d  failed %d%s", r.Mailing, r.State, r.Sent, r.Failed, rate)
}

func (b *mailingBars) showDomains(all []delivery.DomainReport) {
	for _, d := range all[:min(len(all), maxDomainBars)] {
		if b.domains[d.Domain] == nil {
			b.domains[d.Domain] = b.bar()
		}
		b.domains[d.Domain].set(d.Sent+d.Failed, d.Sent+d.Failed+d.Waiting+d.Uncertain, "%s", domainState(d, b.zone))
	}
}

// domainState says how a domain stands, in a line.
func domainState(d delivery.DomainReport, zone *time.Location) string {
	state := fmt.Sprintf("  %s  sent %d", d.Domain, d.Sent)
	if d.Failed > 0 {
		state += fmt.Sprintf("  failed %d", d.Failed)
	}
	if d.Waiting+d.Uncertain > 0 && d.Reply != nil {
		state += "  " + clipLine(*d.Reply, 40)
		if d.NextAt != nil {
			state += "  next " + d.NextAt.In(zone).Format("15:04")
		}
	}
	return state
}

func (b *mailingBars) close() {
	for _, s := range b.domains {
		s.Abort(false)
	}
	b.all.Abort(false)
	b.progress.Wait()
}
