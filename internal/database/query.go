package database

import (
	"context"
	"database/sql"
)

// Row is one result row: *sql.Row and *sql.Rows.
type Row interface{ Scan(dest ...any) error }

// Collect runs a query and scans every row of its result.
func Collect[T any](ctx context.Context, tx *sql.Tx, scan func(Row) (T, error), query string, args ...any) ([]T, error) {
	rows, err := tx.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var all []T
	for rows.Next() {
		v, err := scan(rows)
		if err != nil {
			return nil, err
		}
		all = append(all, v)
	}
	return all, rows.Err()
}

// ScanOne scans a row of one column.
func ScanOne[T any](r Row) (T, error) {
	var v T
	err := r.Scan(&v)
	return v, err
}

// CountBy runs a query whose rows are a name and a count, and returns the counts by
// name.
func CountBy[K ~string](ctx context.Context, tx *sql.Tx, query string, args ...any) (map[K]int, error) {
	type row struct {
		name K
		n    int
	}
	rows, err := Collect(ctx, tx, func(r Row) (c row, err error) {
		err = r.Scan(&c.name, &c.n)
		return c, err
	}, query, args...)
	counts := make(map[K]int, len(rows))
	for _, c := range rows {
		counts[c.name] = c.n
	}
	return counts, err
}

// IDs returns a subquery that yields the integers of a JSON array, for
// "id IN (…)"; param is the placeholder of the array, such as $1.
func (d Dialect) IDs(param string) string {
	return d.Pick(
		"SELECT value FROM json_each("+param+")",
		"SELECT value::bigint FROM jsonb_array_elements_text("+param+"::jsonb)")
}

// Texts is IDs for an array of strings.
func (d Dialect) Texts(param string) string {
	return d.Pick(
		"SELECT value FROM json_each("+param+")",
		"SELECT value FROM jsonb_array_elements_text("+param+"::jsonb)")
}

// Rows returns a table of the elements of a JSON array, one a row in its column
// value, for INSERT … SELECT: value ->> 0 is the first of an inner array.
func (d Dialect) Rows(param string) string {
	return d.Pick("json_each("+param+")", "jsonb_array_elements("+param+"::jsonb)")
}
