// Package docs holds the handbook for admins, so that the program can print it.
package docs

import _ "embed" // of the handbook

// HandbookZH and HandbookEN are the handbook in Chinese and in English, in Markdown.
var (
	//go:embed zh/handbook.md
	HandbookZH string
	//go:embed en/handbook.md
	HandbookEN string
)
