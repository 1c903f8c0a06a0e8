package delivery

// BouncePrefix begins the local part of an envelope sender; the token of the delivery follows.
const BouncePrefix = "b+"

// EnvelopeFrom returns the envelope sender of an email: an address that identifies the email
// that a report is about (VERP), or the sender's own if no domain receives such mail.
func (s *Service) EnvelopeFrom(from, token string) string {
	if s.opts.BounceDomain == "" {
		return from
	}
	return BouncePrefix + token + "@" + s.opts.BounceDomain
}
