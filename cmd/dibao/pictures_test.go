package main

import (
	"bytes"
	"context"
	"image"
	"image/color"
	"image/draw"
	"image/png"
	"maps"
	"os"
	"path/filepath"
	"slices"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
)

// A picture is one that the documents show: of a window of this size.
type picture struct {
	name          string // of the file in docs/images
	width, height int64
	scheme        string
}

// pictures are made anew with DIBAO_PICTURES=1, by the name of the sight.
var pictures = map[string]picture{
	"issue": {"archive", 900, 1000, "light"}, "mail": {"digest", 680, 1000, "light"}, "home": {"home", 1080, 1000, "light"},
	"article-document": {"article", 1080, 900, "light"}, "document-chained": {"document", 1080, 1200, "dark"}, "chain": {"chain", 1080, 760, "light"},
	"found": {"search", 1080, 900, "light"}, "list": {"phone", 390, 844, "dark"},
}

// take writes the picture of the page that is open.
func take(ctx context.Context, pic picture) error {
	_, err := chromedp.Call(ctx, emulation.SetDeviceMetricsOverride, emulation.SetDeviceMetricsOverrideParams{Width: pic.width, Height: pic.height, DeviceScaleFactor: 1})
	if err != nil {
		return err
	}
	_, err = chromedp.Call(ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
		Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: pic.scheme}},
	})
	if err != nil {
		return err
	}
	b, err := chromedp.Run(ctx, chromedp.CaptureScreenshot())
	if err != nil {
		return err
	}
	if b, err = withPalette(b); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join("..", "..", "docs", "images", pic.name+".png"), b, 0o644)
}

// withPalette writes a picture with its 256 most frequent colours, which is a
// third of the size and, of a page, all one sees.
func withPalette(b []byte) ([]byte, error) {
	full, err := png.Decode(bytes.NewReader(b))
	if err != nil {
		return nil, err
	}
	counts := make(map[color.Color]int)
	for y := range full.Bounds().Dy() {
		for x := range full.Bounds().Dx() {
			counts[full.At(x, y)]++
		}
	}
	colours := slices.SortedFunc(maps.Keys(counts), func(a, b color.Color) int { return counts[b] - counts[a] })
	small := image.NewPaletted(full.Bounds(), colours[:min(len(colours), 256)])
	draw.Draw(small, small.Bounds(), full, image.Point{}, draw.Src)
	var out bytes.Buffer
	err = (&png.Encoder{CompressionLevel: png.BestCompression}).Encode(&out, small)
	return out.Bytes(), err
}
