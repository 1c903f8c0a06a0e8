// Package jsonpath follows paths in JSON responses: names separated by dots, "[]" for every
// element of an array, "[0]" for one, and "{}" for every value of an object whose keys are
// ids, as PHP encodes arrays with gaps.
package jsonpath

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"dibao/internal/lazyregexp"
)

// Walk follows a path from each of the values. Values of an object are in the order of the
// keys, which KeyOrder reads from the text; keys that it lacks come last, in alphabetical
// order.
func Walk(from []any, at string, order map[string]int) ([]any, error) {
	for step := range strings.SplitSeq(strings.TrimSpace(at), ".") {
		name, index, isArray := strings.Cut(step, "[")
		name, ofObject := strings.CutSuffix(name, "{}")
		var next []any
		for _, v := range from {
			if name != "" {
				m, ok := v.(map[string]any)
				if !ok {
					continue
				}
				if v, ok = m[name]; !ok {
					continue
				}
			}
			of := []any{v}
			if ofObject {
				of = values(v, order)
			}
			if !isArray {
				next = append(next, of...)
				continue
			}
			for _, v := range of {
				all, _ := v.([]any)
				picked, err := pick(all, index)
				if err != nil {
					return nil, fmt.Errorf("path %q of the source: %w", at, err)
				}
				if next == nil {
					next = picked // without a copy
				} else {
					next = append(next, picked...)
				}
			}
		}
		from = next
	}
	return from, nil
}

// pick returns the elements of an array that an index selects.
func pick(all []any, index string) ([]any, error) {
	if index == "]" {
		return all[:len(all):len(all)], nil
	}
	n, err := strconv.Atoi(strings.TrimSuffix(index, "]"))
	if err != nil || n < 0 {
		return nil, fmt.Errorf("%q is neither [] nor [0]", "["+index)
	}
	if n >= len(all) {
		return nil, nil
	}
	return all[n : n+1 : n+1], nil
}

// values returns the values of an object in the order of its keys.
func values(v any, order map[string]int) []any {
	m, _ := v.(map[string]any)
	keys := slices.SortedFunc(maps.Keys(m), func(a, b string) int {
		x, inX := order[a]
		y, inY := order[b]
		switch {
		case inX && inY && x != y:
			return x - y
		case inX != inY && inX:
			return -1
		case inX != inY:
			return 1
		}
		return strings.Compare(a, b)
	})
	all := make([]any, len(keys))
	for i, key := range keys {
		all[i] = m[key]
	}
	return all
}

// aKey matches a key and its colon.
var aKey = lazyregexp.New(`"((?:[^"\\]|\\.){1,200})"\s*:`)

// KeyOrder returns where each key first occurs in the text of a response. Keys that are
// written with escapes are left out.
func KeyOrder(text string) map[string]int {
	order := make(map[string]int)
	for _, at := range aKey.FindAllStringSubmatchIndex(text, -1) {
		if key := text[at[2]:at[3]]; !strings.Contains(key, `\`) {
			if _, ok := order[key]; !ok {
				order[key] = at[2]
			}
		}
	}
	return order
}

// IsKeyed reports whether an object may be a list whose keys are ids: nearly all of its
// values are objects.
func IsKeyed(m map[string]any) bool {
	objects := 0
	for _, v := range m {
		if _, ok := v.(map[string]any); ok {
			objects++
		}
	}
	return objects > 1 && objects*5 >= len(m)*4
}

// IsGrouped reports whether an object may be a list that groups its rows by day, month or
// column: all of its values are arrays of objects, and all keys contain digits.
func IsGrouped(m map[string]any) bool {
	for key, v := range m {
		all, _ := v.([]any)
		if len(all) == 0 || !strings.ContainsAny(key, "0123456789") {
			return false
		}
		if _, ok := all[0].(map[string]any); !ok {
			return false
		}
	}
	return len(m) > 1
}
