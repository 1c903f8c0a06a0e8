package status

import (
	"strings"
	"testing"
	"time"
	"unicode"

	"dibao/cmd/dibao/cli"
	"dibao/digest/delivery"
	"dibao/internal/plural"
)

// Each trouble is one sentence with its cause and a command, also about one email and in Chinese.
func TestTroublesSayWhatToDo(t *testing.T) {
	name, reply, mailing, one, all := "big.example", "127.0.0.1:25: connection refused; check that the mail server is running, and host and port in [mail]", int64(9), 1, 27
	at := time.Date(2026, 12, 1, 3, 10, 0, 0, time.UTC)
	for kind, want := range map[delivery.TroubleKind]string{
		delivery.TroubleUnreached: "no mail server can be reached: " + reply + "; next try 2026-12-01 03:10, and 1 email waits; to go on, run: dibao mail doctor",
		delivery.TroubleRefused:   "big.example refuses our mail before we name a recipient: " + reply + "; dibao tries at 2026-12-01 03:10 again with one message; to go on, run: dibao mail doctor, dibao issue send",
		delivery.TroublePolicy:    "big.example refuses our mail by its policy: " + reply + "; until 2026-12-01 03:10, 1 email waits; to go on, run: dibao mail doctor, dibao issue send",
		delivery.TroubleIdle:      "no process sends mail; mailing 9 has been due since 2026-12-01 03:10, and 1 email waits; to go on, run: dibao issue send",
		delivery.TroubleStuck:     "mailing 9 has been stuck since 2026-12-01 03:10: " + reply + "; 1 email waits; to go on, run: dibao issue report 9",
		delivery.TroubleFailed:    "mailing 9 did not reach all readers: " + reply + "; 1 of 27 emails failed; to go on, run: dibao issue report 9, dibao issue resend 9 --failed",
	} {
		sentence, commands := Trouble(delivery.Trouble{Kind: kind, Name: &name, Mailing: &mailing, Emails: &one, All: &all, Since: &at, NextAt: &at, Reply: &reply}, time.UTC)
		if got := plural.English(sentence) + "; " + Advice(commands); got != want {
			t.Errorf("%s: %q, want %q", kind, got, want)
		}
		inChinese := cli.Chinese(sentence) + cli.Chinese(Advice(commands))
		if strings.ContainsFunc(strings.NewReplacer("big.example", "", "[mail]", "", "host", "", "port", "", "dibao", "", "mail doctor", "", "issue send", "", "issue report", "", "issue resend", "", "--failed", "").Replace(inChinese), func(r rune) bool { return r < unicode.MaxASCII && unicode.IsLetter(r) }) {
			t.Errorf("%s in Chinese: %q", kind, inChinese)
		}
	}
}
