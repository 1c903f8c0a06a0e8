package ingest

import (
	"maps"
	"slices"
)

// Kinds are the kinds of source. A new kind is one file and one line here.
var Kinds = map[string]Reader{
	"feed":    feedReader{},
	"json":    jsonReader{},
	"mail":    mailReader{},
	"page":    pageReader{},
	"sitemap": sitemapReader{},
}

// KindNames returns the names of the kinds in alphabetical order.
func KindNames() []string { return slices.Sorted(maps.Keys(Kinds)) }
