package bench

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"

	"dibao/subscribers"
)

// ImportFigures are the costs of an import.
type ImportFigures struct {
	Rows      int     `json:"rows"`
	WallS     float64 `json:"wall_s"`
	CPUS      float64 `json:"cpu_s"`
	PeakRSSMB float64 `json:"peak_rss_mb"`
	Readers   int     `json:"readers"`
}

// Import imports this many readers from a CSV file into an empty database.
func Import(ctx context.Context, open Open, rows int) (ImportFigures, error) {
	a, done, err := open(ctx, map[string]string{})
	if err != nil {
		return ImportFigures{}, err
	}
	defer done()
	dir, err := os.MkdirTemp("", "dibao-bench-")
	if err != nil {
		return ImportFigures{}, err
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "readers.csv")
	if err := WriteReaders(path, rows); err != nil {
		return ImportFigures{}, err
	}
	list, err := a.Subscribers.CreateList(ctx, subscribers.List{Slug: "bench"})
	if err != nil {
		return ImportFigures{}, err
	}
	var out subscribers.Imported
	cpu, wall, err := measure(func() (err error) {
		out, err = a.Subscribers.Import(ctx, subscribers.Import{
			Open: func() (io.ReadCloser, error) { return os.Open(path) }, Lists: []subscribers.List{list}, Consent: "bench", Apply: true,
		})
		return err
	})
	if err != nil {
		return ImportFigures{}, err
	}
	round := func(f float64) float64 { return math.Round(f*1000) / 1000 }
	return ImportFigures{Rows: out.Rows, WallS: round(wall), CPUS: round(cpu), PeakRSSMB: round(peakRSS()), Readers: out.Readers}, nil
}

// WriteReaders writes a file of readers like the export of a mailing service.
func WriteReaders(path string, rows int) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	w := bufio.NewWriter(f)
	fmt.Fprintln(w, "Email Address,First Name,Last Name,OPTIN_TIME")
	for i := range rows {
		fmt.Fprintf(w, "reader%d@%d.example.org,\"读者, %d\",,2025-03-04 05:06:07\n", i, i%97, i)
	}
	if err := w.Flush(); err != nil {
		f.Close()
		return err
	}
	return f.Close()
}
