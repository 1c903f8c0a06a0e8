package database

import (
	"encoding/json"
	"fmt"
	"strings"
)

// JSON encodes our own plain values as a parameter; no ids are [].
func JSON(v any) string {
	if ids, ok := v.([]int64); ok && ids == nil {
		return "[]"
	}
	b, err := json.Marshal(v)
	if err != nil {
		panic(fmt.Sprintf("database: %T does not marshal: %v", v, err)) // only our own plain structs are passed
	}
	return string(b)
}

// Bit returns a flag as it is stored.
func Bit(b bool) int64 {
	if b {
		return 1
	}
	return 0
}

// Clip returns at most this many bytes of a text, in a form that a column of either
// database accepts.
func Clip(s string, n int) string {
	s = strings.ReplaceAll(strings.ToValidUTF8(s, "\uFFFD"), "\x00", " ") // PostgreSQL does not store NUL
	if len(s) <= n {
		return s
	}
	return strings.ToValidUTF8(s[:n], "")
}
