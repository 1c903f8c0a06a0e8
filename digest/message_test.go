package digest_test

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"net/mail"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	gomessage "github.com/emersion/go-message/mail"

	"dibao/digest"
	"dibao/feed"
	"dibao/internal/database"
	"dibao/internal/database/databasetest"
	internalmail "dibao/internal/mail"
	"dibao/policy"
	"dibao/subscribers"
)

// messages composes what is new and returns each reader's message.
func (w *world) messages(lists ...subscribers.List) map[string][]byte {
	w.t.Helper()
	made := must[digest.Composed](w.t)(w.service.ComposeNow(w.t.Context(), lists))
	all := make(map[string][]byte)
	err := w.service.EachMessage(w.t.Context(), made.Mailing, []byte("key"), func(to string, message [][]byte) error {
		all[to] = bytes.Join(message, nil)
		return nil
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return all
}

// Two independent parsers read the same subject, addresses and texts from a weekly digest,
// and SpamAssassin, with its local rules, gives it a good score.
func TestMessageOfADigest(t *testing.T) {
	t.Parallel()
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		w := newWorld(t, db)
		l := must[subscribers.List](t)(w.readers.CreateList(t.Context(), subscribers.List{Slug: "weekly", Title: "民政周报"}))
		w.reader("a", l)
		for i := range 20 {
			w.article(fmt.Sprintf("样例省人民政府关于进一步做好第%d项样例工作的通知", i+1))
		}
		raw := w.messages(l)["a@test.example"]
		if raw == nil {
			t.Fatal("no message")
		}
		for line := range bytes.SplitSeq(raw, []byte("\r\n")) {
			if len(line) > 998 || bytes.ContainsAny(line, "\r\n\x00") {
				t.Fatalf("a line that mail forbids: %.80q", line)
			}
		}
		subject, text, html := parseStandard(t, raw)
		subject2, text2, html2 := parseGoMessage(t, raw)
		if subject != subject2 || text != text2 || html != html2 {
			t.Errorf("two parsers read different things: %q and %q; %d and %d; %d and %d bytes", subject, subject2, len(text), len(text2), len(html), len(html2))
		}
		for line := range strings.SplitSeq(text, "\r\n") {
			// Pieces are padded to whole base64 lines with spaces at the ends of lines, where nobody sees
			// them.
			if shown := strings.TrimSpace(line); strings.Contains(shown, "   ") {
				t.Errorf("a line of the text part has spaces that readers see: %q", line)
			}
		}
		if !strings.HasPrefix(subject, "民政周报 第 1 期：样例省人民政府关于进一步做好第") {
			t.Errorf("subject %q", subject)
		}
		for i := range 20 {
			for _, part := range []string{text, html} {
				if n := strings.Count(part, fmt.Sprintf("第%d项", i+1)); n < 1 {
					t.Errorf("article %d stands %d times in a part", i+1, n)
				}
			}
		}
		if len(html) > 100_000 {
			t.Errorf("the HTML has %d bytes", len(html))
		}
		scoreSpam(t, raw)
	})
}

func parseStandard(t *testing.T, raw []byte) (subject, text, html string) {
	t.Helper()
	m, err := mail.ReadMessage(bytes.NewReader(raw))
	if err != nil {
		t.Fatal(err)
	}
	if subject, err = new(mime.WordDecoder).DecodeHeader(m.Header.Get("Subject")); err != nil {
		t.Fatal(err)
	}
	for _, field := range []string{"From", "To", "Date", "Message-Id", "List-Id", "List-Unsubscribe", "List-Unsubscribe-Post", "Auto-Submitted", "Feedback-Id"} {
		if len(m.Header[field]) != 1 {
			t.Errorf("%d fields %s", len(m.Header[field]), field)
		}
	}
	_, params, err := mime.ParseMediaType(m.Header.Get("Content-Type"))
	if err != nil {
		t.Fatal(err)
	}
	parts := multipart.NewReader(m.Body, params["boundary"])
	for _, into := range []*string{&text, &html} {
		p, err := parts.NextRawPart()
		if err != nil {
			t.Fatal(err)
		}
		b, err := io.ReadAll(base64.NewDecoder(base64.StdEncoding, p))
		if err != nil {
			t.Fatal(err)
		}
		*into = string(b)
	}
	return subject, text, html
}

func parseGoMessage(t *testing.T, raw []byte) (subject, text, html string) {
	t.Helper()
	r, err := gomessage.CreateReader(bytes.NewReader(raw))
	if err != nil {
		t.Fatal(err)
	}
	if subject, err = r.Header.Subject(); err != nil {
		t.Fatal(err)
	}
	for _, into := range []*string{&text, &html} {
		p, err := r.NextPart()
		if err != nil {
			t.Fatal(err)
		}
		b, err := io.ReadAll(p.Body)
		if err != nil {
			t.Fatal(err)
		}
		*into = string(b)
	}
	return subject, text, html
}

