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
	name, reply, mailing, one, all := "big.example", "550 5.7.1 blocked", int64(9), 1, 27
	at := time.Date(2026, 12, 1, 3, 10, 0, 0, time.UTC)
	for kind, want := range map[delivery.TroubleKind]string{
		delivery.TroubleUnreached: "no mail server can be reached; 1 email waits, next try 2026-12-01 03:10: 550 5.7.1 blocked; to go on, run: dibao mail doctor",
		delivery.TroubleRefused:   "big.example refuses our mail before we name a recipient; next try 2026-12-01 03:10: 550 5.7.1 blocked; to go on, run: dibao mail doctor, dibao issue send",
		delivery.TroublePolicy:    "big.example refuses our mail by its policy; 1 email waits until 2026-12-01 03:10: 550 5.7.1 blocked; to go on, run: dibao mail doctor, dibao issue send",
		delivery.TroubleIdle:      "no process sends mail; mailing 9 has been due since 2026-12-01 03:10, and 1 email waits; to go on, run: dibao issue send",
		delivery.TroubleStuck:     "mailing 9: 1 email has waited since the first try at 2026-12-01 03:10: 550 5.7.1 blocked; to go on, run: dibao issue report 9",
		delivery.TroubleFailed:    "1 of 27 emails of mailing 9 failed: 550 5.7.1 blocked; to go on, run: dibao issue report 9, dibao issue resend 9 --failed",
	} {
		line := TroubleLine(delivery.Trouble{Kind: kind, Name: &name, Mailing: &mailing, Emails: &one, All: &all, Since: &at, NextAt: &at, Reply: &reply}, time.UTC)
		if got := plural.English(line); got != want {
			t.Errorf("%s: %q, want %q", kind, got, want)
		}
		sentence, advice, ok := strings.Cut(cli.Chinese(line), "处理：")
		if !ok || !strings.HasPrefix(advice, "dibao ") || strings.ContainsFunc(strings.NewReplacer("big.example", "", reply, "").Replace(sentence), func(r rune) bool { return r < unicode.MaxASCII && unicode.IsLetter(r) }) {
			t.Errorf("%s in Chinese: %q", kind, cli.Chinese(line))
		}
	}
}
