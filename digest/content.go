package digest

import (
	"dibao/digest/forreader"
	"dibao/feed/filter"
	"dibao/subscribers"
)

// content is the email for a set of readers: the same items in the same language and
// format. Its key identifies it.
type content struct {
	key      string
	language string
	format   subscribers.Format
	issues   []int64 // issues that contain the items; if the email says that nothing is new, the issues without items
	items    []contentItem
}

// contentItem is one article of a reader's mail, as a variant stores it.
type contentItem struct {
	Article int64             `json:"a"`
	Issue   int64             `json:"i"` // the issue that contained it
	Event   string            `json:"e,omitempty"`
	Chosen  []filter.Reason   `json:"w,omitempty"` // parts of the reader's choice that it matches
	Match   *forreader.Result `json:"m,omitempty"` // how its call matches the reader's profile; nil if it is not a call for this reader
}

// mailed is something that a reader gets once: an article as news, or one event of it.
type mailed struct {
	article int64
	event   string
}
