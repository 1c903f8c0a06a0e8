package bench

import (
	"context"
	"crypto"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"database/sql"
	"encoding/pem"
	"fmt"
	netmail "net/mail"
	"net/smtp"
	"net/textproto"
	"strings"
	"sync"
	"time"

	"github.com/jordan-wright/email"

	"dibao/digest"
	"dibao/digest/delivery"
	"dibao/feed"
	"dibao/internal/budget"
	"dibao/internal/mail"
	"dibao/policy"
	"dibao/subscribers"
)

// DeliverFigures are the costs of delivering.
type DeliverFigures struct {
	Messages     int     `json:"messages"`
	Wall         float64 `json:"wall_s"`
	CPU          float64 `json:"cpu_s"`
	PerMessage   float64 `json:"cpu_ms_per_message"`
	Compose      float64 `json:"compose_cpu_s"`
	PeakRSS      float64 `json:"peak_rss_mb"`
	BaselineRaw  float64 `json:"baseline_raw_ms"`
	BaselinePool float64 `json:"baseline_pool_ms"`
	BaselineSign float64 `json:"baseline_sign_ms"`
	MessageKB    float64 `json:"message_kb"` // size as sent, encoded
}

// Delivery is one run of the benchmark of delivering.
type Delivery struct {
	Recipients  int
	BodyKB      int    // approximate size of the text and HTML of an email, before it is encoded
	Connections int    // connections to the mail server
	DKIM        string // none, rsa or ed25519
	SMTP        string // HOST:PORT of another mail server; "" means one of its own

	preview digest.Mail // the email that is sent
}

// Run delivers a mailing through the ledger, and through the baselines: the
// bare transport, a pool and the bare signature.
func (b *Delivery) Run(ctx context.Context, open Open) (out DeliverFigures, err error) {
	addr := b.SMTP
	if addr == "" {
		var stop func()
		if addr, stop, err = startHelper(ctx, "smtp"); err != nil {
			return out, err
		}
		defer stop()
	}
	a, closeApp, err := open(ctx, map[string]string{"DIBAO_MAIL_FROM": "邸报 <dibao@bench.example>", "DIBAO_MAIL_BOUNCE_DOMAIN": "bounces.bench.example"})
	if err != nil {
		return out, err
	}
	defer closeApp()
	signer, sign, err := newSigner(b.DKIM)
	if err != nil {
		return out, err
	}
	list, err := b.fill(ctx, a)
	if err != nil {
		return out, err
	}
	var made digest.Composed
	if out.Compose, _, err = measure(func() error {
		made, err = a.Digest.ComposeNow(ctx, []subscribers.List{list})
		return err
	}); err != nil {
		return out, err
	}
	if made.Deliveries != b.Recipients {
		return out, fmt.Errorf("%d deliveries were composed, not %d; is the database empty?", made.Deliveries, b.Recipients)
	}
	budget.CollectLess()
	server := mail.Options{Addr: addr, TLS: mail.TLSNone}
	keys := a.Subscribers.Keys()
	d, err := a.Digest.NewDeliverer(delivery.Options{
		Server: server, Connections: b.Connections, DKIM: signer, BounceToken: keys.BounceToken, MessageKey: keys.MessageIDKey(),
	})
	if err != nil {
		return out, err
	}
	baseline := baselines{server: server, connections: b.Connections, messages: min(max(b.Recipients/2, 1), 10_000), content: b.preview}
	if baseline.mail, err = a.Digest.SampleMail(ctx, made.Mailing); err != nil {
		return out, err
	}
	out.MessageKB = float64(len(baseline.mail.Raw)) / 1024
	// The baselines run before and after the delivery, so that a machine that becomes
	// busier does not favor one of them.
	rawBefore, err := baseline.raw(ctx)
	if err != nil {
		return out, err
	}
	var done delivery.Delivered
	if out.CPU, out.Wall, err = measure(func() error {
		done, err = d.Deliver(ctx)
		return err
	}); err != nil {
		return out, err
	}
	out.PeakRSS = peakRSS()
	out.Messages = done.Sent
	if done.Sent != b.Recipients {
		return out, fmt.Errorf("%d of %d deliveries were sent: %+v", done.Sent, b.Recipients, done)
	}
	out.PerMessage = out.CPU / float64(done.Sent) * 1000
	rawAfter, err := baseline.raw(ctx)
	if err != nil {
		return out, err
	}
	out.BaselineRaw = (rawBefore + rawAfter) / 2
	if out.BaselinePool, err = baseline.pool(); err != nil {
		return out, err
	}
	out.BaselineSign, err = baseline.sign(sign)
	return out, err
}

