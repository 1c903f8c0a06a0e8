// Package certificates shares certificates from an ACME authority among the
// nodes of one PostgreSQL database, so that they order each certificate once,
// and each node can prove for another that a name is ours (RFC 8737), whichever
// node the authority asks.
//
// Private keys are in the database, like the keys that sign tokens. Backups
// leave them out.
package certificates

import (
	"context"
	"crypto/x509"
	"database/sql"
	"encoding/pem"
	"errors"
	"strings"
	"sync"
	"time"

	"golang.org/x/crypto/acme/autocert"

	"dibao/internal/database"
	"dibao/internal/web"
)

// orderFor is the time that a node has for an order before another node tries. autocert
// retries a failed order after the same time.
const orderFor = time.Minute

// Cache returns a cache of certificates for a node: for SQLite, with its single node, in
// the folder dir.
func Cache(db *database.DB, node, dir string) autocert.Cache {
	if db.Dialect() == database.SQLite {
		return autocert.DirCache(dir)
	}
	return &store{db: db, node: node, had: make(map[string]string)}
}

// store is a cache in the database.
type store struct {
	db   *database.DB
	node string // ID of this node

	mu  sync.Mutex
	had map[string]string // certificates by name that this node got or stored before
}

// renewedEvery is how often a waiting node checks whether another one has renewed a
// certificate.
const renewedEvery = time.Second

// Get returns the data of a name. If several nodes ask for a certificate that
// does not exist or has expired, one of them is selected to order it, and the others get
// web.ErrOrdering until it exists.
//
// autocert requests a certificate that it already has only in order to renew it. One node
// is selected for that, too; the others wait for the new certificate, and one of them takes
// over if the node does not succeed within orderFor.
func (s *store) Get(ctx context.Context, name string) (content []byte, err error) {
	for {
		s.mu.Lock()
		had := s.had[name]
		s.mu.Unlock()
		text, isOurs, err := s.get(ctx, name, had)
		switch {
		case err != nil:
			return nil, err
		case text == "":
			return nil, autocert.ErrCacheMiss
		case text != had || isOurs:
			s.note(name, text)
			return []byte(text), nil
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(renewedEvery):
		}
	}
}

// get returns the data stored under a name, "" if there is none, and whether this node must
// order a certificate to replace it; had is the data that the node already has.
func (s *store) get(ctx context.Context, name, had string) (text string, isOurs bool, err error) {
	err = s.db.Write(ctx, func(tx *sql.Tx) error { // not from a replica, which may be out of date
		text, isOurs = "", false
		var stored string
		err := tx.QueryRowContext(ctx, `SELECT content FROM node_certificates WHERE name = $1`, name).Scan(&stored)
		if err != nil && !errors.Is(err, sql.ErrNoRows) {
			return err
		}
		isUsable := stored != "" && (!isCertificate(name) || isValid([]byte(stored), time.Now()))
		if isUsable {
			text = stored
		}
		if !isCertificate(name) || isUsable && stored != had {
			return nil
		}
		var ours string
		err = tx.QueryRowContext(ctx, `
			INSERT INTO node_certificates (name, content, node, free_at) VALUES ($1, '', $2, clock_timestamp() + make_interval(secs => $3))
			ON CONFLICT (name) DO UPDATE SET node = excluded.node, free_at = excluded.free_at
			WHERE node_certificates.content = $4 AND node_certificates.free_at <= clock_timestamp() RETURNING name`,
			name, s.node, orderFor.Seconds(), stored).Scan(&ours)
		if isOurs = err == nil; isOurs || !errors.Is(err, sql.ErrNoRows) {
			return err
		}
		if !isUsable {
			return web.ErrOrdering
		}
		return nil
	})
	return text, isOurs, err
}

// note records which certificate this node has.
func (s *store) note(name, text string) {
	if !isCertificate(name) {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.had[name] = text
}

// isCertificate reports whether a name is that of a certificate, and not of a proof or
// account, by the names that autocert uses.
func isCertificate(name string) bool {
	return !strings.HasSuffix(name, "+token") && !strings.HasPrefix(name, "acme_account")
}

// isValid reports whether a stored certificate can still be used: autocert orders a new one
// if it has expired.
func isValid(content []byte, now time.Time) bool {
	for {
		var block *pem.Block
		if block, content = pem.Decode(content); block == nil {
			return false
		}
		if block.Type == "CERTIFICATE" { // the first certificate is that of the name
			leaf, err := x509.ParseCertificate(block.Bytes)
			return err == nil && !now.After(leaf.NotAfter)
		}
	}
}

// Put stores data under a name.
func (s *store) Put(ctx context.Context, name string, content []byte) error {
	err := s.db.Write(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `
			INSERT INTO node_certificates (name, content, node, free_at) VALUES ($1, $2, $3, clock_timestamp())
			ON CONFLICT (name) DO UPDATE SET content = excluded.content, node = excluded.node, free_at = excluded.free_at`,
			name, string(content), s.node)
		return err
	})
	if err == nil {
		s.note(name, string(content))
	}
	return err
}

// Delete removes the data under a name.
func (s *store) Delete(ctx context.Context, name string) error {
	return s.db.Write(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `DELETE FROM node_certificates WHERE name = $1`, name)
		return err
	})
}
