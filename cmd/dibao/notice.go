package main

import (
	"context"
	"fmt"
	"os"
	"time"

	"dibao/cmd/dibao/cli"
	"dibao/cmd/dibao/notice"
	"dibao/cmd/dibao/status"
	"dibao/digest/channel"
	"dibao/digest/delivery"
	"dibao/templates"
)

// notifyAdmin mails a notice to the admin. A failure is only logged: the
// deliveries are more important.
func (a *app) notifyAdmin(ctx context.Context, n delivery.Notice) {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	letter := notice.Letter(n, a.config.Schedule.Zone)
	if n.Kind == delivery.NoticeDone || n.Kind == delivery.NoticeStuck {
		domains, err := a.digest.Domains(ctx, n.Mailing)
		if err != nil {
			a.log.Error("domains of a mailing not read", "mailing_id", n.Mailing, "err", err)
		}
		letter.Rows = append(letter.Rows, notice.DomainRows(domains)...)
	}
	if err := a.writeAdmin(ctx, letter, n.Mailing); err != nil {
		a.log.Error("admin not notified", "kind", string(n.Kind), "mailing_id", n.Mailing, "err", err)
	}
}

// notifyChannel mails the admin about an issue that a channel did not get.
func (a *app) notifyChannel(ctx context.Context, x channel.Trouble) {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	if err := a.writeAdmin(ctx, notice.Channel(x), x.Mailing); err != nil {
		a.log.Error("admin not notified", "channel", x.Channel, "mailing_id", x.Mailing, "err", err)
	}
}

// writeAdmin mails a letter to the admin, in the language of the node. Its title names the
// issues of the mailing that it is about, if any.
func (a *app) writeAdmin(ctx context.Context, letter templates.Letter, mailing int64) error {
	letter.SiteName = a.config.Server.Name
	letter.Remarks = append(letter.Remarks, fmt.Sprintf("You get this email because your address is \"admin\" in [mail] of the configuration of %s.", a.config.Server.BaseURL))
	letter = notice.In(letter, cli.WantsChinese(os.Getenv))
	if issues, err := a.digest.IssuesOfMailing(ctx, mailing); err != nil {
		a.log.Error("issues of a mailing not read", "mailing_id", mailing, "err", err)
	} else if names := status.IssueNames(issues, letter.Language); names != "" {
		letter.Title += " · " + names
	}
	m, err := letter.Mail()
	if err != nil {
		return err
	}
	subject := letter.SiteName + ": " + letter.Title
	if letter.Language == "zh" {
		subject = letter.SiteName + "：" + letter.Title
	}
	return a.mailer().Send(ctx, a.config.Mail.Admin, subject, m.Text, m.HTML)
}

// remindHeld reminds the admin, once a day, of held issues: in the log, and by
// email if that is set up.
func (a *app) remindHeld(ctx context.Context) error {
	held, err := a.digest.RemindHeld(ctx)
	if err != nil || a.config.Mail.Host == "" || a.config.Mail.Admin == "" {
		return err
	}
	for _, i := range held {
		if err := a.writeAdmin(ctx, notice.Held(i, a.config.Schedule.Zone), 0); err != nil {
			a.log.Error("admin not notified", "list", i.List.Slug, "issue", i.Number, "err", err)
		}
	}
	return nil
}
