package subscribers

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"net/netip"
	"slices"
	"strings"
	"time"

	"dibao/internal/web"
	"dibao/subscribers/mailaddr"
)

// NewLimiter returns the limit on POSTs: for each network, but none in total, which a few
// clients could use up for everybody.
func NewLimiter(now func() time.Time) *web.Limiter {
	return &web.Limiter{Burst: 10, Every: time.Minute, Now: now}
}

// Proof is what a form contained to show that a person sent it.
type Proof int

// The proofs. They are required only while very many emails are sent.
const (
	ProofNone   Proof = iota
	ProofWaited       // the form was open for a minute
	ProofWorked       // the browser did a computation that takes a second or two
	proofNever        // no proof is enough: all available emails have been sent
)

// limitWindow is the period in which emails are counted.
const limitWindow = time.Hour

// share is the number of emails per hour to addresses whose owner has not answered yet, for
// each proof. Only somebody with thousands of networks who also computes proofs can use up
// the larger ones.
type share struct{ all, domain int }

var shares = []share{ProofNone: {1000, 50}, ProofWaited: {1500, 75}, ProofWorked: {6000, 150}}

// networkConfirmations is the number of emails per hour that one network gets if there are
// no other requests.
const networkConfirmations = 20

// asked contains the numbers of emails in the last hour: in total, for the requesting
// network, for the wider network around it, and to the domain.
type asked struct{ all, own, wide, domain int }

// open reports whether a share has an email left. Networks with the fewest emails come
// first: with every four emails that a network got, the part of the rest that it may use is
// halved, so that many networks together leave at least half to others. A wide network gets
// half at most.
func (s share) open(n asked, large bool) bool {
	halves := (n.own + 3) / 4
	return n.own < networkConfirmations && n.all < s.all>>halves && n.wide < s.all/2 && (large || n.domain < max(networkConfirmations, s.domain>>halves))
}

// ProofNeeded returns the weakest proof with which a network may request an email to an
// address; proofNever if no proof is enough at the moment. The result is the same for all
// addresses of a domain, whether their owners are readers or not. A request of an admin
// comes from no network and needs no proof.
func (s *Store) ProofNeeded(ctx context.Context, network netip.Prefix, address string) (p Proof, err error) {
	err = s.db.Read(ctx, func(tx *sql.Tx) error {
		p, err = s.proofNeeded(ctx, tx, network, address)
		return err
	})
	return p, err
}

func (s *Store) proofNeeded(ctx context.Context, tx *sql.Tx, network netip.Prefix, address string) (Proof, error) {
	if !network.IsValid() {
		return ProofNone, nil
	}
	own, wide := networksOf(network)
	domain := domainOf(address)
	var n asked
	err := tx.QueryRowContext(ctx, `SELECT COUNT(*), COUNT(CASE WHEN network = $2 THEN 1 END), COUNT(CASE WHEN wide = $3 THEN 1 END), COUNT(CASE WHEN domain = $4 THEN 1 END)
		FROM request_mails WHERE at > $1`, s.now().Add(-limitWindow), own, wide, s.domainHash(domain)).Scan(&n.all, &n.own, &n.wide, &n.domain)
	if err != nil {
		return proofNever, err
	}
	large := domain == "" || slices.Contains(mailaddr.Providers, domain)
	for p, s := range shares {
		if s.open(n, large) {
			return Proof(p), nil
		}
	}
	return proofNever, nil
}

// countMail records an email that a network requested.
func (s *Store) countMail(ctx context.Context, tx *sql.Tx, network netip.Prefix, address string, now time.Time) error {
	if !network.IsValid() {
		return nil
	}
	own, wide := networksOf(network)
	_, err := tx.ExecContext(ctx, `INSERT INTO request_mails (at, network, wide, domain) VALUES ($1, $2, $3, $4)`, now, own, wide, s.domainHash(domainOf(address)))
	return err
}

// networksOf returns the network for which emails are counted and the wider one around it:
// /24 and /16 for IPv4, /48 and /32 for IPv6, because customers get a whole /48.
func networksOf(p netip.Prefix) (own, wide string) {
	bits := [2]int{24, 16}
	if p.Addr().Is6() {
		bits = [2]int{48, 32}
	}
	names := [2]string{}
	for i, n := range bits {
		if q, err := p.Addr().Prefix(min(n, p.Bits())); err == nil {
			names[i] = q.String()
		}
	}
	return names[0], names[1]
}

// domainOf returns the domain of a parsed address, "" if there is none.
func domainOf(address string) string {
	_, domain, _ := strings.Cut(mailaddr.Key(address), "@")
	return domain
}

func (s *Store) domainHash(domain string) string {
	m := hmac.New(sha256.New, s.suppression)
	m.Write([]byte("domain " + domain))
	return hex.EncodeToString(m.Sum(nil)[:16])
}
