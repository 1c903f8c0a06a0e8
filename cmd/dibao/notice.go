package main

import (
	"context"
	"fmt"
	"os"
	"time"

	"dibao/cmd/dibao/cli"
	"dibao/cmd/dibao/notice"
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
	if err := a.writeAdmin(ctx, letter); err != nil {
		a.log.Error("admin not notified", "kind", string(n.Kind), "mailing_id", n.Mailing, "err", err)
	}
}

// notifyChannel mails the admin about an issue that a channel did not get.
func (a *app) notifyChannel(ctx context.Context, x channel.Trouble) {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	if err := a.writeAdmin(ctx, notice.Channel(x)); err != nil {
		a.log.Error("admin not notified", "channel", x.Channel, "mailing_id", x.Mailing, "err", err)
	}
}

// writeAdmin mails a letter to the admin, in the language of the node.
func (a *app) writeAdmin(ctx context.Context, letter templates.Letter) error {
	letter.SiteName = siteName
	letter.Remarks = append(letter.Remarks, fmt.Sprintf("You get this email because your address is \"admin\" in [mail] of the configuration of %s.", a.config.Server.BaseURL))
	letter = notice.In(letter, cli.WantsChinese(os.Getenv))
	m, err := letter.Mail()
	if err != nil {
		return err
	}
	return a.mailer().Send(ctx, a.config.Mail.Admin, siteName+": "+letter.Title, m.Text, m.HTML)
}

// remindHeld reminds the admin, once a day, of held issues: in the log, and by
// email if that is set up.
func (a *app) remindHeld(ctx context.Context) error {
	held, err := a.digest.RemindHeld(ctx)
	if err != nil || a.config.Mail.Host == "" || a.config.Mail.Admin == "" {
		return err
	}
	for _, i := range held {
		if err := a.writeAdmin(ctx, notice.Held(i, a.config.Schedule.Zone)); err != nil {
			a.log.Error("admin not notified", "list", i.List.Slug, "issue", i.Number, "err", err)
		}
	}
	return nil
}
