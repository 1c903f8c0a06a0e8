package main

import (
	"errors"
	"testing"

	"dibao/cmd/dibao/mailer"
	"dibao/internal/database/databasetest"
	"dibao/subscribers"
)

// TestConfirmationsGoDirectly tests a former bug: with direct delivery and no relay, a
// request to subscribe was answered with "check your mail", but no email was sent.
func TestConfirmationsGoDirectly(t *testing.T) {
	t.Parallel()
	url := databasetest.SQLite(t)
	for direct, noServer := range map[string]bool{"true": false, "false": true} {
		a := openTestApp(t, map[string]string{"DIBAO_DATABASE_URL": url, "DIBAO_MAIL_DIRECT": direct, "DIBAO_MAIL_FROM": "dibao@sender.example"})
		err := a.confirm(t.Context(), subscribers.Confirmation{Kind: subscribers.KindOptIn, Address: "reader@mail.invalid", Language: "en", Token: "x"})
		if err == nil || errors.Is(err, mailer.ErrNoServer) != noServer {
			t.Errorf("direct = %s: %v", direct, err)
		}
	}
}
