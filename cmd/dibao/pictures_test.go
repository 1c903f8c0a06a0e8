package main

import (
	"context"
	"os"
	"path/filepath"

	"dibao/templates/templatestest"
)

// A picture is a picture in the documentation, of a window of this size.
type picture struct {
	name          string // name of the file in docs/images
	width, height int64
	scheme        string
}

// pictures are created again with DIBAO_PICTURES=1, by the name of the sight.
var pictures = map[string]picture{
	"issue": {"archive", 900, 1000, "light"}, "home": {"home", 1080, 1000, "light"},
	"article-document": {"article", 1080, 900, "light"}, "document-chained": {"document", 1080, 1200, "dark"}, "chain": {"chain", 1080, 760, "light"},
	"found": {"search", 1080, 900, "light"}, "list": {"phone", 390, 844, "dark"},
}

// take stores the picture of the open page.
func take(ctx context.Context, pic picture) error {
	if err := templatestest.Look(ctx, pic.width, pic.height, pic.scheme); err != nil {
		return err
	}
	b, err := templatestest.Picture(ctx)
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join("..", "..", "docs", "images", pic.name+".png"), b, 0o644)
}
