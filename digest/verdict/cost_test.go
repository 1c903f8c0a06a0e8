package verdict

import (
	"testing"

	"dibao/internal/costtest"
)

// TestCostOfReplies reads replies of mail servers.
func TestCostOfReplies(t *testing.T) {
	costtest.Linear(t, []costtest.Seed{
		{Name: "Lines", Units: []string{"550-5.1.1 user unknown\r\n"}, Tail: "550 5.1.1 x"},
		{Name: "OneLine", Head: "550 5.1.1 ", Units: []string{"user unknown "}},
		{Name: "Digits", Units: []string{"5"}},
		{Name: "Codes", Head: "550 ", Units: []string{"5.1.1 "}},
		{Name: "Addresses", Head: "550 ", Units: []string{"http://a.test/%d "}},
		{Name: "Spaces", Head: "550 ", Units: []string{" "}, Tail: "x"},
	}, func(b []byte) {
		b = b[:min(len(b), 32<<10)] // replies are at most this long (mail.Conn)
		code, enhanced, text, _ := ParseReply(string(b))
		Judge(Reply{Phase: "", Domain: "a.test", Code: code, Enhanced: enhanced, Text: text})
	})
	costtest.Report(t, "digest/verdict")
}
