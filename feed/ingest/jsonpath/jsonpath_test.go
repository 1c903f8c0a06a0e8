package jsonpath

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
)

// TestWalk follows paths of every form.
func TestWalk(t *testing.T) {
	const text = `{"data":{"list":[{"t":"一"},{"t":"二"}],"byID":{"9":{"t":"九"},"10":{"t":"十"},"a\u0031":{"t":"甲"}}}}`
	var doc any
	if err := json.NewDecoder(strings.NewReader(text)).Decode(&doc); err != nil {
		t.Fatal(err)
	}
	for at, want := range map[string]string{
		"data.list[].t":   "[一 二]",
		"data.list[1].t":  "[二]",
		"data.list[5].t":  "[]",
		"data.byID{}.t":   "[九 十 甲]", // as written; an escaped key comes last
		"data{}[].t":      "[一 二]",   // for the values that are arrays
		"data.byID.9.t":   "[九]",
		"data.list{}.t":   "[]",
		"data.nothing":    "[]",
		"data.byID{}.t.u": "[]",
	} {
		got, err := Walk([]any{doc}, at, KeyOrder(text))
		if err != nil || fmt.Sprint(got) != want {
			t.Errorf("%s: %v, %v; want %s", at, got, err, want)
		}
	}
	if _, err := Walk([]any{doc}, "data.list[x]", nil); err == nil {
		t.Error("[x] was followed")
	}
}

// TestIsKeyed distinguishes lists by id from other objects.
func TestIsKeyed(t *testing.T) {
	object := map[string]any{}
	for _, c := range []struct {
		m    map[string]any
		want bool
	}{
		{map[string]any{"1": object, "2": object}, true},
		{map[string]any{"1": object, "2": object, "3": object, "4": object, "total": 4}, true},
		{map[string]any{"data": object, "code": 0}, false},
		{map[string]any{"data": object}, false},
		{nil, false},
	} {
		if got := IsKeyed(c.m); got != c.want {
			t.Errorf("%v: %t", c.m, got)
		}
	}
}

// TestIsGrouped distinguishes rows grouped by month from several lists.
func TestIsGrouped(t *testing.T) {
	rows := []any{map[string]any{}}
	for _, c := range []struct {
		m    map[string]any
		want bool
	}{
		{map[string]any{"2026-11": rows, "2026-10": rows}, true},
		{map[string]any{"hot": rows, "list": rows}, false},
		{map[string]any{"1": rows, "2": []any{}}, false},
		{map[string]any{"1": []any{"a"}, "2": rows}, false},
		{map[string]any{"1": rows}, false},
	} {
		if got := IsGrouped(c.m); got != c.want {
			t.Errorf("%v: %t", c.m, got)
		}
	}
}
