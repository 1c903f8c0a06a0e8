package main

import (
	"context"
	"fmt"
	"os"
	"strconv"
	"time"

	"dibao/cmd/dibao/cli"
	"dibao/digest/delivery"
	"dibao/internal/plural"
	"dibao/templates"
)

// notifyAdmin mails a notice to the admin. A failure is only logged: the
// deliveries are more important.
func (a *app) notifyAdmin(ctx context.Context, n delivery.Notice) {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	letter := a.noticeLetter(n)
	if n.Kind == delivery.NoticeDone || n.Kind == delivery.NoticeStuck {
		domains, err := a.digest.Domains(ctx, n.Mailing)
		if err != nil {
			a.log.Error("domains of a mailing not read", "mailing_id", n.Mailing, "err", err)
		}
		letter.Rows = append(letter.Rows, domainRows(domains)...)
	}
	if err := a.writeAdmin(ctx, letter); err != nil {
		a.log.Error("admin not told", "kind", string(n.Kind), "mailing_id", n.Mailing, "err", err)
	}
}

// writeAdmin mails a letter to the admin, in the language of the node's
// environment.
func (a *app) writeAdmin(ctx context.Context, letter templates.Letter) error {
	letter.SiteName = siteName
	letter.Remarks = append(letter.Remarks, fmt.Sprintf("You get this email because your address is \"admin\" in [mail] of the configuration of %s.", a.config.Server.BaseURL))
	letter = letterIn(letter, cli.WantsChinese(os.Getenv))
	m, err := letter.Mail()
	if err != nil {
		return err
	}
	return a.mailer().Send(ctx, a.config.Mail.Admin, siteName+": "+letter.Title, m.Text, m.HTML)
}

// letterIn puts a letter that was written in English into the language of the admin.
func letterIn(l templates.Letter, isChinese bool) templates.Letter {
	l.Language = "en"
	say := plural.English
	if isChinese {
		l.Language, say = "zh", cli.Chinese
	}
	l.Title, l.Lead = say(l.Title), say(l.Lead)
	for i, r := range l.Rows {
		if chinese := cli.ChineseHeadings()[r.Name]; isChinese && chinese != "" {
			r.Name = chinese
		}
		l.Rows[i] = templates.LetterRow{Name: say(r.Name), Value: say(r.Value)}
	}
	for i, r := range l.Remarks {
		l.Remarks[i] = say(r)
	}
	return l
}

func (a *app) noticeLetter(n delivery.Notice) templates.Letter {
	r := n.Report
	report := []string{fmt.Sprintf("dibao issue report %d", n.Mailing)}
	switch n.Kind {
	case delivery.NoticeDone:
		l := templates.Letter{Title: fmt.Sprintf("Mailing %d is done, %d sent", n.Mailing, r.Sent), Rows: a.reportRows(r), Commands: report}
		if r.Failed > 0 {
			l.Lead = fmt.Sprintf("%d emails were refused for good. The replies of the servers are below, by domain.", r.Failed)
		}
		return l
	case delivery.NoticeStuck:
		return templates.Letter{
			Title: fmt.Sprintf("Mailing %d is stuck, %d emails wait", n.Mailing, r.Waiting+r.Claimed+r.Uncertain), Rows: a.reportRows(r), Commands: append(report, "dibao mail doctor"),
			Lead: "Some of its emails were first tried over six hours ago and have not been delivered. dibao tries them for two days; nothing is lost until then.",
		}
	case delivery.NoticePolicy:
		return templates.Letter{
			Title: fmt.Sprintf("%s refuses our mail", n.Domain), Commands: []string{"dibao mail doctor", "dibao issue report"},
			Lead: fmt.Sprintf("%s refused three messages in a row because of its policy. Its mail waits for four hours; then dibao tries again. No reader was suppressed.", n.Domain),
		}
	}
	switch n.Kind {
	case delivery.NoticeRefused:
		return templates.Letter{
			Title: fmt.Sprintf("%s refuses our mail before we name a recipient", n.Domain), Commands: []string{"dibao mail doctor", "dibao issue send"},
			Lead: fmt.Sprintf("It answered: %s. This is about us: our login, our sender or our host. Nothing more is sent there, no delivery fails and no reader is suppressed. "+
				"dibao tries again with one message, at least once an hour; after you correct the cause, \"dibao issue send\" tries at once.", n.Text),
		}
	case delivery.NoticePending:
		if n.Domain == "" {
			return templates.Letter{
				Title:    fmt.Sprintf("Many readers would be suppressed by mailing %d", n.Mailing),
				Commands: []string{"dibao bounce list --pending", "dibao bounce apply"},
				Lead: fmt.Sprintf("More than ten of them, and more than 5 %% of all, or half of a small mailing, would be suppressed at once, at many domains. That is usually a fault of ours. "+
					"None is suppressed: you decide. The last answer was: %s", n.Text),
			}
		}
		return templates.Letter{
			Title:    fmt.Sprintf("Many readers at %s would be suppressed by mailing %d", n.Domain, n.Mailing),
			Commands: []string{"dibao bounce list --pending --domain " + n.Domain, "dibao bounce apply --domain " + n.Domain},
			Lead: fmt.Sprintf("More than three of them, and more than 2 %% of the readers there, would be suppressed at once. That is usually a fault of ours or of the domain. "+
				"None is suppressed: you decide. The last answer was: %s", n.Text),
		}
	}
	return templates.Letter{
		Title: fmt.Sprintf("A message of mailing %d can't be delivered", n.Mailing), Commands: report,
		Lead: fmt.Sprintf("%s answered: %s", n.Domain, n.Text),
	}
}

