package redact

import (
	"testing"

	"dibao/internal/costtest"
)

// TestCostOfRedacting removes secrets from long texts, because errors quote what servers
// sent.
func TestCostOfRedacting(t *testing.T) {
	costtest.Linear(t, []costtest.Seed{
		{Name: "Text", Units: []string{"通知 "}},
		{Name: "Schemes", Units: []string{"http://"}},
		{Name: "OpenUserinfo", Head: "http://", Units: []string{"a:"}},
		{Name: "Userinfo", Units: []string{"http://a:b@c.test/ "}},
		{Name: "At", Head: "http://", Units: []string{"@"}},
		{Name: "Letters", Units: []string{"a"}, Tail: "://="},
		{Name: "Keys", Units: []string{"&api_key=abc"}},
		{Name: "OpenKeys", Head: "=", Units: []string{"&token_"}},
		{Name: "Quotes", Units: []string{"password='"}},
		{Name: "Tokens", Units: []string{"/u/abcdefghijklmnopqrstuvwxyz "}},
		{Name: "Slashes", Units: []string{"/u"}},
		{Name: "Lists", Units: []string{"/lists/a-"}},
		{Name: "Bearers", Units: []string{"bearer "}},
		{Name: "OwnTokens", Units: []string{"dibao_"}},
		{Name: "Keyfiles", Units: []string{"-----BEGIN PRIVATE KEY-----"}},
		{Name: "Dashes", Units: []string{"-"}},
		{Name: "Invalid", Units: []string{"\xff"}},
	}, func(b []byte) {
		Text(string(b))
		Path("/" + string(b))
		RegisterURL("http://" + string(b[:min(len(b), shortest)]))
	})
	costtest.Report(t, "internal/redact")
}
