package main

import (
	"bufio"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"dibao/subscribers"
)

// benchImportResult is what bench import measures.
type benchImportResult struct {
	Rows      int     `json:"rows"`
	WallS     float64 `json:"wall_s"`
	CPUS      float64 `json:"cpu_s"`
	PeakRSSMB float64 `json:"peak_rss_mb"`
	Readers   int     `json:"readers"`
}

func newBenchImport(g *globals) *cobra.Command {
	rows := 100_000
	cmd := &cobra.Command{
		Use:   "import",
		Short: "Import readers from a CSV file into an empty database",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if rows < 1 {
				return usagef("--rows is 1 or more")
			}
			a, done, err := benchApp(cmd.Context(), g, map[string]string{})
			if err != nil {
				return err
			}
			defer done()
			dir, err := os.MkdirTemp("", "dibao-bench-")
			if err != nil {
				return err
			}
			defer os.RemoveAll(dir)
			path := filepath.Join(dir, "readers.csv")
			if err := writeReaders(path, rows); err != nil {
				return err
			}
			list, err := a.subscribers.CreateList(cmd.Context(), subscribers.List{Slug: "bench"})
			if err != nil {
				return err
			}
			var out subscribers.Imported
			cpu, wall, err := measure(func() (err error) {
				out, err = a.subscribers.Import(cmd.Context(), subscribers.Import{
					Open: func() (io.ReadCloser, error) { return os.Open(path) }, Lists: []subscribers.List{list}, Consent: "bench", Apply: true,
				})
				return err
			})
			if err != nil {
				return err
			}
			round := func(f float64) float64 { return math.Round(f*1000) / 1000 }
			r := benchImportResult{Rows: out.Rows, WallS: round(wall), CPUS: round(cpu), PeakRSSMB: round(peakRSS()), Readers: out.Readers}
			return printRows(g, cmd, []any{"Rows", "Readers", "Wall s", "CPU s", "Peak MB"}, []benchImportResult{r}, func(r benchImportResult) []any {
				return []any{r.Rows, r.Readers, r.WallS, r.CPUS, r.PeakRSSMB}
			})
		},
	}
	cmd.Flags().IntVar(&rows, "rows", rows, "how many readers")
	return cmd
}

// writeReaders writes a file as a provider exports it.
func writeReaders(path string, rows int) error {
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
