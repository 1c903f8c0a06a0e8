package ingest

import (
	"maps"
	"slices"
)

// Kinds are the kinds of sources. To add a kind, add a file and a line here.
var Kinds = map[string]Reader{
	"feed":    feedReader{},
	"json":    jsonReader{},
	"mail":    mailReader{},
	"page":    pageReader{},
	"sitemap": sitemapReader{},
}

// KindNames returns the names of the kinds in alphabetical order.
func KindNames() []string { return slices.Sorted(maps.Keys(Kinds)) }
