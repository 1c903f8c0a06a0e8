package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"dibao/cmd/dibao/doctor"
	"dibao/cmd/dibao/status"
	"dibao/digest/channel"
	"dibao/digest/delivery"
)

// mailDeliverer returns the deliverer. It returns nil without an error if no mail
// server is configured but there are channels to send to.
func (a *app) mailDeliverer(ctx context.Context) (*delivery.Deliverer, error) {
	d, err := a.deliverer()
	if err == nil || a.config.Mail.Host != "" || a.config.Mail.Direct {
		return d, err
	}
	all, listErr := a.digest.Channels.Channels(ctx, 0)
	if listErr == nil && len(all) > 0 {
		return nil, nil
	}
	return nil, errors.Join(err, listErr)
}

// warnOfAddress says that readers can't open the links in emails, if that is certain.
func (a *app) warnOfAddress(g *globals, cmd *cobra.Command) {
	if text := doctor.LocalAddress(a.config.Server.BaseURL); text != "" {
		g.say(cmd, "%s", text)
	}
}

// sayNoEmails prints why a mailing has no emails, if it has none and the reason is known.
func sayNoEmails(g *globals, cmd *cobra.Command, r delivery.MailingReport) {
	if why := status.NoEmails(r); why != "" {
		g.say(cmd, "mailing %d has no emails: %s", r.Mailing, why)
	}
}

// sayWhyNothing says why nothing was sent and nothing waits: the newest mailing has no
// emails, or none is left to send.
func (a *app) sayWhyNothing(g *globals, cmd *cobra.Command) error {
	newest, err := a.digest.Report(cmd.Context(), 1)
	if err != nil {
		return err
	}
	if len(newest) == 0 {
		g.say(cmd, "there is no mailing yet; compose an issue with: dibao issue compose")
		return nil
	}
	if why := status.NoEmails(newest[0]); why != "" {
		g.say(cmd, "mailing %d, the newest, has no emails: %s", newest[0].Mailing, why)
		return nil
	}
	g.say(cmd, "all emails of mailing %d, the newest, are done; see: dibao issue report", newest[0].Mailing)
	return nil
}

// sendNow sends the mail that is due to readers and channels, and prints the results.
func (a *app) sendNow(g *globals, cmd *cobra.Command) error {
	d, err := a.mailDeliverer(cmd.Context())
	if err != nil {
		return err
	}
	leave, err := a.joinSenders(g, cmd)
	if err != nil {
		return err
	}
	var posted channel.Sent
	var postErr error
	ended := make(chan struct{})
	go func() { // emails and channels don't wait for each other
		defer close(ended)
		posted, postErr = a.channels().Run(cmd.Context())
	}()
	var done delivery.Delivered
	if d != nil {
		stopShowing := a.showSending(g, cmd)
		done, err = d.Deliver(cmd.Context())
		stopShowing()
	}
	<-ended
	leave()
	waiting, countErr := a.digest.Waiting(context.WithoutCancel(cmd.Context()))
	if err = errors.Join(err, postErr, countErr); g.json {
		view := viewDelivered(done)
		view["waiting"] = waiting
		view["channels_sent"], view["channels_deferred"], view["channels_failed"], view["channels_uncertain"] = posted.Sent, posted.Deferred, posted.Failed, posted.Uncertain
		if err := writeJSON(cmd.OutOrStdout(), view); err != nil {
			return err
		}
	} else {
		g.print(cmd, "sent %d, deferred %d, uncertain %d, failed %d, suppressed %d, waiting %d",
			done.Sent, done.Deferred, done.Uncertain, done.Failed, done.Suppressed, waiting)
		if posted != (channel.Sent{}) {
			g.print(cmd, "channels: sent %d, deferred %d, uncertain %d, failed %d", posted.Sent, posted.Deferred, posted.Uncertain, posted.Failed)
		}
		if err == nil && done == (delivery.Delivered{}) && waiting == 0 && posted == (channel.Sent{}) {
			err = a.sayWhyNothing(g, cmd)
		}
	}
	switch {
	case cmd.Context().Err() != nil:
		return &partialError{Err: errors.New("stopped; to send the rest, run: dibao issue send")}
	case err != nil:
		return err
	case done.Refused != "":
		return &partialError{Err: fmt.Errorf("%s; all messages wait, and no reader is suppressed; see: dibao mail doctor", done.Refused)}
	case done.Failed > 0:
		return &partialError{Err: fmt.Errorf("%d deliveries were refused permanently; see: dibao issue report", done.Failed)}
	case posted.Failed+posted.Uncertain > 0:
		return &partialError{Err: fmt.Errorf("%d channels did not accept the issue; see: dibao list channel list", posted.Failed+posted.Uncertain)}
	}
	return nil
}
