package database

import (
	"context"
	"database/sql"
)

// Row is a row of a result: *sql.Row or *sql.Rows.
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

// CollectMap runs a query and scans every row of its result into a key and its
// value. If several rows have one key, the last counts.
func CollectMap[K comparable, V any](ctx context.Context, tx *sql.Tx, scan func(Row) (K, V, error), query string, args ...any) (map[K]V, error) {
	rows, err := tx.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	all := make(map[K]V)
	for rows.Next() {
		k, v, err := scan(rows)
		if err != nil {
			return nil, err
		}
		all[k] = v
	}
	return all, rows.Err()
}

// ScanPair scans a row of two columns.
func ScanPair[K comparable, V any](r Row) (k K, v V, err error) {
	err = r.Scan(&k, &v)
	return k, v, err
}

// IDs returns a subquery for the integers of a JSON array, for "id IN (…)"; param is the
// placeholder of the array, such as $1.
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

// Rows returns a table of the elements of a JSON array, one per row in its
// column value, for INSERT … SELECT: value ->> 0 is the first of an inner
// array.
func (d Dialect) Rows(param string) string {
	return d.Pick("json_each("+param+")", "jsonb_array_elements("+param+"::jsonb)")
}

// DayOf returns the SQL for the day, YYYY-MM-DD, of an instant in a zone that
// is ahead of UTC by the seconds of a parameter.
func (d Dialect) DayOf(column, seconds string) string {
	return d.Pick(`date(`+column+`, `+seconds+` || ' seconds')`, `to_char(`+column+` AT TIME ZONE 'UTC' + make_interval(secs => `+seconds+`::double precision), 'YYYY-MM-DD')`)
}
