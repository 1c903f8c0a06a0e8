// Package notice writes the emails that the admin gets about mailings, held issues,
// channels and servers that refuse mail.
package notice

import (
	"cmp"
	"fmt"
	"strconv"
	"time"

	"dibao/cmd/dibao/cli"
	"dibao/digest"
	"dibao/digest/channel"
	"dibao/digest/delivery"
	"dibao/internal/plural"
	"dibao/templates"
)

// In translates a letter that was written in English into the language of the admin.
func In(l templates.Letter, isChinese bool) templates.Letter {
	l.Language = "en"
	say, colon := plural.English, ": "
	if isChinese {
		l.Language, say, colon = "zh", cli.Chinese, "："
	}
	l.Title, l.Lead = say(l.Title), say(l.Lead)
	for i, r := range l.Rows {
		if chinese := cli.ChineseHeadings()[r.Name]; isChinese && chinese != "" {
			r.Name = chinese
		}
		value := say(r.Value)
		if r.Quote != "" {
			value += colon + r.Quote
		}
		l.Rows[i] = templates.LetterRow{Name: say(r.Name), Value: value}
	}
	for i, r := range l.Remarks {
		l.Remarks[i] = say(r)
	}
	return l
}

// Letter describes what happened to a mailing or at a server, in English, and which
// commands help. Times are in zone.
func Letter(n delivery.Notice, zone *time.Location) templates.Letter {
	r := n.Report
	report := []string{fmt.Sprintf("dibao issue report %d", n.Mailing)}
	switch n.Kind {
	case delivery.NoticeDone:
		l := templates.Letter{Title: fmt.Sprintf("Mailing %d is done, %d sent", n.Mailing, r.Sent), Rows: reportRows(r, zone), Commands: report}
		if r.SuppressedReaders > 0 {
			l.Remarks = []string{fmt.Sprintf("%d readers get no more mail, because servers refused them; see: dibao bounce list", r.SuppressedReaders)}
		}
		if r.Failed > 0 {
			l.Lead = fmt.Sprintf("%d emails were refused permanently. The replies of the servers are below, by domain.", r.Failed)
		}
		return l
	case delivery.NoticeStuck:
		return templates.Letter{
			Title: fmt.Sprintf("Mailing %d is stuck, %d emails wait", n.Mailing, r.Waiting+r.Claimed+r.Uncertain), Rows: reportRows(r, zone), Commands: append(report, "dibao mail doctor"),
			Lead: "Some of its emails were first tried over six hours ago and have not been delivered. dibao tries them for two days; nothing is lost until then.",
		}
	case delivery.NoticePolicy:
		return templates.Letter{
			Title: fmt.Sprintf("%s refuses our mail by its policy", n.Domain), Commands: []string{"dibao mail doctor", "dibao issue send", fmt.Sprintf("dibao issue resend %d --failed", n.Mailing)},
			Lead: fmt.Sprintf("It refused three messages in a row and answered: %s. These three failed, and its other mail waits for four hours; no reader was suppressed. "+
				"After you correct the cause, \"dibao issue send\" sends what waits at once, and \"dibao issue resend\" what failed.", n.Text),
		}
	}
	switch n.Kind {
	case delivery.NoticeRefused:
		return templates.Letter{
			Title: fmt.Sprintf("%s refuses our mail before we name a recipient", n.Domain), Commands: []string{"dibao mail doctor", "dibao issue send"},
			Lead: fmt.Sprintf("It answered: %s. The cause is on our side: our login, our sender or our host. Nothing more is sent there, no delivery fails and no reader is suppressed. "+
				"dibao tries again with one message, at least once an hour; after you correct the cause, \"dibao issue send\" tries at once.", n.Text),
		}
	case delivery.NoticePending:
		if n.Domain == "" {
			return templates.Letter{
				Title:    fmt.Sprintf("Many readers would be suppressed by mailing %d", n.Mailing),
				Commands: []string{"dibao bounce list --pending", "dibao bounce apply"},
				Lead: fmt.Sprintf("More than ten of them, and more than 5%% of all, or half of a small mailing, would be suppressed at once, at many domains. Usually we are at fault. "+
					"dibao suppresses none of them until you decide. The last reply was: %s", n.Text),
			}
		}
		return templates.Letter{
			Title:    fmt.Sprintf("Many readers at %s would be suppressed by mailing %d", n.Domain, n.Mailing),
			Commands: []string{"dibao bounce list --pending --domain " + n.Domain, "dibao bounce apply --domain " + n.Domain},
			Lead: fmt.Sprintf("More than three of them, and more than 2%% of the readers there, would be suppressed at once. Usually we or the domain are at fault. "+
				"dibao suppresses none of them until you decide. The last reply was: %s", n.Text),
		}
	}
	return templates.Letter{
		Title: fmt.Sprintf("A message of mailing %d can't be delivered", n.Mailing), Commands: report,
		Lead: fmt.Sprintf("%s answered: %s", n.Domain, n.Text),
	}
}

