package mail_test

import (
	"bytes"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"io"
	"mime"
	"mime/multipart"
	netmail "net/mail"
	"strings"
	"testing"
	"time"

	"github.com/emersion/go-msgauth/dkim"
	"pgregory.net/rapid"

	"dibao/internal/mail"
)

// slot stands for a mark in the texts of these tests.
const slot = "<slot>"

// marked is a piece with a mark in place of each slot.
func marked(text string) []mail.Piece {
	var marks []mail.Mark
	plain := ""
	for i, part := range strings.Split(text, slot) {
		if i > 0 {
			marks = append(marks, mail.Mark{At: len(plain)})
		}
		plain += part
	}
	return []mail.Piece{mail.Encode(plain, marks...)}
}

var at = time.Date(2026, 11, 23, 8, 0, 0, 0, time.FixedZone("CST", 8*3600))

// decoded is a message as an independent parser reads it.
type decoded struct {
	header     netmail.Header
	text, html string
}

func decode(t interface{ Fatalf(string, ...any) }, raw []byte) decoded {
	msg, err := netmail.ReadMessage(bytes.NewReader(raw))
	if err != nil {
		t.Fatalf("the message does not parse: %v\n%.500s", err, raw)
	}
	d := decoded{header: msg.Header}
	mediaType, params, err := mime.ParseMediaType(msg.Header.Get("Content-Type"))
	if err != nil || mediaType != "multipart/alternative" {
		t.Fatalf("content type %q: %v", msg.Header.Get("Content-Type"), err)
	}
	parts := multipart.NewReader(msg.Body, params["boundary"])
	for i, want := range []string{"text/plain", "text/html"} {
		p, err := parts.NextRawPart()
		if err != nil {
			t.Fatalf("part %d: %v", i, err)
		}
		if mediaType, _, _ := mime.ParseMediaType(p.Header.Get("Content-Type")); mediaType != want || p.Header.Get("Content-Transfer-Encoding") != "base64" {
			t.Fatalf("part %d is %v", i, p.Header)
		}
		b, err := io.ReadAll(base64.NewDecoder(base64.StdEncoding, p))
		if err != nil {
			t.Fatalf("part %d: %v", i, err)
		}
		if i == 0 {
			d.text = string(b)
		} else {
			d.html = string(b)
		}
	}
	if _, err := parts.NextRawPart(); err != io.EOF {
		t.Fatalf("a third part: %v", err)
	}
	return d
}

// plainLines returns text without spaces at the ends of lines and without differences in
// line ends, which encoding may change.
func plainLines(s string) string {
	s = strings.ReplaceAll(strings.ReplaceAll(s, "\r\n", "\n"), "\r", "\n")
	lines := strings.Split(s, "\n")
	for i := range lines {
		lines[i] = strings.TrimRight(lines[i], " ")
	}
	return strings.TrimRight(strings.Join(lines, "\n"), "\n")
}

// The joined pieces are the whole encoded message: what a reader's program decodes is the
// text with the reader's own addresses in it.
func TestPreparedDecodesToItsText(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		line := rapid.OneOf(rapid.StringOf(rapid.RuneFrom([]rune("邸报，。ab <>&.="))), rapid.SampledFrom([]string{"", ".", "..", "见 " + slot + " 。", "退订  " + slot, "原文  https://a.example/1", slot, strings.Repeat("长", 300)}))
		text := strings.Join(rapid.SliceOfN(line, 0, 12).Draw(t, "text"), rapid.SampledFrom([]string{"\n", "\r\n", "\r"}).Draw(t, "break"))
		html := strings.Join(rapid.SliceOfN(line, 0, 12).Draw(t, "html"), "\n")
		p, err := mail.Prepare(mail.Message{From: netmail.Address{Name: "邸报", Address: "a@b.example"}, Subject: "第 1 期", Date: at, TextPieces: marked(text), HTMLPieces: marked(html)})
		if err != nil {
			t.Fatal(err)
		}
		own := "https://a.example/u/" + rapid.StringMatching(`[A-Za-z0-9_-]{1,80}`).Draw(t, "token")
		raw, err := p.Append(nil, mail.Personal{To: netmail.Address{Address: "r@b.example"}, MessageID: "1@b.example", Slots: []string{own}})
		if err != nil {
			t.Fatal(err)
		}
		d := decode(t, raw)
		for _, x := range []struct{ got, want string }{{d.text, text}, {d.html, html}} {
			if got, want := plainLines(x.got), plainLines(strings.ReplaceAll(x.want, slot, own)); got != want {
				t.Fatalf("got %q, want %q", got, want)
			}
		}
		for i, l := range bytes.Split(raw, []byte("\r\n")) {
			if len(l) > 998 || bytes.ContainsAny(l, "\r\n") {
				t.Fatalf("line %d has %d bytes or a bare line end", i, len(l))
			}
		}
	})
}

