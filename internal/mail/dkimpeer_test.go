package mail_test

import (
	"bytes"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	netmail "net/mail"
	"os"
	"os/exec"
	"strings"
	"testing"

	"dibao/internal/mail"
)

// verifyScript verifies every signature of a message with python3-dkim, which shares no
// code with us; the records are its arguments.
const verifyScript = `
import sys, dkim
records = dict(zip(sys.argv[1::2], sys.argv[2::2]))
raw = sys.stdin.buffer.read()
def dns(name, timeout=5):
    return records.get(name.decode().rstrip(".")).encode()
d = dkim.DKIM(raw)
n = raw.lower().count(b"dkim-signature:")
print(" ".join(str(bool(d.verify(idx=i, dnsfunc=dns))) for i in range(n)))
`

func newKey(t *testing.T, key any) []byte {
	t.Helper()
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})
}

// An implementation in another language verifies the signatures with both keys, for texts,
// headers and lengths of every kind.
func TestDKIMIsVerifiedByAnotherLanguage(t *testing.T) {
	t.Parallel()
	const python = "/usr/bin/python3"
	if err := exec.Command(python, "-c", "import dkim, nacl").Run(); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatalf("python3-dkim is missing: %v; make needs", err)
		}
		t.Skipf("python3-dkim is missing: %v", err)
	}
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	_, edKey, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	first, err := mail.NewSigner("b.example", "rsa", newKey(t, rsaKey))
	if err != nil {
		t.Fatal(err)
	}
	second, err := mail.NewSigner("b.example", "ed", newKey(t, edKey))
	if err != nil {
		t.Fatal(err)
	}
	var records []string
	both := first.And(second)
	for _, k := range both.Keys() {
		name, text, err := k.Record()
		if err != nil {
			t.Fatal(err)
		}
		records = append(records, name, text)
	}
	for name, m := range map[string]mail.Message{
		"Both":     {Subject: "第 1 期", Text: "正文 " + slot + "\n\n\n", HTML: "<p>正文</p>\n<a href=\"" + slot + "\">退订</a>"},
		"TextOnly": {Subject: "  two  spaces ", Text: slot + "\n", TextOnly: true},
		"Long":     {Subject: strings.Repeat("很长的标题", 60), Text: strings.Repeat("一行\n", 3000) + slot, HTML: strings.Repeat("<p>x</p>\n", 3000) + slot},
	} {
		t.Run(name, func(t *testing.T) {
			m.From, m.Date, m.DKIM = netmail.Address{Name: "邸报 \"周刊\"", Address: "a@b.example"}, at, both
			m.TextPieces, m.HTMLPieces = marked(m.Text), marked(m.HTML)
			m.Headers = []mail.Header{{Name: "List-Id", Value: mail.Phrase("周报") + " <w.lists.b.example>"}, {Name: "Precedence", Value: "bulk"}}
			p, err := mail.Prepare(m)
			if err != nil {
				t.Fatal(err)
			}
			raw, err := p.Append(nil, mail.Personal{
				To: netmail.Address{Address: "r@c.example"}, MessageID: "1@b.example",
				Headers: []mail.Header{{Name: "List-Unsubscribe", Value: "<https://a.example/u/" + strings.Repeat("x", 120) + ">, <mailto:u@b.example>"}},
				Slots:   []string{"https://a.example/u/1"},
			})
			if err != nil {
				t.Fatal(err)
			}
			cmd := exec.Command(python, append([]string{"-c", verifyScript}, records...)...)
			cmd.Stdin = bytes.NewReader(raw)
			out, err := cmd.CombinedOutput()
			if err != nil || strings.TrimSpace(string(out)) != "True True" {
				t.Errorf("%v: %s\n%.1500s", err, out, raw)
			}
		})
	}
}