// fill stores a list, articles for an email of about the given size, and readers.
func (b *Delivery) fill(ctx context.Context, a *Node) (subscribers.List, error) {
	list, err := a.Subscribers.CreateList(ctx, subscribers.List{Slug: "bench", Title: "样例周报", MaxItems: 200})
	if err != nil {
		return list, err
	}
	source, err := a.Articles.AddSource(ctx, feed.Source{URL: "http://bench.example/", Kind: "feed", Name: "样例源"})
	if err != nil {
		return list, err
	}
	size, articles := 0, int64(0)
	for size < b.BodyKB<<10 && articles < int64(list.MaxItems) {
		if err := storeArticle(ctx, a, source.ID, articles); err != nil {
			return list, err
		}
		articles++
		if b.preview, err = a.Digest.PreviewMail(ctx, list); err != nil {
			return list, err
		}
		size = len(b.preview.HTML) + len(b.preview.Text)
	}
	return list, storeReaders(ctx, a, list, b.Recipients)
}

// storeArticle stores an invented notice.
func storeArticle(ctx context.Context, a *Node, source, n int64) error {
	now := time.Now().UTC().Truncate(time.Microsecond)
	title := fmt.Sprintf("样例市人民政府关于第%d件事项的通知", n)
	facts := fmt.Sprintf(`{"title":%q,"kind":%q,"published_on":%q}`, title, policy.KindDocument, now.Format(time.DateOnly))
	summary := strings.Repeat("各部门要明确责任分工，完善工作机制，确保各项措施落到实处。", 3)
	return a.DB.Write(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `
			INSERT INTO articles (source, guid, url, title, summary, kind, facts, page_state, collected_at, updated_at)
			VALUES ($1, $2, $3, $4, $5, $6, $7, 'complete', $8, $8)`,
			source, fmt.Sprint(n), fmt.Sprintf("http://bench.example/%d.html", n), title, summary, string(policy.KindDocument), facts, now)
		return err
	})
}

// storeReaders stores readers who confirmed the list, without the emails and
// proofs of consent that real ones have.
func storeReaders(ctx context.Context, a *Node, list subscribers.List, n int) error {
	now := time.Now().UTC().Truncate(time.Microsecond)
	const page = 10_000
	for from := 0; from < n; from += page {
		err := a.DB.Write(ctx, func(tx *sql.Tx) error {
			one, err := tx.PrepareContext(ctx, `INSERT INTO subscribers (address, address_key, language, created_at) VALUES ($1, $1, 'zh', $2) RETURNING id`)
			if err != nil {
				return err
			}
			defer one.Close()
			to, err := tx.PrepareContext(ctx, `INSERT INTO subscriptions (subscriber, list, state, created_at, confirmed_at) VALUES ($1, $2, 'confirmed', $3, $3)`)
			if err != nil {
				return err
			}
			defer to.Close()
			for i := from; i < min(n, from+page); i++ {
				var id int64
				if err := one.QueryRowContext(ctx, fmt.Sprintf("reader%d@test.example", i), now).Scan(&id); err != nil {
					return err
				}
				if _, err := to.ExecContext(ctx, id, list.ID, now); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return fmt.Errorf("store readers: %w", err)
		}
	}
	return nil
}

// newSigner creates a key and returns its signer and the bare signing operation; both are
// nil for none.
func newSigner(kind string) (*mail.Signer, func(digest []byte) error, error) {
	var key crypto.Signer
	var opts crypto.SignerOpts
	var err error
	switch kind {
	case "none":
		return nil, nil, nil
	case "rsa":
		key, err = rsa.GenerateKey(rand.Reader, 2048)
		opts = crypto.SHA256
	case "ed25519":
		_, key, err = ed25519.GenerateKey(rand.Reader)
		opts = crypto.Hash(0)
	}
	if err != nil {
		return nil, nil, err
	}
	block, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, nil, err
	}
	signer, err := mail.NewSigner("bench.example", "bench", pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: block}))
	return signer, func(digest []byte) error {
		_, err := key.Sign(rand.Reader, digest, opts)
		return err
	}, err
}