// Whatever a name, a subject or a header contains, it does not add another header.
func TestNoHeaderIsInjected(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		evil := rapid.OneOf(rapid.String(), rapid.SampledFrom([]string{
			"x\r\nBcc: evil@a.example", "x\nBcc: evil@a.example", "x\rBcc: y", "x\x00", "\u2028Bcc: y", `"; Bcc: y`, "邸报\r\n\r\n<script>", "=?utf-8?q?=0D=0ABcc:_x?=",
		})).Draw(t, "evil")
		p, err := mail.Prepare(mail.Message{
			From: netmail.Address{Name: evil, Address: "a@b.example"}, Subject: evil, Date: at, Text: "x", HTML: "x",
			Headers: []mail.Header{{Name: "List-Id", Value: mail.Phrase(evil) + " <x.lists.b.example>"}},
		})
		if err != nil {
			return // refused
		}
		raw, err := p.Append(nil, mail.Personal{To: netmail.Address{Name: evil, Address: "r@b.example"}, MessageID: "1@b.example"})
		if err != nil {
			return
		}
		d := decode(t, raw)
		for name := range d.header {
			switch name {
			case "From", "To", "Subject", "Date", "Message-Id", "Mime-Version", "Content-Type", "List-Id":
			default:
				t.Fatalf("header %q came from %q", name, evil)
			}
		}
		if got := d.header.Get("Subject"); strings.Contains(got, "Bcc:") && !strings.Contains(evil, "Bcc:") {
			t.Fatalf("subject %q", got)
		}
	})
}

func TestAppendRefuses(t *testing.T) {
	p, err := mail.Prepare(mail.Message{From: netmail.Address{Address: "a@b.example"}, Subject: "x", Date: at, Text: "x", HTML: "x"})
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range []mail.Personal{
		{To: netmail.Address{Address: "a@b\r\nBcc: x@y.example"}, MessageID: "1@b"},
		{To: netmail.Address{Address: "no address"}, MessageID: "1@b"},
		{To: netmail.Address{Address: "a@b.example"}, MessageID: "1@b>\r\nX: y"},
		{To: netmail.Address{Address: "a@b.example"}, MessageID: "1@b", Headers: []mail.Header{{Name: "X\r\nY", Value: "z"}}},
		{To: netmail.Address{Address: "a@b.example"}, MessageID: "1@b", Headers: []mail.Header{{Name: "X", Value: "z\nY: z"}}},
	} {
		if out, err := p.Append(nil, r); err == nil {
			t.Errorf("%+v was written:\n%s", r, out)
		}
	}
}

