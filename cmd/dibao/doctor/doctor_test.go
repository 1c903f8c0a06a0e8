package doctor

import (
	"fmt"
	"testing"
	"time"

	"dibao/internal/mail"
)

func TestClockAndAddress(t *testing.T) {
	t.Parallel()
	now := time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC)
	if f := examineClock(now, now.AddDate(1, 0, 0), time.UTC); f.Status != "failed" {
		t.Errorf("a clock before the program: %+v", f)
	}
	for base, want := range map[string]string{
		"http://localhost:8080": "warning", "http://192.168.1.2": "warning", "http://dibao.example.org": "warning", "https://dibao.example.org": "ok",
	} {
		if f := examineAddress(base); f.Status != want {
			t.Errorf("%s: %+v, want %s", base, f, want)
		}
	}
}

// A record to publish names a host, never an address or a port.
func TestMailHost(t *testing.T) {
	t.Parallel()
	for base, want := range map[string]string{
		"http://127.0.0.1:8080": "mail.example.org", "http://localhost": "mail.example.org", "http://[::1]:80": "mail.example.org",
		"https://dibao.example.net:8443": "dibao.example.net",
	} {
		if got := mailHost(base, "example.org"); got != want {
			t.Errorf("%s: %s, want %s", base, got, want)
		}
	}
}

// A temporary refusal is a warning: the settings are right.
func TestTemporaryRefusal(t *testing.T) {
	t.Parallel()
	for code, want := range map[int]string{421: "warning", 451: "warning", 550: "failed", 535: "failed"} {
		err := error(&mail.ReplyError{Code: code, Text: "no", Phase: "greeting"})
		if later := temporary("smtp.example:25", err); later != nil {
			err = later
		}
		if got := statusOf(fmt.Errorf("checked: %w", err)); got != want {
			t.Errorf("%d: %s, want %s", code, got, want)
		}
	}
}
