package main

import (
	"context"
	"crypto"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"dibao/cmd/dibao/flags"
	"dibao/cmd/dibao/mailer"
	"dibao/digest"
	"dibao/internal/mail"
	"dibao/subscribers/mailaddr"
)

func newMail(g *globals) *cobra.Command {
	cmd := &cobra.Command{Use: "mail", Short: "Set up and test outgoing mail"}
	cmd.AddCommand(newMailDoctor(g), newMailKeygen(g), newMailTest(g))
	return cmd
}

func newMailKeygen(g *globals) *cobra.Command {
	var kind, selector, domain string
	cmd := &cobra.Command{
		Use:   "keygen FILE",
		Short: "Create a DKIM key in a new file, and print its DNS record",
		Long: "Only its owner can read the file, and it is never overwritten. Set it as key_file in [dkim]. You can add an Ed25519 key\n" +
			"as ed25519_key_file beside an RSA key, since not all servers support it.",
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := g.loadConfig()
			if err != nil {
				return err
			}
			if selector == "" {
				selector = c.DKIM.Selector
			}
			if domain == "" {
				domain = c.DKIM.Domain
			}
			if domain == "" {
				return usagef("specify the signing domain with --domain, or set domain in [dkim]")
			}
			block, err := newDKIMKey(kind)
			if err != nil {
				return err
			}
			signer, err := mail.NewSigner(domain, selector, block)
			if err != nil {
				return err
			}
			if err := writeNew(args[0], func(w io.Writer) error { _, err := w.Write(block); return err }); err != nil {
				return err
			}
			name, record, err := signer.Record()
			if err != nil {
				return err
			}
			if g.json {
				return writeJSON(cmd.OutOrStdout(), map[string]string{"file": args[0], "name": name, "type": "TXT", "record": record})
			}
			g.say(cmd, "wrote %s; publish this record, then set in [dkim]: domain = %q, selector = %q, key_file = %q", args[0], domain, selector, args[0])
			fmt.Fprintln(cmd.OutOrStdout(), mailer.ZoneLine(name, record))
			return nil
		},
	}
	flags.Choice(cmd.Flags(), &kind, "type", "rsa", []string{"rsa", "ed25519"}, "kind of key (rsa has 2048 bits)")
	cmd.Flags().StringVar(&selector, "selector", "", "name of the key in DNS (default: selector in [dkim])")
	cmd.Flags().StringVar(&domain, "domain", "", "the domain that signs (default: domain in [dkim])")
	return cmd
}

// newDKIMKey creates a private key as PEM.
func newDKIMKey(kind string) ([]byte, error) {
	var key crypto.Signer
	var err error
	switch kind {
	case "rsa":
		key, err = rsa.GenerateKey(rand.Reader, 2048)
	default:
		_, key, err = ed25519.GenerateKey(rand.Reader)
	}
	if err != nil {
		return nil, err
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	return pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), err
}

func newMailTest(g *globals) *cobra.Command {
	return &cobra.Command{
		Use:   "test ADDRESS",
		Short: "Send the newest issue to one address, and print the SMTP dialogue",
		Long: "Sends the newest composed email, or one that would be composed next, signed and addressed like a mailing and through the\n" +
			"same server. Its links do not work, and nothing is recorded. The whole SMTP dialogue goes to stdout, without passwords.",
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			to, err := mailaddr.Parse(args[0])
			if err != nil {
				return usagef("%v", err)
			}
			a, err := g.open(cmd)
			if err != nil {
				return err
			}
			defer a.close()
			if _, err := a.deliverer(); err != nil { // reports missing configuration
				return err
			}
			sample, err := a.testMail(cmd, to)
			if err != nil {
				return err
			}
			return a.sendTest(g, cmd, sample, to)
		},
	}
}

// sendTest sends a test email as a mailing would and prints the dialogue.
func (a *app) sendTest(g *globals, cmd *cobra.Command, m digest.Sample, to string) error {
	var dialogue []string
	sendErr := a.sendTraced(cmd.Context(), m, to, func(line string) {
		dialogue = append(dialogue, line)
		if !g.json {
			g.print(cmd, "%s", line)
		}
	})
	if g.json {
		view := map[string]any{"to": to, "sent": sendErr == nil, "dialogue": dialogue, "error": nil}
		if sendErr != nil {
			view["error"] = oneLine(sendErr)
		}
		if err := writeJSON(cmd.OutOrStdout(), view); err != nil {
			return err
		}
	}
	if sendErr == nil {
		g.say(cmd, "sent to %s; check the mail and its headers in that mailbox", to)
	}
	return sendErr
}

// testMail returns the newest email, or the next email of the first list.
func (a *app) testMail(cmd *cobra.Command, to string) (digest.Sample, error) {
	ctx := cmd.Context()
	signer, err := mailer.Signer(a.config)
	if err != nil {
		return digest.Sample{}, err
	}
	id := strings.ToLower(rand.Text())
	sample, err := a.digest.TestMail(ctx, to, id, signer)
	if !errors.Is(err, digest.ErrNotFound) {
		return sample, err
	}
	lists, err := a.subscribers.Lists(ctx)
	if err != nil {
		return digest.Sample{}, err
	}
	if len(lists) == 0 {
		return digest.Sample{}, errNoList
	}
	return a.digest.TestNext(ctx, lists[0], to, id, signer)
}

// sendTraced sends one message in the same way as a mailing, with an envelope sender
// that identifies the message if it bounces, by the first relay that can be reached,
// and reports each line of the dialogue.
func (a *app) sendTraced(ctx context.Context, m digest.Sample, to string, trace func(string)) error {
	var unreached []error
	for _, server := range mailer.Servers(a.config) {
		server.Trace = trace
		conn, err := a.mailer().DialWith(ctx, server, to)
		if err != nil {
			unreached = append(unreached, fmt.Errorf("%s: %w", server.Addr, err))
			continue
		}
		defer conn.Close()
		_, err = conn.Send(ctx, mail.Envelope{From: a.envelopeFrom(m.From), To: to, Body: m.Raw}, func() error { return nil })
		return err
	}
	return errors.Join(unreached...)
}
