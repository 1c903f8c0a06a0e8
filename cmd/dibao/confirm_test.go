package main

import (
	"errors"
	"io"
	"log/slog"
	"testing"
	"time"

	"dibao/cmd/dibao/mailer"
	"dibao/internal/config"
	"dibao/internal/database/databasetest"
	"dibao/subscribers"
)

// TestConfirmationsGoDirectly: with direct delivery and no relay, a request to
// subscribe was answered with "check your mail" and no mail was tried.
func TestConfirmationsGoDirectly(t *testing.T) {
	t.Parallel()
	url := databasetest.SQLite(t)
	for direct, noServer := range map[string]bool{"true": false, "false": true} {
		settings := map[string]string{"DIBAO_DATABASE_URL": url, "DIBAO_MAIL_DIRECT": direct, "DIBAO_MAIL_FROM": "dibao@sender.example"}
		c, err := config.Load("", func(k string) string { return settings[k] })
		if err != nil {
			t.Fatal(err)
		}
		a, err := openApp(t.Context(), c, slog.New(slog.NewTextHandler(io.Discard, nil)), time.Now)
		if err != nil {
			t.Fatal(err)
		}
		defer a.close()
		err = a.confirm(t.Context(), subscribers.Confirmation{Kind: subscribers.KindOptIn, Address: "reader@mail.invalid", Language: "en", Token: "x"})
		if err == nil || errors.Is(err, mailer.ErrNoServer) != noServer {
			t.Errorf("direct = %s: %v", direct, err)
		}
	}
}
