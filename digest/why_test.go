package digest_test

import (
	"io"
	"net/netip"
	"strings"
	"testing"

	"dibao/internal/database"
	"dibao/internal/database/databasetest"
	"dibao/subscribers"
)

// This was once a bug: a reader who was imported read that they had subscribed and confirmed.
func TestMailSaysWhoAddedItsReader(t *testing.T) {
	t.Parallel()
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		w := newWorld(t, db)
		l := w.list("all", subscribers.Query{})
		file := "email\nimported@test.example\n"
		if _, err := w.readers.Import(t.Context(), subscribers.Import{
			Open: func() (io.ReadCloser, error) { return io.NopCloser(strings.NewReader(file)), nil }, Lists: []subscribers.List{l}, Consent: "form 7", Apply: true,
		}); err != nil {
			t.Fatal(err)
		}
		asked, err := w.readers.Subscribe(t.Context(), subscribers.Request{Address: "confirmed@test.example", Language: "zh", Lists: []subscribers.List{l}, Network: netip.MustParsePrefix("192.0.2.0/24")})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.readers.Confirm(t.Context(), asked.Token, []int64{l.ID}, netip.Prefix{}); err != nil {
			t.Fatal(err)
		}
		w.article("养老服务通知")
		w.week()
		w.composeDue()
		w.deliver()
		got := w.to("imported")
		if len(got) != 1 || !strings.Contains(got[0], "添加为读者") || strings.Contains(got[0], "您订阅并确认了") {
			t.Errorf("the imported reader reads\n%.3000s", strings.Join(got, "\n"))
		}
		if got := w.to("confirmed"); len(got) != 1 || strings.Contains(got[0], "添加为读者") || !strings.Contains(got[0], "您订阅并确认了") {
			t.Errorf("the reader who confirmed reads\n%.3000s", strings.Join(got, "\n"))
		}
	})
}