// Channel returns the letter about an issue that a channel did not get, in English.
func Channel(x channel.Trouble) templates.Letter {
	l := templates.Letter{
		Title:    fmt.Sprintf("Channel %d (%s) did not get mailing %d", x.Channel, x.Kind, x.Mailing),
		Lead:     fmt.Sprintf("%s answered: %s", cmp.Or(x.Host, x.Kind), x.Reply),
		Commands: []string{fmt.Sprintf("dibao list channel test %d", x.Channel), fmt.Sprintf("dibao issue resend %d --failed", x.Mailing)},
	}
	switch x.State {
	case "waiting":
		l.Title = fmt.Sprintf("Channel %d (%s) has not accepted mailing %d yet", x.Channel, x.Kind, x.Mailing)
		l.Commands = []string{fmt.Sprintf("dibao list channel test %d", x.Channel), fmt.Sprintf("dibao issue report %d", x.Mailing)}
		l.Remarks = []string{"dibao tries again for a day."}
	case "uncertain":
		l.Title = fmt.Sprintf("Channel %d (%s) may already have received mailing %d", x.Channel, x.Kind, x.Mailing)
		l.Commands = []string{fmt.Sprintf("dibao issue report %d", x.Mailing)}
		l.Remarks = []string{"The service got the message and did not answer. It is not sent again, so that the group does not get it twice."}
	}
	return l
}

// reportRows returns the figures of a mailing that are not 0.
func reportRows(r delivery.MailingReport, zone *time.Location) []templates.LetterRow {
	rows := []templates.LetterRow{{Name: "Due", Value: cli.ShortTime(r.DueAt, zone)}}
	if r.DoneAt != nil {
		rows = append(rows, templates.LetterRow{Name: "Done", Value: cli.ShortTime(*r.DoneAt, zone)})
	}
	rows = append(rows, templates.LetterRow{Name: "Sent", Value: strconv.Itoa(r.Sent)})
	for _, x := range []struct {
		name string
		n    int
	}{{"Waiting", r.Waiting + r.Claimed}, {"Uncertain", r.Uncertain}, {"Failed", r.Failed}, {"Not tried", r.Suppressed}} {
		if x.n > 0 {
			rows = append(rows, templates.LetterRow{Name: x.name, Value: strconv.Itoa(x.n)})
		}
	}
	return rows
}

// maxDomainRows limits the domains that an email to the admin lists.
const maxDomainRows = 8

// DomainRows lists the domains that did not accept all messages of a mailing.
func DomainRows(domains []delivery.DomainReport) (rows []templates.LetterRow) {
	for _, d := range domains {
		if d.Failed+d.Waiting+d.Uncertain == 0 || len(rows) == maxDomainRows {
			continue
		}
		row := templates.LetterRow{Name: d.Domain, Value: fmt.Sprintf("%d sent, %d waiting, %d failed", d.Sent, d.Waiting+d.Uncertain, d.Failed)}
		if d.Reply != nil {
			row.Quote = cli.Clip(*d.Reply, 160)
		}
		rows = append(rows, row)
	}
	return rows
}

// Held returns the letter that reminds the admin of a held issue, in English. Times are
// in zone.
func Held(i digest.Issue, zone *time.Location) templates.Letter {
	return templates.Letter{
		Title: fmt.Sprintf("No. %d of %s waits for you", i.Number, i.List.Title),
		Lead:  "The list holds its issues: this one goes out when you send it. dibao reminds you once a day.",
		Rows: []templates.LetterRow{
			{Name: "List", Value: i.List.Title}, {Name: "Due", Value: cli.ShortTime(i.DueAt, zone)}, {Name: "Articles", Value: strconv.Itoa(i.Count)},
		},
		Commands: []string{
			fmt.Sprintf("dibao issue preview %s --number %d", i.List.Slug, i.Number), "dibao issue send " + i.List.Slug,
			fmt.Sprintf("dibao issue drop %s %d", i.List.Slug, i.Number),
		},
	}
}
