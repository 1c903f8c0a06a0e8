// Package bars draws the progress of a mailing on a terminal.
package bars

import (
	"fmt"
	"io"
	"sync/atomic"
	"time"

	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"

	"dibao/cmd/dibao/cli"
	"dibao/digest/delivery"
)

// maxDomainBars limits how many domains are shown.
const maxDomainBars = 8

// Mailing contains a bar for a mailing and, below it, one for each of its largest domains.
type Mailing struct {
	progress *mpb.Progress
	zone     *time.Location
	all      *stateBar
	domains  map[string]*stateBar
}

// stateBar is a bar with a text before it.
type stateBar struct {
	*mpb.Bar
	state atomic.Pointer[string] // read when the bar is drawn
}

// New returns bars for a terminal, with times in zone.
func New(w io.Writer, zone *time.Location) *Mailing {
	b := &Mailing{progress: mpb.New(mpb.WithOutput(w), mpb.WithWidth(30)), zone: zone, domains: make(map[string]*stateBar)}
	b.all = b.bar()
	return b
}

func (b *Mailing) bar() *stateBar {
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

// Show draws the progress of the mailing.
func (b *Mailing) Show(r delivery.MailingReport) {
	done := r.Sent + r.Failed + r.Suppressed + r.Uncertain
	rate := ""
	if r.PerSecond != nil {
		rate = "  " + Rate(r) + "/s"
	}
	if r.ETASeconds != nil {
		rate += "  left " + Left(r)
	}
	b.all.set(done, done+r.Waiting+r.Claimed, "mailing %d %s  sent %d  failed %d%s", r.Mailing, r.State, r.Sent, r.Failed, rate)
}

// ShowDomains draws the progress at its largest domains.
func (b *Mailing) ShowDomains(all []delivery.DomainReport) {
	for _, d := range all[:min(len(all), maxDomainBars)] {
		if b.domains[d.Domain] == nil {
			b.domains[d.Domain] = b.bar()
		}
		b.domains[d.Domain].set(d.Sent+d.Failed, d.Sent+d.Failed+d.Waiting+d.Uncertain, "%s", domainState(d, b.zone))
	}
}

// domainState returns the status of a domain in one line.
func domainState(d delivery.DomainReport, zone *time.Location) string {
	state := fmt.Sprintf("  %s  sent %d", d.Domain, d.Sent)
	if d.Failed > 0 {
		state += fmt.Sprintf("  failed %d", d.Failed)
	}
	if d.Waiting+d.Uncertain > 0 && d.Reply != nil {
		state += "  " + cli.Clip(*d.Reply, 40)
		if d.NextAt != nil {
			state += "  next " + d.NextAt.In(zone).Format("15:04")
		}
	}
	return state
}

// Close stops drawing and leaves the bars on the screen.
func (b *Mailing) Close() {
	for _, s := range b.domains {
		s.Abort(false)
	}
	b.all.Abort(false)
	b.progress.Wait()
}

// Rate returns how many emails are sent per second, "" if unknown.
func Rate(r delivery.MailingReport) string {
	if r.PerSecond == nil {
		return ""
	}
	if *r.PerSecond < 10 {
		return fmt.Sprintf("%.1f", *r.PerSecond)
	}
	return fmt.Sprintf("%.0f", *r.PerSecond)
}

// Left returns how long the rest takes, "" if unknown.
func Left(r delivery.MailingReport) string {
	if r.ETASeconds == nil {
		return ""
	}
	return (time.Duration(*r.ETASeconds) * time.Second).String()
}
