package cli

import (
	"bytes"
	"testing"
	"time"
)

func TestWriteFields(t *testing.T) {
	t.Parallel()
	type relation struct {
		Kind  string  `json:"kind"`
		Title *string `json:"title"`
	}
	zone := time.FixedZone("Asia/Shanghai", 8*3600)
	title := "关于印发《办法》的通知：试行"
	v := struct {
		Title     string     `json:"title"`
		Number    *string    `json:"number"`
		Day       string     `json:"day"`
		Checked   time.Time  `json:"checked_at"`
		Count     int        `json:"count"`
		Hidden    bool       `json:"hidden"`
		Tags      []string   `json:"tags"`
		Relations []relation `json:"relations"`
		None      []relation `json:"none"`
	}{Title: title, Day: "2026-11-29", Checked: time.Date(2026, 11, 29, 16, 5, 9, 1, time.UTC), Tags: []string{"a", "no"}, Relations: []relation{{"repeals", &title}, {"amends", nil}}}
	var out bytes.Buffer
	if err := WriteFields(&out, v, false, zone); err != nil {
		t.Fatal(err)
	}
	const want = `title: 关于印发《办法》的通知：试行
day: 2026-11-29
checked_at: 2026-11-30 00:05 (Asia/Shanghai)
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

// In Chinese no key remains in English, nor do states that are names of numbers.
func TestWriteFieldsInChinese(t *testing.T) {
	t.Parallel()
	v := struct {
		Slug        string              `json:"slug"`
		Query       map[string][]string `json:"query"`
		Hold        bool                `json:"hold"`
		Visibility  string              `json:"visibility"`
		Subscribers map[string]int      `json:"subscribers"`
	}{"weekly", map[string][]string{"kinds": {"document", "news"}}, true, "invitation", map[string]int{"confirmed": 2, "suppressed": 1}}
	var out bytes.Buffer
	if err := WriteFields(&out, v, true, time.UTC); err != nil {
		t.Fatal(err)
	}
	const want = `名称: weekly
查询:
  类别:
    - 文件
    - 要闻
先暂缓再发: 是
可见范围: 凭邀请
读者数:
  已确认: 2
  停发: 1
`
	if got := out.String(); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}
