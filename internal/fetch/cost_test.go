package fetch

import (
	"testing"

	"dibao/internal/costtest"
)

// TestCostOfRobots parses robots.txt and checks paths.
func TestCostOfRobots(t *testing.T) {
	costtest.Linear(t, []costtest.Seed{
		{Name: "Rules", Head: "User-agent: *\n", Units: []string{"Disallow: /a%d\n"}},
		{Name: "Agents", Units: []string{"User-agent: a%d\n"}, Tail: "Disallow: /\n"},
		{Name: "Groups", Units: []string{"User-agent: a%d\nDisallow: /\n"}},
		{Name: "Stars", Head: "User-agent: *\nDisallow: /", Units: []string{"*"}, Tail: "\n"},
		{Name: "StarsBetween", Head: "User-agent: *\nDisallow: /", Units: []string{"*a"}, Tail: "\n"},
		{Name: "Patterns", Head: "User-agent: *\n", Units: []string{"Disallow: /*a*b*%d$\n"}},
		{Name: "Comments", Units: []string{"# a\n"}},
		{Name: "Lines", Units: []string{"\n"}},
		{Name: "Colons", Units: []string{":"}},
	}, func(b []byte) {
		if data := parseRobots(b); data != nil {
			data.TestAgent("/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa/b", "dibao")
		}
	})
	costtest.Report(t, "internal/fetch")
}
