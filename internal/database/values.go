package database

import (
	"encoding/json"
	"fmt"
	"strings"
)

// JSON writes our own plain values as a parameter; no ids are [].
func JSON(v any) string {
	if ids, ok := v.([]int64); ok && ids == nil {
		return "[]"
	}
	b, err := json.Marshal(v)
	if err != nil {
		panic(fmt.Sprintf("database: %T does not marshal: %v", v, err)) // only our own plain structs come here
	}
	return string(b)
}

// Bit is a flag as its column has it.
func Bit(b bool) int64 {
	if b {
		return 1
	}
	return 0
}

// Clip is at most so many bytes of a text, as a column of either database takes it.
func Clip(s string, n int) string {
	s = strings.ReplaceAll(strings.ToValidUTF8(s, "\uFFFD"), "\x00", " ") // PostgreSQL keeps no NUL
	if len(s) <= n {
		return s
	}
	return strings.ToValidUTF8(s[:n], "")
}
