package delivery

import "dibao/internal/lazyregexp"

var addressInReply = lazyregexp.New(`[^\s<>"'(),;:@]+@([^\s<>"'(),;:@]+)`)

// WithoutAddresses returns a reply without the names of mailboxes in it, so that it can
// be shown to whoever may see a mailing, and equal ones be counted.
func WithoutAddresses(reply string) string { return addressInReply.ReplaceAllString(reply, "…@$1") }
