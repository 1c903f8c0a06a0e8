package status

import (
	"testing"

	"dibao/digest/delivery"
)

func TestNoEmailsSaysWhy(t *testing.T) {
	for _, c := range []struct {
		report delivery.MailingReport
		want   string
	}{
		{delivery.MailingReport{}, ""}, // of an earlier release: not counted
		{delivery.MailingReport{Sent: 1, Skipped: &delivery.Skipped{NothingNew: 3}}, ""},
		{delivery.MailingReport{Skipped: &delivery.Skipped{}}, "no reader has subscribed"},
		{delivery.MailingReport{Skipped: &delivery.Skipped{NothingNew: 3, Later: 2, Suppressed: 1, Unconfirmed: 4}},
			"nothing is new for 3 readers, 2 readers chose a later email, 1 readers are suppressed, 4 readers have not confirmed"},
	} {
		if got := NoEmails(c.report); got != c.want {
			t.Errorf("%+v: %q, want %q", c.report, got, c.want)
		}
	}
}
