package main

import (
	"fmt"

	"dibao/cmd/dibao/mailer"
	"dibao/digest/delivery"
	"dibao/internal/budget"
	"dibao/internal/nodes"
)

// envelopeFrom returns the envelope sender of mailings, for an email that does not belong
// to one.
func (a *app) envelopeFrom(from string) string {
	return a.digest.EnvelopeFrom(from, a.subscribers.Keys().BounceToken(0))
}

// newDeliverer returns a deliverer that sends through the configured servers.
func (a *app) newDeliverer() (*delivery.Deliverer, error) {
	m := a.config.Mail
	if m.Host == "" && !m.Direct {
		return nil, fmt.Errorf("no mail server is set; set host in [mail] of the configuration")
	}
	if m.From == "" {
		return nil, fmt.Errorf("no sender is set; set from in [mail], such as 邸报 <dibao@example.org>")
	}
	signer, err := mailer.Signer(a.config)
	if err != nil {
		return nil, err
	}
	budget.CollectLess()
	keys := a.subscribers.Keys()
	servers := mailer.Servers(a.config)
	opts := delivery.Options{
		Server: servers[0], Fallbacks: servers[1:], Connections: m.Connections, PerMinute: m.Rate, DKIM: signer, Probe: a.probe, Node: a.member.ID(),
		Share: func() nodes.Share { return a.member.Share(nodes.Deliver) }, BounceToken: keys.BounceToken, MessageKey: keys.MessageIDKey(), Limits: make(map[string]delivery.Limit),
	}
	if mailer.Direct(a.config) {
		opts.Direct = mailer.Router()
		for domain, l := range delivery.StandardLimits {
			opts.Limits[domain] = l
		}
	}
	for domain, l := range m.Limits {
		opts.Limits[domain] = delivery.Limit(l)
	}
	return a.digest.NewDeliverer(opts)
}
