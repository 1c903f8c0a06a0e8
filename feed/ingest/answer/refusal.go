package answer

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

// maxRefusal is the maximum size, in bytes, of a JSON response that can be a refusal.
const maxRefusal = 4 << 10

// messageKeys are the keys under which an API says why it returns no data.
var messageKeys = []string{"msg", "message", "errmsg", "errorMsg", "errorMessage", "error_description", "error", "resultMsg", "info"}

// readJSON classifies a JSON response: it is a page unless it only says that the site
// refuses the request or failed.
func readJSON(text string) Answer {
	var object map[string]any
	if len(text) > maxRefusal || json.Unmarshal([]byte(text), &object) != nil {
		return Answer{Kind: Page}
	}
	for _, value := range object {
		if rows, isList := value.([]any); isList && len(rows) > 0 {
			return Answer{Kind: Page}
		}
	}
	for _, key := range messageKeys {
		message, _ := object[key].(string)
		message = strings.TrimSpace(message)
		for _, w := range slices.Concat(says, refusals) {
			if message != "" && w.words.MatchString(message) {
				return Answer{Kind: Wall, Cause: w.cause, What: fmt.Sprintf("a message that says %q", clip(message)), Sure: true}
			}
		}
		if faultIn(message) != "" {
			return Answer{Kind: ErrorPage, What: clip(message), Sure: true}
		}
	}
	return Answer{Kind: Page}
}