// TestEncodedWordInATitle checks that a subject and names are shown as written, even if
// they look like an encoded word (RFC 2047 §2).
func TestEncodedWordInATitle(t *testing.T) {
	const title = "=?utf-8?q?Urgent=3A_pay?= now"
	p, err := mail.Prepare(mail.Message{
		From: netmail.Address{Name: title, Address: "a@b.example"}, Subject: title, Date: at, Text: "x", HTML: "x",
		Headers: []mail.Header{{Name: "List-Id", Value: mail.Phrase(title) + " <weekly.b.example>"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	raw, err := p.Append(nil, mail.Personal{To: netmail.Address{Name: title, Address: "r@b.example"}, MessageID: "1@b.example"})
	if err != nil {
		t.Fatal(err)
	}
	d := decode(t, raw)
	if got, err := new(mime.WordDecoder).DecodeHeader(d.header.Get("Subject")); err != nil || got != title {
		t.Errorf("subject %q, %v", got, err)
	}
	for _, name := range []string{"From", "To"} {
		if all, err := d.header.AddressList(name); err != nil || len(all) != 1 || all[0].Name != title {
			t.Errorf("%s: %v, %v", name, all, err)
		}
	}
	if got, err := new(mime.WordDecoder).DecodeHeader(d.header.Get("List-Id")); err != nil || got != title+" <weekly.b.example>" {
		t.Errorf("List-Id %q, %v", got, err)
	}
}

func TestHeaderLinesAreFolded(t *testing.T) {
	subject := strings.Repeat("国务院办公厅关于样例的通知", 12)
	p, err := mail.Prepare(mail.Message{From: netmail.Address{Name: "邸报周刊编辑部（样例）", Address: "a@b.example"}, Subject: subject, Date: at, Text: "x", HTML: "x"})
	if err != nil {
		t.Fatal(err)
	}
	raw, err := p.Append(nil, mail.Personal{To: netmail.Address{Address: "r@b.example"}, MessageID: "1@b.example"})
	if err != nil {
		t.Fatal(err)
	}
	head, _, _ := strings.Cut(string(raw), "\r\n\r\n")
	for _, line := range strings.Split(head, "\r\n") {
		if len(line) > 78 {
			t.Errorf("header line of %d bytes: %s", len(line), line)
		}
	}
	d := decode(t, raw)
	if got, err := new(mime.WordDecoder).DecodeHeader(d.header.Get("Subject")); err != nil || got != subject {
		t.Errorf("subject %q, %v", got, err)
	}
}

func TestDKIMIsVerifiedByAnother(t *testing.T) {
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	_, edKey, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		key    any
		record string
	}{
		"RSA":     {rsaKey, "v=DKIM1; k=rsa; p=" + base64.StdEncoding.EncodeToString(must(x509.MarshalPKIXPublicKey(&rsaKey.PublicKey)))},
		"Ed25519": {edKey, "v=DKIM1; k=ed25519; p=" + base64.StdEncoding.EncodeToString(edKey.Public().(ed25519.PublicKey))},
	} {
		t.Run(name, func(t *testing.T) {
			block := pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: must(x509.MarshalPKCS8PrivateKey(c.key))})
			signer, err := mail.NewSigner("b.example", "s1", block)
			if err != nil {
				t.Fatal(err)
			}
			p, err := mail.Prepare(mail.Message{From: netmail.Address{Address: "a@b.example"}, Subject: "第 1 期", Date: at, Text: "正文\n", HTML: "<p>正文</p>", DKIM: signer})
			if err != nil {
				t.Fatal(err)
			}
			raw, err := p.Append([]byte{}, mail.Personal{To: netmail.Address{Address: "r@b.example"}, MessageID: "1@b.example", Headers: []mail.Header{{Name: "List-Unsubscribe", Value: "<https://a.example/u/1>"}}})
			if err != nil {
				t.Fatal(err)
			}
			lookup := &dkim.VerifyOptions{LookupTXT: func(string) ([]string, error) { return []string{c.record}, nil }}
			verify := func(b []byte) error {
				v, err := dkim.VerifyWithOptions(bytes.NewReader(b), lookup)
				if err != nil || len(v) != 1 {
					t.Fatalf("%d signatures, %v", len(v), err)
				}
				return v[0].Err
			}
			if err := verify(raw); err != nil {
				t.Fatal(err)
			}
			if err := verify(bytes.Replace(raw, []byte("Subject: "), []byte("From: evil@a.example\r\nSubject: "), 1)); err == nil {
				t.Error("a second From was not noticed")
			}
			if err := verify(bytes.Replace(raw, []byte("a.example/u/1"), []byte("a.example/u/2"), 1)); err == nil {
				t.Error("a changed List-Unsubscribe was not noticed")
			}
		})
	}
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func BenchmarkAppend(b *testing.B) {
	html := strings.Repeat("<p>"+strings.Repeat("正文", 30)+"</p>\n", 160) + "<a href=\"" + slot + "\">退订</a>\n"
	p, err := mail.Prepare(mail.Message{From: netmail.Address{Address: "a@b.example"}, Subject: "x", Date: at, TextPieces: marked(slot), HTMLPieces: marked(html)})
	if err != nil {
		b.Fatal(err)
	}
	var buf []byte
	r := mail.Personal{To: netmail.Address{Address: "r@b.example"}, MessageID: "1@b.example", Slots: []string{"https://a.example/u/x"}}
	b.ReportAllocs()
	for b.Loop() {
		if buf, err = p.Append(buf[:0], r); err != nil {
			b.Fatal(err)
		}
	}
	b.SetBytes(int64(len(buf)))
}

// A line may begin and end with a slot, contain two, or consist of one; text that looks
// like a slot is not changed.
func TestMarksStandWhereTheyAreSet(t *testing.T) {
	t.Parallel()
	p := mail.Encode("ab\ncd\n\nef", mail.Mark{At: 0, Slot: 1}, mail.Mark{At: 2}, mail.Mark{At: 4, Slot: 1}, mail.Mark{At: 4}, mail.Mark{At: 6, Slot: 2}, mail.Mark{At: 9})
	if got, want := plainLines(p.Decoded([]string{"{0}", "{1}"})), "{1}ab{0}\nc{1}{0}d\n\nef{0}"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	if got := plainLines(mail.Encode("x\n", mail.Mark{At: 2}).Decoded([]string{"https://unsubscribe.slot.invalid/"})); got != "x\nhttps://unsubscribe.slot.invalid/" {
		t.Errorf("a mark after the last line: %q", got)
	}
}

// A message with only the text part, and one of pieces that other messages share.
func TestPreparedOfPieces(t *testing.T) {
	t.Parallel()
	first, last := mail.Encode("一、通知\n"), marked("退订：" + slot + "\n")[0]
	html := append([]mail.Piece{mail.Encode("<p>一、通知</p>\n")}, marked("<a href=\""+slot+"\">退订</a>\n")...)
	m := mail.Message{
		From: netmail.Address{Address: "dibao@test.example"}, Subject: "周刊", Date: at,
		TextPieces: []mail.Piece{first, first, last}, HTMLPieces: html,
	}
	reader := mail.Personal{
		To: netmail.Address{Address: "a@test.example"}, MessageID: "1@test.example", Slots: []string{"https://a.example/u/x"},
	}
	raw := func(m mail.Message) []byte {
		p, err := mail.Prepare(m)
		if err != nil {
			t.Fatal(err)
		}
		b, err := p.Append(nil, reader)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	const text = "一、通知\n一、通知\n退订：https://a.example/u/x"
	d := decode(t, raw(m))
	if got := plainLines(d.text); got != text {
		t.Errorf("text %q, want %q", got, text)
	}
	if got, want := plainLines(d.html), "<p>一、通知</p>\n<a href=\"https://a.example/u/x\">退订</a>"; got != want {
		t.Errorf("html %q, want %q", got, want)
	}
	m.TextOnly = true
	msg, err := netmail.ReadMessage(bytes.NewReader(raw(m)))
	if err != nil {
		t.Fatal(err)
	}
	if got := msg.Header.Get("Content-Type"); !strings.HasPrefix(got, "text/plain") || msg.Header.Get("Content-Transfer-Encoding") != "base64" {
		t.Fatalf("header %v", msg.Header)
	}
	b, err := io.ReadAll(base64.NewDecoder(base64.StdEncoding, msg.Body))
	if got := plainLines(string(b)); got != text || err != nil {
		t.Errorf("text alone %q, %v", got, err)
	}
}
