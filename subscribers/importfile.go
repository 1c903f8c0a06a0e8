package subscribers

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"dibao/internal/rows"
	"dibao/policy/division"
	"dibao/policy/match"
	"dibao/policy/theme"
)

// row is one row of an import.
type row struct {
	number   int // number of the record, counting from 1 including the header
	address  string
	language string
	format   Format
	lists    []string // slugs; nil means the lists of the import
	state    State    // "" means confirmed
	since    time.Time
	consent  string
	choice   Choice
	profile  match.Profile
	gone     string // why a reader is excluded by another provider's columns
	broken   string // why the row can't be read
	remarks  []string
}

// maxImportField is the maximum length, in bytes, of a field with a known meaning.
const maxImportField = 4096

// importReader reads the rows of a file one by one, with a header or without.
type importReader struct {
	rows     *rows.Reader
	names    []string // names of the columns
	columns  []column
	pending  []rows.Row // rows that were read to determine the columns
	number   int        // number of the row, counting from 1 including the header
	suspects *suspects
}

func newImportReader(r io.Reader, choice ColumnChoice) (*importReader, error) {
	table, err := rows.NewReader(r, func(first []string) bool {
		return slices.ContainsFunc(first, func(name string) bool { return slices.Contains(sureAddress(), plain(name)) })
	})
	if err != nil {
		return nil, err
	}
	first, err := table.Read()
	if err != nil {
		return nil, err
	}
	in := &importReader{rows: table, names: slices.Clone(first.Fields), suspects: newSuspects(len(first.Fields))}
	if slices.ContainsFunc(first.Fields, func(field string) bool { return strings.Contains(field, "@") }) {
		in.pending = []rows.Row{first}
		return in, in.withoutHeader(choice)
	}
	in.number = 1
	second, err := table.Read()
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	if err == nil {
		in.pending = []rows.Row{second}
	}
	in.columns, err = columnsOf(in.names, second.Fields, choice)
	return in, err
}

// withoutHeader uses numbers as the names of the columns of a file without a header.
func (in *importReader) withoutHeader(choice ColumnChoice) (err error) {
	var addresses []int
	for i, field := range in.names {
		if strings.Contains(field, "@") {
			addresses = append(addresses, i)
		}
		in.names[i] = strconv.Itoa(i + 1)
	}
	if choice.Address == "" && len(addresses) > 1 {
		return fmt.Errorf("the file has no header and %d addresses in its first row; specify one with --column NUMBER, counting from 1", len(addresses))
	}
	if choice.Address == "" {
		choice.Address = in.names[addresses[0]]
	}
	in.columns, err = columnsOf(in.names, nil, choice)
	return err
}

// has reports whether the file has a column.
func (in *importReader) has(c column) bool { return slices.Contains(in.columns, c) }

// next returns the next row, or io.EOF after the last if all columns are
// understood. An error of this row alone is recorded in it, and reading
// continues.
func (in *importReader) next() (row, error) {
	in.number++
	r := row{number: in.number}
	record, err := in.record()
	if errors.Is(err, io.EOF) {
		if err := in.suspects.check(in.names); err != nil {
			return r, err
		}
	}
	if err != nil {
		return r, err
	}
	for i, field := range record.Fields {
		switch c := in.columns[i]; {
		case c == columnHarmless:
		case c == columnOther:
			in.suspects.look(i, field)
		case len(field) > maxImportField:
			r.broken = fmt.Sprintf("column %d is longer than %d bytes", i+1, maxImportField)
		case c == columnAddress:
			r.address = unguard(field)
		default:
			r.set(c, in.names[i], strings.TrimSpace(unguard(field)))
		}
	}
	return r, nil
}

func (in *importReader) record() (rows.Row, error) {
	if len(in.pending) > 0 {
		record := in.pending[0]
		in.pending = nil
		return record, nil
	}
	return in.rows.Read()
}

