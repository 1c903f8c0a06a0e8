package mail

import "strings"

// DomainOf returns the text after the last @.
func DomainOf(address string) string {
	return strings.ToLower(address[strings.LastIndexByte(address, '@')+1:])
}