// maxSpam is the maximum score of a weekly digest; 5 is spam.
const maxSpam = 1.0

func scoreSpam(t *testing.T, raw []byte) {
	t.Helper()
	program, err := exec.LookPath("spamassassin")
	if err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal("spamassassin is not installed; run make needs")
		}
		t.Log("left out: the score of SpamAssassin, which is not installed")
		return
	}
	c := exec.CommandContext(t.Context(), program, "-L", "-t", "-x")
	c.Stdin = bytes.NewReader(raw)
	out, err := c.Output()
	if err != nil {
		t.Fatalf("spamassassin: %v", err)
	}
	m := regexp.MustCompile(`X-Spam-Status: \S+ score=(-?[\d.]+)`).FindSubmatch(out)
	if m == nil {
		t.Fatalf("spamassassin gave no score:\n%.500s", out)
	}
	score, err := strconv.ParseFloat(string(m[1]), 64)
	rules := regexp.MustCompile(`tests=[^\r\n]*(?:\r?\n[ \t][^\r\n]*)?`).Find(out)
	t.Logf("SpamAssassin: %.1f, %s", score, rules)
	if err != nil || score > maxSpam {
		t.Errorf("SpamAssassin gives %.1f, want at most %.1f: %s", score, maxSpam, rules)
	}
}

// Whatever the titles and names contain, the header of a message has only the fields that
// we wrote.
func TestNothingIsInjectedIntoTheHeader(t *testing.T) {
	t.Parallel()
	n := 500
	if os.Getenv("DIBAO_LONG") != "" {
		n = 5000
	}
	pieces := []string{"\r\n", "\n", "\r", "\x00", "Bcc: victim@example.org", "\r\n\r\n<script>", "\r\n.\r\n", "=?utf-8?b?DQpCY2M6IGFAYi5j?=", "=?utf-8?q?=0d=0aBcc:?=",
		"\u2028", "\u0085", "\v", "\f", "养老", "\"", "<a@b.c>", ",", ";", ":", "\\", "(", " ", "\t", strings.Repeat("长", 90), "\xff", "📮"}
	want := []string{"Auto-Submitted", "Content-Type", "Date", "Feedback-Id", "From", "List-Id", "Message-Id", "Mime-Version", "Precedence", "Subject", "To"}
	refused := 0
	for i := range n {
		var b strings.Builder
		for x := i*7919 + 13; x > 0; x /= len(pieces) {
			b.WriteString(pieces[x%len(pieces)])
		}
		hostile := b.String()
		prepared, err := internalmail.Prepare(internalmail.Message{
			From: mail.Address{Name: hostile, Address: "dibao@test.example"}, Subject: hostile, Date: time.Date(2026, 11, 23, 8, 0, 0, 0, time.UTC), Text: "x", HTML: "x",
			Headers: []internalmail.Header{
				{Name: "List-Id", Value: internalmail.Phrase(hostile) + " <" + hostile + ".lists.test.example>"},
				{Name: "Auto-Submitted", Value: "auto-generated"}, {Name: "Precedence", Value: "bulk"}, {Name: "Feedback-ID", Value: "1:" + hostile},
			},
		})
		var raw []byte
		if err == nil {
			raw, err = prepared.Append(nil, internalmail.Personal{To: mail.Address{Address: "a@test.example"}, MessageID: "1@test.example"})
		}
		if err != nil {
			refused++
			continue
		}
		m, err := mail.ReadMessage(bytes.NewReader(raw))
		if err != nil {
			t.Fatalf("%q: %v", hostile, err)
		}
		var have []string
		for field, values := range m.Header {
			have = append(have, field)
			if len(values) != 1 {
				t.Errorf("%q: %d fields %s", hostile, len(values), field)
			}
		}
		slices.Sort(have)
		if !slices.Equal(have, want) {
			t.Fatalf("%q: fields %v", hostile, have)
		}
	}
	t.Logf("%d hostile values, %d refused, none injected", n, refused)
	if refused == 0 || refused == n {
		t.Errorf("%d of %d were refused: the values are not what they should be", refused, n)
	}
}