// set stores one field in the row.
func (r *row) set(c column, name, field string) {
	if c == columnState {
		if r.state = State(field); field == "" || r.state == StateConfirmed || r.state == StatePending || r.state == StateUnsubscribed {
			return
		}
		r.state, c = "", columnStatus
	}
	switch c {
	case columnStatus, columnKind, columnAgreed, columnLeft, columnSaid:
		if why := elsewhere(c, name, field); why != "" && r.gone == "" {
			r.gone = fmt.Sprintf("%s (column %q: %s)", why, strings.TrimSpace(name), clipField(field))
		}
		return
	}
	if field == "" {
		return
	}
	switch c {
	case columnLanguage:
		if r.language = cmp.Or(languageWords[field], strings.ToLower(field[:min(len(field), 2)])); r.language != language(r.language) {
			r.language = ""
			r.leaveOut(name, field)
		}
	case columnFormat:
		if r.format = cmp.Or(formatWords[field], Format(strings.ToLower(field))); r.format != HTML && r.format != Text {
			r.format = ""
			r.leaveOut(name, field)
		}
	case columnList:
		r.lists = strings.FieldsFunc(field, func(x rune) bool { return strings.ContainsRune(",;|、；，", x) })
		for i := range r.lists {
			r.lists[i] = strings.TrimSpace(r.lists[i])
		}
	case columnSince:
		if r.since = instant(field); r.since.IsZero() {
			r.leaveOut(name, field)
		}
	case columnConsent:
		r.consent = field
	case columnThemes:
		for _, t := range strings.Split(field, "|") {
			r.choice.Themes = append(r.choice.Themes, theme.Named(t))
		}
	case columnRegions:
		for _, region := range strings.Split(field, "|") {
			switch code := division.Code(region); {
			case code == "":
				r.leaveOut(name, region)
			case division.Name(region) != "": // a code, as we export it
				r.choice.Regions = append(r.choice.Regions, region)
			default:
				r.choice.Regions = append(r.choice.Regions, code)
			}
		}
	case columnProfile:
		r.describe(name, field)
	case columnFrequency:
		r.choice.Frequency = cmp.Or(frequencyWords[field], Frequency(field))
		if err := r.choice.check(); err != nil {
			r.broken = err.Error()
		}
	}
}

// describe stores the values of a column of the profile. In a column of our export, an
// unknown value is a mistake; other files have words of their own.
func (r *row) describe(name, field string) {
	target := profileHeaders()[plain(name)]
	if strings.HasPrefix(plain(name), "profile") {
		if err := SetProfileField(&r.profile, target, strings.Split(field, "|")); err != nil {
			r.broken = err.Error()
		}
		return
	}
	var known []string
	for _, v := range strings.FieldsFunc(field, func(x rune) bool { return strings.ContainsRune("|、；;，,", x) }) {
		p := r.profile
		if err := SetProfileField(&p, target, append(slices.Clone(known), strings.TrimSpace(v))); err != nil {
			r.leaveOut(name, v)
			continue
		}
		known, r.profile = append(known, strings.TrimSpace(v)), p
	}
}

// leaveOut notes that the import does not use a value.
func (r *row) leaveOut(name, field string) {
	r.remarks = append(r.remarks, fmt.Sprintf("%q in the column %q is not understood and was left out", clipField(field), strings.TrimSpace(name)))
}

// instant reads a time in our format or that of Mailchimp; zero if it is not one.
func instant(text string) time.Time {
	for _, layout := range []string{time.RFC3339Nano, time.DateTime, time.DateOnly} {
		if t, err := time.Parse(layout, text); err == nil {
			return t.UTC().Truncate(time.Microsecond)
		}
	}
	return time.Time{}
}

// formulaStarts are the characters that make a spreadsheet read a field as a formula.
const formulaStarts = "=+-@\t\r"

// Guard prevents a spreadsheet from running a field as a formula; Import removes the mark.
func Guard(field string) string {
	if field != "" && (field[0] == '\'' || strings.IndexByte(formulaStarts, field[0]) >= 0) {
		return "'" + field
	}
	return field
}

func unguard(field string) string {
	if len(field) > 1 && field[0] == '\'' && (field[1] == '\'' || strings.IndexByte(formulaStarts, field[1]) >= 0) {
		return field[1:]
	}
	return field
}

// ReadAddresses returns the addresses of a file as Import reads it, unchecked.
func ReadAddresses(r io.Reader) ([]string, error) {
	in, err := newImportReader(r, ColumnChoice{})
	if err != nil {
		return nil, err
	}
	var all []string
	for {
		x, err := in.next()
		if errors.Is(err, io.EOF) {
			return all, nil
		}
		if err != nil {
			return nil, err
		}
		all = append(all, x.address)
	}
}
