package cli

import (
	"bytes"
	"testing"
)

func TestWriteFields(t *testing.T) {
	t.Parallel()
	type relation struct {
		Kind  string  `json:"kind"`
		Title *string `json:"title"`
	}
	title := "关于印发《办法》的通知：试行"
	v := struct {
		Title     string     `json:"title"`
		Number    *string    `json:"number"`
		Day       string     `json:"day"`
		Count     int        `json:"count"`
		Hidden    bool       `json:"hidden"`
		Tags      []string   `json:"tags"`
		Relations []relation `json:"relations"`
		None      []relation `json:"none"`
	}{Title: title, Day: "2026-11-29", Tags: []string{"a", "no"}, Relations: []relation{{"repeals", &title}, {"amends", nil}}}
	var out bytes.Buffer
	if err := WriteFields(&out, v, false); err != nil {
		t.Fatal(err)
	}
	const want = `title: 关于印发《办法》的通知：试行
day: "2026-11-29"
count: 0
hidden: false
tags:
  - a
  - no
relations:
  - kind: repeals
    title: 关于印发《办法》的通知：试行
  - kind: amends
`
	if got := out.String(); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}
