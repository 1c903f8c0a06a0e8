package database_test

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"testing"

	"dibao/internal/costtest"
	"dibao/internal/database"
)

// TestCostOfBackups restores files that are decompressed to far more than their length. A
// valid backup takes time for each of its rows; a refused one must not.
func TestCostOfBackups(t *testing.T) {
	const head = `{"format":"dibao-backup","schema":1,"made_at":"2026-11-24T08:00:00Z"}` + "\n"
	const table = `{"table":"lists","columns":["id","slug"]}` + "\n"
	for _, seed := range []costtest.Seed{
		{Name: "LongHead", Head: `{"format":"dibao-backup","made_at":"`, Units: []string{"a"}},
		{Name: "LastIDs", Head: `{"format":"dibao-backup","last_ids":{"a":1`, Units: []string{`,"a%d":1`}, Tail: "}}\n"},
		{Name: "Tables", Head: head, Units: []string{table}},
		{Name: "Columns", Head: head + `{"table":"lists","columns":["id"`, Units: []string{`,"id"`}, Tail: "]}\n"},
		{Name: "Row", Head: head + table + "[1", Units: []string{",1"}, Tail: "]\n"},
		{Name: "Nested", Head: head + table, Units: []string{"["}},
		{Name: "LongValue", Head: head + table + `[1,"`, Units: []string{"a"}, Tail: "\"]\n"},
		{Name: "LongBytes", Head: head + table + `[1,{"b":"`, Units: []string{"aaaa"}, Tail: "\"}]\n"},
		{Name: "LongNumber", Head: head + table + `[1,`, Units: []string{"1"}, Tail: "]\n"},
		{Name: "OpenLine", Head: head + table + `[1,"`, Units: []string{"aaaaaaaa"}},
	} {
		t.Run(seed.Name, func(t *testing.T) {
			db, err := database.Open(t.Context(), "sqlite:"+t.TempDir()+"/x.db", database.Options{})
			if err != nil {
				t.Fatal(err)
			}
			defer db.Close()
			file := packed(seed)
			cost := costtest.Measure(func() { _, _, err = db.Restore(t.Context(), bytes.NewReader(file)) })
			if err == nil || errors.Is(err, database.ErrNotEmpty) {
				t.Errorf("restored: %v", err)
			}
			costtest.Within(t, len(file), cost)
			t.Logf("%d kB: %d MB, %s, %.100s", len(file)>>10, cost.Peak>>20, cost.Time, fmt.Sprint(err))
		})
	}
	costtest.Report(t, "internal/database")
}

// packed returns a file that is decompressed to 32 MB, the maximum length of a line of a
// row.
func packed(seed costtest.Seed) []byte {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	piece := costtest.Seed{Units: seed.Units}.Input(1 << 20)
	z.Write([]byte(seed.Head))
	for range 32 {
		z.Write(piece)
	}
	z.Write([]byte(seed.Tail))
	z.Close()
	return b.Bytes()
}