// baselines sends the same message without the work that dibao adds.
type baselines struct {
	server      mail.Options
	connections int
	messages    int
	mail        digest.Sample
	content     digest.Mail
}

// raw sends the encoded bytes through the same transport, and returns the CPU time per
// message in ms.
func (b *baselines) raw(ctx context.Context) (float64, error) {
	return b.each(func(work <-chan int) error {
		conn, err := mail.Dial(ctx, b.server)
		if err != nil {
			return err
		}
		defer conn.Close()
		pieces := [][]byte{b.mail.Raw}
		for n := range work {
			e := mail.Envelope{From: b.mail.From, To: fmt.Sprintf("reader%d@test.example", n), Pieces: pieces}
			if _, err := conn.Send(ctx, e, func() error { return nil }); err != nil {
				return err
			}
		}
		return nil
	})
}

// pool sends with jordan-wright/email's pool, which builds each message.
func (b *baselines) pool() (float64, error) {
	messages := b.messages
	defer func() { b.messages = messages }()
	b.messages = min(messages, 2000) // it is slow
	p, err := email.NewPool(b.server.Addr, b.connections, noAuth{})
	if err != nil {
		return 0, err
	}
	defer p.Close()
	return b.each(func(work <-chan int) error {
		for n := range work {
			e := &email.Email{
				From: (&netmail.Address{Name: "邸报", Address: b.mail.From}).String(), To: []string{fmt.Sprintf("reader%d@test.example", n)},
				Subject: b.content.Subject, Text: []byte(b.content.Text), HTML: []byte(b.content.HTML), Headers: textproto.MIMEHeader{},
			}
			if err := p.Send(e, time.Minute); err != nil {
				return err
			}
		}
		return nil
	})
}

// noAuth lets the pool work with a server that requires no password.
type noAuth struct{}

func (noAuth) Start(*smtp.ServerInfo) (string, []byte, error) { return "", nil, nil }
func (noAuth) Next([]byte, bool) ([]byte, error)              { return nil, nil }

// each runs f on every connection until all messages are processed.
func (b *baselines) each(f func(work <-chan int) error) (float64, error) {
	cpu, _, err := measure(func() error {
		work := make(chan int)
		errs := make(chan error, b.connections)
		var all sync.WaitGroup
		for range b.connections {
			all.Go(func() {
				err := f(work)
				errs <- err
				for range work { // so that the goroutine that distributes the work is not blocked
				}
			})
		}
		for n := range b.messages {
			work <- n
		}
		close(work)
		all.Wait()
		for range b.connections {
			if err := <-errs; err != nil {
				return fmt.Errorf("baseline: %w", err)
			}
		}
		return nil
	})
	return cpu / float64(b.messages) * 1000, err
}

// sign signs a hash repeatedly with the bare operation, and returns the CPU time of each
// signature in ms.
func (b *baselines) sign(f func([]byte) error) (float64, error) {
	if f == nil {
		return 0, nil
	}
	sum := sha256.Sum256(b.mail.Raw)
	const n = 1000
	cpu, _, err := measure(func() error {
		for range n {
			if err := f(sum[:]); err != nil {
				return err
			}
		}
		return nil
	})
	return cpu / n * 1000, err
}
