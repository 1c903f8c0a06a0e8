package bench

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// The resource that is too small is the saturated one.
func TestSimulate(t *testing.T) {
	t.Parallel()
	one := Simulation{Readers: 6000, Nodes: 1, Cores: 2, Connections: 4, DBCores: 2, Costs: DefaultCosts}
	first := one.Run()
	// A connection can't send more than one email in the time of a reply.
	if first.PerSecond > 4/0.020 || first.PerSecond < 4/0.030 || first.First != connections {
		t.Errorf("4 connections to a receiver that takes 20 ms: %+v", first)
	}
	for name, change := range map[string]func(s *Simulation){
		nodeCPU:   func(s *Simulation) { s.Costs.MailCPU, s.Connections = 5, 40 },
		dbCPU:     func(s *Simulation) { s.Costs.MailDBCPU, s.Nodes, s.DBCores = 10, 8, 1 },
		dbLog:     func(s *Simulation) { s.Costs.Flush, s.Connections = 50, 40 },
		network:   func(s *Simulation) { s.Costs.NodeMbit, s.Connections = 10, 40 },
		receivers: func(s *Simulation) { s.Limit = 600 },
	} {
		s := one
		change(&s)
		if got := s.Run(); got.First != name || got.Busy[name] < 0.8 || got.Busy[name] > 1.001 {
			t.Errorf("%s are saturated at %v: %s", got.First, got.Busy, name)
		}
	}
	limited := one
	limited.Limit = 600
	if got := limited.Run(); got.PerSecond != 10 || got.Mailing < 600 {
		t.Errorf("600 emails a minute: %+v", got)
	}
	several := one
	several.Nodes = 4
	if ratio := several.Run().PerSecond / first.PerSecond; ratio < 3.6 || ratio > 4.05 {
		t.Errorf("4 nodes send %.2f times what one sends", ratio)
	}
}

func TestReadCosts(t *testing.T) {
	t.Parallel()
	for text, wrong := range map[string]string{
		`{"reply_ms": 200}`:  "",
		`{"reply_ms": 0}`:    "greater than 0",
		`{"reply_s": 1}`:     "unknown field",
		`{"reply_ms": "20"}`: "cannot unmarshal",
	} {
		path := filepath.Join(t.TempDir(), "costs.json")
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		c, err := ReadCosts(path)
		switch {
		case wrong == "" && (err != nil || c.Reply != 200 || c.MailKB != DefaultCosts.MailKB):
			t.Errorf("%s: %+v, %v", text, c, err)
		case wrong != "" && (err == nil || !strings.Contains(err.Error(), wrong)):
			t.Errorf("%s: %v, want %s", text, err, wrong)
		}
	}
}