// reportRows are the figures of a mailing, without those that are nothing.
func (a *app) reportRows(r delivery.MailingReport) []templates.LetterRow {
	rows := []templates.LetterRow{{Name: "Due", Value: shortTime(r.DueAt, a.config.Schedule.Zone)}}
	if r.DoneAt != nil {
		rows = append(rows, templates.LetterRow{Name: "Done", Value: shortTime(*r.DoneAt, a.config.Schedule.Zone)})
	}
	rows = append(rows, templates.LetterRow{Name: "Sent", Value: strconv.Itoa(r.Sent)})
	for _, x := range []struct {
		name string
		n    int
	}{{"Waiting", r.Waiting + r.Claimed}, {"Uncertain", r.Uncertain}, {"Failed", r.Failed}, {"Suppressed", r.Suppressed}} {
		if x.n > 0 {
			rows = append(rows, templates.LetterRow{Name: x.name, Value: strconv.Itoa(x.n)})
		}
	}
	return rows
}

// maxDomainRows bounds the domains that an email to the admin names.
const maxDomainRows = 8

// domainRows names the domains that did not take all of a mailing.
func domainRows(domains []delivery.DomainReport) (rows []templates.LetterRow) {
	for _, d := range domains {
		if d.Failed+d.Waiting+d.Uncertain == 0 || len(rows) == maxDomainRows {
			continue
		}
		value := fmt.Sprintf("%d sent, %d waiting, %d failed", d.Sent, d.Waiting+d.Uncertain, d.Failed)
		if d.Reply != nil {
			value += ": " + cli.Clip(*d.Reply, 160)
		}
		rows = append(rows, templates.LetterRow{Name: d.Domain, Value: value})
	}
	return rows
}

// remindHeld reminds the admin, once a day, of held issues: in the log, and by
// email if that is set up.
func (a *app) remindHeld(ctx context.Context) error {
	held, err := a.digest.RemindHeld(ctx)
	if err != nil || a.config.Mail.Host == "" || a.config.Mail.Admin == "" {
		return err
	}
	for _, i := range held {
		letter := templates.Letter{
			Title: fmt.Sprintf("No. %d of %s waits for you", i.Number, i.List.Slug),
			Lead:  "The list holds its issues: this one goes out when you send it. dibao reminds you once a day.",
			Rows: []templates.LetterRow{
				{Name: "List", Value: i.List.Title}, {Name: "Due", Value: shortTime(i.DueAt, a.config.Schedule.Zone)}, {Name: "Articles", Value: strconv.Itoa(i.Count)},
			},
			Commands: []string{
				fmt.Sprintf("dibao issue preview %s --number %d", i.List.Slug, i.Number), "dibao issue send " + i.List.Slug,
				fmt.Sprintf("dibao issue drop %s %d", i.List.Slug, i.Number),
			},
		}
		if err := a.writeAdmin(ctx, letter); err != nil {
			a.log.Error("admin not told", "list", i.List.Slug, "issue", i.Number, "err", err)
		}
	}
	return nil
}