// An issue of a list with Hold waits for an admin, who can pin, hide and write a note.
func TestHeldIssueWaitsForAnAdmin(t *testing.T) {
	t.Parallel()
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		w := newWorld(t, db)
		l := must[subscribers.List](t)(w.readers.CreateList(t.Context(), subscribers.List{Slug: "held", Hold: true}))
		w.reader("a", l)
		w.article("甲通知")
		w.week()
		made := w.composeDue()
		if len(made) != 1 || made[0].Mailing != 0 || len(made[0].Held) != 1 {
			t.Fatalf("composed %+v", made)
		}
		if d := w.deliver(); d.Sent != 0 {
			t.Fatalf("%d were sent", d.Sent)
		}
		if shown := must[[]digest.Issue](t)(w.service.Issues(t.Context(), l.ID, 5)); len(shown) != 0 {
			t.Fatalf("the archive shows %v", shown)
		}
		for i, want := range []int{1, 0} { // once a day
			if got := must[[]digest.Issue](t)(w.service.RemindHeld(t.Context())); len(got) != want {
				t.Fatalf("reminder %d: %d issues, want %d", i, len(got), want)
			}
		}
		held := must[[]digest.Issue](t)(w.service.HeldIssues(t.Context()))
		if err := w.service.SetNote(t.Context(), held[0].ID, "本期说明：养老专题。"); err != nil {
			t.Fatal(err)
		}
		on := "1"
		pinned := must[[]digest.IssueItem](t)(w.service.IssueItems(t.Context(), held[0].ID))[0].Article
		if err := w.articles.Correct(t.Context(), pinned.ID, []feed.Correction{{Field: "pinned", Value: &on}}); err != nil {
			t.Fatal(err)
		}
		known := must[subscribers.Subscriber](t)(w.readers.SubscriberByAddress(t.Context(), "a@test.example"))
		reader := must[map[int64]subscribers.Reader](t)(w.readers.Readers(t.Context(), []int64{known.ID}))[known.ID]
		reader.Added = nil // the preview of an issue is that of a reader who confirmed
		before := must[digest.Mail](t)(w.service.PreviewReader(t.Context(), reader))
		if len(before.Held) != 1 || !strings.Contains(before.Text, "编者推荐") || !strings.Contains(before.Text, "本期说明") {
			t.Fatalf("preview of the reader: %+v", before)
		}
		held[0].Note = "本期说明：养老专题。"
		if m := must[digest.Mail](t)(w.service.MailOfIssue(t.Context(), held[0], "zh")); m.Text != before.Text || m.Subject != before.Subject {
			t.Fatalf("the preview of the issue is\n%s\nthat of its reader\n%s", m.Text, before.Text)
		}
		if _, err := w.service.Release(t.Context(), held[0]); err != nil {
			t.Fatal(err)
		}
		if _, err := w.service.Release(t.Context(), held[0]); err == nil {
			t.Fatal("released twice")
		}
		if d := w.deliver(); d.Sent != 1 {
			t.Fatalf("%+v", d)
		}
		if got := w.to("a"); len(got) != 1 || !strings.Contains(got[0], "本期说明：养老专题。") || !strings.Contains(got[0], "http://a.example/1") || !strings.Contains(got[0], "编者推荐") {
			t.Fatalf("got %q", got)
		}
	})
}

func TestPreviewOfAReaderIsTheirNextMail(t *testing.T) {
	t.Parallel()
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		w := newWorld(t, db)
		l := w.list("weekly", subscribers.Query{})
		w.reader("a", l)
		w.article("甲通知")
		known := must[subscribers.Subscriber](t)(w.readers.SubscriberByAddress(t.Context(), "a@test.example"))
		reader := must[map[int64]subscribers.Reader](t)(w.readers.Readers(t.Context(), []int64{known.ID}))[known.ID]
		if m := must[digest.Mail](t)(w.service.PreviewReader(t.Context(), reader)); !strings.Contains(m.Text, "甲通知") || !strings.Contains(m.Text, "添加为读者") || !strings.Contains(m.Subject, "第 1 期") {
			t.Fatalf("%+v", m)
		}
		w.week()
		w.composeDue()
		w.deliver()
		if m, err := w.service.PreviewReader(t.Context(), reader); err == nil {
			t.Fatalf("after it was sent: %+v", m)
		}
		w.article("乙通知")
		reader.Choices = map[int64]subscribers.Choice{l.ID: {Frequency: subscribers.Monthly}}
		m, err := w.service.PreviewReader(t.Context(), reader)
		if later := m.Later[l.ID]; !errors.Is(err, digest.ErrNothingNew) || later.Day != 1 {
			t.Errorf("a monthly reader who had mail: %v, from %s", err, later)
		}
		reader.PausedUntil = policy.Date{Year: 2099, Month: 1, Day: 1}
		if m, err := w.service.PreviewReader(t.Context(), reader); !errors.Is(err, digest.ErrNothingNew) || m.Later[l.ID] != reader.PausedUntil {
			t.Errorf("a paused reader: %v, from %s", err, m.Later[l.ID])
		}
	})
}
