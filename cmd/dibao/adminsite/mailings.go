package adminsite

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/dustin/go-humanize"

	"dibao/cmd/dibao/cli"
	"dibao/cmd/dibao/status"
	"dibao/digest"
	"dibao/digest/delivery"
	"dibao/internal/redact"
	"dibao/templates"
)

const (
	shownMailings = 50
	shownDomains  = 50
	shownRefusals = 30
	curveSteps    = 60
	reportWeeks   = 26
	longestReply  = 300 // maximum number of characters of a reply
)

// mailings shows the last mailings.
func (s *Site) mailings(ctx context.Context, _ *http.Request, p templates.AdminPage) (page, error) {
	all, err := s.Node.Digest.Report(ctx, shownMailings)
	if err != nil {
		return nil, err
	}
	troubles, err := s.Node.Digest.Troubles(ctx)
	if err != nil {
		return nil, err
	}
	v := s.voice(p)
	p.Section, p.Title = "mailings", v.say("mailings")
	out := templates.AdminMailings{AdminPage: p}
	for _, t := range troubles {
		out.Needs = append(out.Needs, v.trouble(t))
	}
	for _, m := range all {
		out.Mailings = append(out.Mailings, v.mailing(m))
	}
	out.Reports, err = v.reports(ctx)
	return out, err
}

// trouble says what is wrong with mailings.
func (v voice) trouble(t delivery.Trouble) templates.AdminNeed {
	sentence, commands := status.Trouble(t, v.Node.Zone)
	return templates.AdminNeed{Text: v.sentence(sentence), Verbs: commands, Bad: true}
}

// reportClasses are the series of the plot of reports, by class.
var reportClasses = []struct {
	key, class string
	of         func(delivery.ReportCount) bool
}{
	{"permanent", "bad", func(c delivery.ReportCount) bool { return c.Class == "permanent" }},
	{"full", "wait", func(c delivery.ReportCount) bool { return c.Class == delivery.ClassFull }},
	{"policy", "cool", func(c delivery.ReportCount) bool { return c.Class == "policy" || c.Class == "message" }},
	{"other", "plain", func(c delivery.ReportCount) bool { return true }},
}

// reports plots bounces, complaints and refusals by week and class.
func (v voice) reports(ctx context.Context) (templates.Chart, error) {
	weeks := weeksUntil(v.Node.Articles.Now(), v.Node.Zone, reportWeeks)
	counts, err := v.Node.Digest.ReportsByDay(ctx, v.Node.Articles.Now().In(v.Node.Zone).AddDate(0, 0, -7*reportWeeks))
	chart := templates.Chart{ID: "plot-reports", Title: v.say("reports"), Step: v.say("week"), Labels: weeks.labels, Ticks: weeks.ticks}
	for _, c := range reportClasses {
		chart.Series = append(chart.Series, templates.Series{Name: v.say("report." + c.key), Class: c.class, Values: make([]float64, reportWeeks)})
	}
	chart.Series = append(chart.Series, templates.Series{Name: v.say("report.complaint"), Class: "ink", Values: make([]float64, reportWeeks)})
	total := 0
	for _, c := range counts {
		series := len(reportClasses)
		if c.Kind != "complaint" {
			for i, class := range slices.Backward(reportClasses) {
				if class.of(c) {
					series = i
				}
			}
		}
		if week, ok := weeks.of(c.Day); ok {
			chart.Series[series].Values[week] += float64(c.Count)
			total += c.Count
		}
	}
	chart.Note = v.say("reports.note", reportWeeks, total)
	return chart, err
}

// mailing shows one mailing.
func (s *Site) mailing(ctx context.Context, r *http.Request, p templates.AdminPage) (page, error) {
	n, err := strconv.ParseInt(r.PathValue("n"), 10, 64)
	if err != nil {
		return nil, digest.ErrNotFound
	}
	return s.mailingPage(ctx, n, p)
}

// WriteMailing writes the page of a mailing as a single file without external resources.
func (s *Site) WriteMailing(ctx context.Context, w io.Writer, mailing int64, language string) error {
	p := s.page(language)
	p.File = true
	v, err := s.mailingPage(ctx, mailing, p)
	if err != nil {
		return err
	}
	return v.Render(w)
}

func (s *Site) mailingPage(ctx context.Context, mailing int64, p templates.AdminPage) (page, error) {
	report, err := s.Node.Digest.ReportOf(ctx, mailing)
	if err != nil {
		return nil, err
	}
	variants, err := s.Node.Digest.Variants(ctx, mailing)
	if err != nil {
		return nil, err
	}
	domains, err := s.Node.Digest.Domains(ctx, mailing)
	if err != nil {
		return nil, err
	}
	refusals, err := s.Node.Digest.Refusals(ctx, mailing)
	if err != nil {
		return nil, err
	}
	v := s.voice(p)
	p.Section = "mailings"
	if p.Title, err = v.mailingTitle(ctx, mailing); err != nil {
		return nil, err
	}
	out := templates.AdminMailingPage{AdminPage: p, Mailing: v.mailing(report), MoreDomains: max(len(domains)-shownDomains, 0)}
	out.Figures = v.mailingFigures(report, domains)
	var lists []string
	for _, variant := range variants {
		lists = append(lists, variant.Lists...)
	}
	slices.Sort(lists)
	out.Lists = strings.Join(slices.Compact(lists), templates.Words(p.Language, "comma"))
	if out.Curve, err = v.curve(ctx, mailing); err != nil {
		return nil, err
	}
	for _, d := range domains[:min(len(domains), shownDomains)] {
		out.Domains = append(out.Domains, v.domain(d))
	}
	for i, refused := range refusals {
		if i >= shownRefusals {
			out.MoreRefused += refused.Count
			continue
		}
		out.Refusals = append(out.Refusals, v.refusal(refused))
	}
	return out, nil
}

