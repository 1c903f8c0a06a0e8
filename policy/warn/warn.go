// Package warn contains warnings about articles: codes with parameters, whose sentences are
// in templates/words.
package warn

import (
	"encoding/json"
	"fmt"
	"slices"
)

// Warning says that something about an article is unusual, as a code with
// parameters for its sentence. The sentences are in templates/words.
type Warning struct {
	Code   string   `json:"code"`
	Params []string `json:"params,omitempty"`
}

// storedWarning is the code of a sentence that an earlier version of dibao stored.
const storedWarning = "stored"

// New returns a warning.
func New(code string, params ...any) Warning {
	w := Warning{Code: code}
	for _, p := range params {
		w.Params = append(w.Params, fmt.Sprint(p))
	}
	return w
}

// Equal reports whether two warnings are the same.
func (w Warning) Equal(other Warning) bool {
	return w.Code == other.Code && slices.Equal(w.Params, other.Params)
}

// UnmarshalJSON reads a warning, or a sentence as earlier versions of dibao stored it.
func (w *Warning) UnmarshalJSON(b []byte) error {
	if len(b) > 0 && b[0] == '"' {
		w.Code, w.Params = storedWarning, make([]string, 1)
		return json.Unmarshal(b, &w.Params[0])
	}
	type plain Warning
	return json.Unmarshal(b, (*plain)(w))
}
