package amend

import "dibao/policy/call"

// ChangeView is a [Change] in JSON. Days are written as 2026-06-05; unknown is null.
type ChangeView struct {
	Kind     string  `json:"kind"`   // moved, corrected, supplemented, suspended or canceled
	Was      *string `json:"was"`    // the last day before this change
	Until    *string `json:"until"`  // the last day after this change
	Notice   int64   `json:"notice"` // the number of the article that announces the change; the call itself if its site changed the text
	Title    string  `json:"title"`  // title of the notice
	On       *string `json:"published"`
	Evidence string  `json:"evidence"`
	By       string  `json:"linked_by"` // how the notice was linked to the call: by number, project, title or subject; edit if the site changed the text of the call
}

// Views returns changes in the form in which JSON shows them; nil if there are none.
func Views(all []Change) (views []ChangeView) {
	for _, c := range all {
		views = append(views, ChangeView{string(c.Kind), call.Known(c.Was.String()), call.Known(c.Until.String()), c.Notice, c.Title, call.Known(c.On.String()), c.Evidence, c.By})
	}
	return views
}
