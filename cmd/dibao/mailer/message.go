package mailer

import (
	"context"
	"fmt"
	netmail "net/mail"
	"strings"
	"time"

	"dibao/internal/config"
	"dibao/internal/fetch"
	"dibao/internal/mail"
	"dibao/subscribers"
	"dibao/subscribers/mailaddr"
	"dibao/subscribers/tokens"
	"dibao/templates"
)

// Mailer sends messages that do not belong to a mailing.
type Mailer struct {
	Config config.Config
	Keys   *tokens.Keys
}

// Router finds the servers of domains.
func Router() *mail.Router { return &mail.Router{Check: fetch.CheckAddr} }

// dial connects to the server for an address.
func (m *Mailer) dial(ctx context.Context, address string) (*mail.Conn, error) {
	return m.DialWith(ctx, Servers(m.Config)[0], address)
}

// DialWith connects to server or, with direct delivery, to the server of the address.
func (m *Mailer) DialWith(ctx context.Context, server mail.Options, address string) (*mail.Conn, error) {
	if !Direct(m.Config) {
		conn, err := mail.Dial(ctx, server)
		if err != nil {
			return nil, fmt.Errorf("mail server %s: %w", server.Addr, err)
		}
		return conn, nil
	}
	return Router().Dial(ctx, address[strings.LastIndexByte(address, '@')+1:], server)
}

// Confirm sends a confirmation email: the opt-in of one reader, the question to
// a mailbox about a change of address, or a link that a reader asked for.
func (m *Mailer) Confirm(ctx context.Context, c subscribers.Confirmation) error {
	switch c.Kind {
	case subscribers.KindOptIn:
	case subscribers.KindChangeOld, subscribers.KindChangeNew:
		return m.sendChange(ctx, c)
	default:
		return m.sendLink(ctx, c)
	}
	titles := make([]string, len(c.Lists))
	for i, l := range c.Lists {
		titles[i] = l.Title
	}
	view := templates.Confirmation{
		Language: c.Language, SiteName: m.Config.Server.Name, Lists: titles, Days: tokens.ConfirmDays,
		ConfirmURL: m.Config.Server.BaseURL + "/confirm/" + c.Token,
	}
	text, err := view.Mail()
	if err != nil {
		return err
	}
	return m.Send(ctx, c.Address, view.Subject(), text.Text, text.HTML)
}

func (m *Mailer) sendChange(ctx context.Context, c subscribers.Confirmation) error {
	view := templates.AddressChange{
		Language: c.Language, SiteName: m.Config.Server.Name, Old: c.Kind == subscribers.KindChangeOld, NewAddress: mailaddr.Readable(c.NewAddress),
		Hours: subscribers.AskHours, ConfirmURL: m.Config.Server.BaseURL + "/change/" + c.Token,
	}
	text, err := view.Mail()
	if err != nil {
		return err
	}
	return m.Send(ctx, c.Address, view.Subject(), text.Text, text.HTML)
}

// sendLink sends the link that a reader asked for.
func (m *Mailer) sendLink(ctx context.Context, c subscribers.Confirmation) error {
	view := templates.ReaderLink{Language: c.Language, SiteName: m.Config.Server.Name, Key: string(c.Kind), Hours: subscribers.AskHours}
	path := "/" + string(c.Kind) + "/"
	if c.Kind == subscribers.KindLink {
		path, view.Hours = "/preferences/", 0
	}
	view.URL = m.Config.Server.BaseURL + path + c.Token
	text, err := view.Mail()
	if err != nil {
		return err
	}
	return m.Send(ctx, c.Address, view.Subject(), text.Text, text.HTML)
}

// Send sends one message.
func (m *Mailer) Send(ctx context.Context, address, subject, text, html string) error {
	body, from, err := m.message(address, subject, text, html)
	if err != nil {
		return err
	}
	conn, err := m.dial(ctx, address)
	if err != nil {
		return err
	}
	defer conn.Close()
	_, err = conn.Send(ctx, mail.Envelope{From: from, To: address, Body: body}, func() error { return nil })
	return err
}

// message builds a signed message from the node's own address.
func (m *Mailer) message(address, subject, text, html string) (body []byte, from string, err error) {
	sender, err := Sender(m.Config)
	if err != nil {
		return nil, "", err
	}
	signer, err := Signer(m.Config)
	if err != nil {
		return nil, "", err
	}
	prepared, err := mail.Prepare(mail.Message{
		From: sender, Subject: subject, Date: time.Now(), Text: text, HTML: html, DKIM: signer,
		Headers: []mail.Header{{Name: "Auto-Submitted", Value: "auto-generated"}},
	})
	if err != nil {
		return nil, "", err
	}
	domain := sender.Address[strings.LastIndexByte(sender.Address, '@')+1:]
	id := mail.MessageID(m.Keys.MessageIDKey(), -time.Now().UnixNano(), 0, domain)
	body, err = prepared.Append(nil, mail.Personal{To: netmail.Address{Address: address}, MessageID: id})
	return body, sender.Address, err
}