// mailingTitle returns the title of a mailing, made from the issues that it sends.
func (v voice) mailingTitle(ctx context.Context, mailing int64) (string, error) {
	issues, err := v.Node.Digest.IssuesOfMailing(ctx, mailing)
	title := v.say("mailing.title", mailing)
	if err != nil || len(issues) == 0 {
		return title, err
	}
	return status.IssueNames(issues, v.language) + " · " + title, nil
}

func (v voice) mailingFigures(m delivery.MailingReport, domains []delivery.DomainReport) []templates.AdminFigure {
	comma := func(n int) string { return humanize.Comma(int64(n)) }
	deferred := 0
	for _, d := range domains {
		deferred += d.Deferred
	}
	all := m.Emails()
	waits, done := "", ""
	if deferred > 0 {
		waits = v.say("figure.deferred", comma(deferred))
	}
	if m.PerSecond != nil {
		done = v.say("figure.rate", *m.PerSecond)
	}
	if m.DoneAt != nil {
		done = v.say("figure.done", cli.ShortTime(*m.DoneAt, v.Node.Zone))
	}
	return []templates.AdminFigure{
		{Key: "accepted", Value: comma(m.Sent), Note: cmp.Or(done, v.say("figure.all", comma(all)))},
		{Key: "waiting", Value: comma(m.Waiting + m.Claimed), Note: waits},
		{Key: "refused", Value: comma(m.Failed), Note: percent(m.Failed, all), Bad: m.Failed*50 > all},
		{Key: "uncertain", Value: comma(m.Uncertain), Bad: m.Uncertain > 0},
		{Key: "suppressed", Value: comma(m.Suppressed)},
	}
}

// percent formats a share; "" if the total is 0.
func percent(n, all int) string {
	if n == 0 || all == 0 {
		return ""
	}
	return fmt.Sprintf("%.1f%%", float64(n)*100/float64(all))
}

// curve plots the progress of a mailing.
func (v voice) curve(ctx context.Context, mailing int64) (templates.Chart, error) {
	curve, later, err := v.Node.Digest.Curve(ctx, mailing, curveSteps)
	chart := templates.Chart{ID: "plot-curve", Title: v.say("curve"), Step: v.say("time"), Line: true,
		Series: []templates.Series{{Name: v.say("mailing.sent"), Class: "good"}, {Name: v.say("mailing.failed"), Class: "bad"}}}
	if err != nil || len(curve) == 0 {
		return chart, err
	}
	first, last := curve[0], curve[len(curve)-1]
	form := "15:04:05"
	if last.At.Sub(first.At) > 24*time.Hour {
		form = "01-02 15:04"
	}
	for i, at := range curve {
		chart.Labels = append(chart.Labels, at.At.In(v.Node.Zone).Format(form))
		chart.Series[0].Values = append(chart.Series[0].Values, float64(at.Sent))
		chart.Series[1].Values = append(chart.Series[1].Values, float64(at.Failed))
		if i%max((len(curve)-1)/3, 1) == 0 {
			chart.Ticks = append(chart.Ticks, templates.Tick{At: i, Text: chart.Labels[i]})
		}
	}
	chart.Note = v.say("curve.note", last.Sent+last.Failed, v.duration(last.At.Sub(first.At)))
	if n := later.Sent + later.Failed; n > 0 {
		chart.Note += v.say("curve.later", n, cli.ShortTime(later.At, v.Node.Zone))
	}
	return chart, nil
}

func (v voice) domain(d delivery.DomainReport) templates.AdminDomain {
	all := d.Sent + d.Waiting + d.Failed + d.Uncertain + d.Suppressed
	share := func(n int) string { return strconv.FormatFloat(float64(n)*100/float64(max(all, 1)), 'f', 2, 64) }
	out := templates.AdminDomain{
		Domain: d.Domain, All: all, Sent: d.Sent, Waiting: d.Waiting - d.Deferred, Deferred: d.Deferred, Failed: d.Failed, Uncertain: d.Uncertain, NotSent: d.Suppressed,
		SentShare: share(d.Sent), WaitingAt: share(d.Sent), WaitingShare: share(d.Waiting + d.Uncertain), FailedAt: share(d.Sent + d.Waiting + d.Uncertain), FailedShare: share(d.Failed),
	}
	if d.NextAt != nil && d.Waiting+d.Uncertain > 0 {
		out.Next = cli.ShortTime(*d.NextAt, v.Node.Zone)
	}
	return out
}

func (v voice) refusal(r delivery.Refusal) templates.AdminRefusal {
	out := templates.AdminRefusal{State: v.say("mailing." + r.State), Class: "wait", Reply: redact.Text(r.Reply), Count: r.Count}
	if r.State == "failed" {
		out.Class = "bad"
	}
	if r.State == "waiting" {
		out.State = v.say("domain.deferred")
	}
	if r.Code > 0 && !strings.HasPrefix(r.Reply, strconv.Itoa(r.Code)) {
		out.Reply = strconv.Itoa(r.Code) + " " + out.Reply
	}
	if runes := []rune(out.Reply); len(runes) > longestReply {
		out.Reply = string(runes[:longestReply]) + "…"
	}
	shown := r.Domains[:min(len(r.Domains), 3)]
	if out.Domains = strings.Join(shown, ", "); len(shown) < len(r.Domains) {
		out.Domains += fmt.Sprintf(" +%d", len(r.Domains)-len(shown))
	}
	return out
}
