package subscribers

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"golang.org/x/text/encoding/simplifiedchinese"
	"golang.org/x/text/encoding/unicode"
	"golang.org/x/text/transform"
)

// column is what a column of an import is taken for.
type column int

// The columns that are understood; all others are passed over.
const (
	columnOther column = iota
	columnAddress
	columnLanguage
	columnFormat
	columnList
	columnState  // as we export it
	columnStatus // as others do
	columnSince
	columnConsent
	columnThemes
	columnRegions
	columnFrequency
	columnLeft // a time at which the reader left there: Mailchimp's UNSUB_TIME
	columnDead // a time at which the address was given up: CLEAN_TIME
)

// headers are the names of columns, in small letters without spaces and marks:
// ours, Mailchimp's, listmonk's, Mailman's, and Chinese ones.
var headers = map[string]column{
	"address": columnAddress, "email": columnAddress, "emailaddress": columnAddress, "mail": columnAddress, "mailaddress": columnAddress,
	"邮箱": columnAddress, "电子邮箱": columnAddress, "邮箱地址": columnAddress, "电子邮件": columnAddress, "邮件地址": columnAddress, "电子邮件地址": columnAddress,
	"邮件": columnAddress, "电邮": columnAddress, "收件人": columnAddress, "电子信箱": columnAddress,
	"language": columnLanguage, "lang": columnLanguage, "locale": columnLanguage, "语言": columnLanguage,
	"format": columnFormat, "格式": columnFormat,
	"list": columnList, "lists": columnList, "列表": columnList, "订阅列表": columnList, "邮件列表": columnList,
	"state": columnState, "status": columnStatus, "subscriptionstatus": columnStatus, "状态": columnStatus, "订阅状态": columnStatus,
	"confirmedat": columnSince, "confirmtime": columnSince, "optintime": columnSince, "订阅时间": columnSince, "确认时间": columnSince,
	"consent": columnConsent, "同意": columnConsent, "同意依据": columnConsent, "同意记录": columnConsent,
	"themes": columnThemes, "主题": columnThemes, "regions": columnRegions, "地区": columnRegions, "frequency": columnFrequency, "频率": columnFrequency,
	"unsubtime": columnLeft, "退订时间": columnLeft, "cleantime": columnDead,
}

func headerOf(name string) column {
	name = strings.ToLower(strings.Map(func(r rune) rune {
		if strings.ContainsRune(" _-.\t\u3000\ufeff:：*＊", r) {
			return -1
		}
		return r
	}, name))
	return headers[name]
}

// row is one row of an import.
type row struct {
	number   int // of the record, counting from 1 with the header
	address  string
	language string
	format   Format
	lists    []string // slugs; nil: those of the import
	state    State    // "" is confirmed
	status   string   // another provider's word
	since    time.Time
	consent  string
	choice   Choice
	left     string
	dead     string
	broken   string // why it can't be read
}

// Limits on an import.
const (
	maxImportField = 4096 // bytes of a field that is understood
	sniffed        = 64 << 10
)

// importReader reads the rows of a file as it comes: UTF-8, UTF-16 or GBK; with
// commas, semicolons, tabs or bars; with a header or one address a line.
type importReader struct {
	csv     *csv.Reader
	columns []column
	pending []string // the first record, where it is no header
	number  int
}

func newImportReader(r io.Reader) (*importReader, error) {
	text := bufio.NewReaderSize(decoded(r), sniffed)
	head, err := text.Peek(sniffed)
	if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, bufio.ErrBufferFull) {
		return nil, fmt.Errorf("read the file: %w", err)
	}
	if bytes.IndexByte(head, 0) >= 0 {
		return nil, errors.New("this is no text file; save a spreadsheet as CSV first")
	}
	// Excel says its separator in a line of its own.
	separator := separatorOf(head)
	if bytes.HasPrefix(bytes.ToLower(head), []byte("sep=")) {
		if _, err := text.ReadString('\n'); err != nil {
			return nil, errors.New("the file holds nothing but a separator")
		}
	}
	in := &importReader{csv: csv.NewReader(text)}
	in.csv.Comma, in.csv.FieldsPerRecord, in.csv.LazyQuotes, in.csv.ReuseRecord = separator, -1, true, true
	first, err := in.csv.Read()
	if errors.Is(err, io.EOF) {
		return nil, errors.New("the file is empty")
	}
	if err != nil {
		return nil, fmt.Errorf("read the file: %w", err)
	}
	for _, name := range first {
		in.columns = append(in.columns, headerOf(name))
	}
	if slices.Contains(in.columns, columnAddress) {
		in.number = 1
		return in, nil
	}
	at := slices.IndexFunc(first, func(field string) bool { return strings.Contains(field, "@") })
	if at < 0 {
		return nil, fmt.Errorf("no column of the file is an address; name one «email» or «邮箱» (there are: %s)", strings.Join(first[:min(len(first), 12)], ", "))
	}
	in.columns = make([]column, at+1)
	in.columns[at] = columnAddress
	in.pending = slices.Clone(first)
	return in, nil
}

// has reports whether the file has a column.
func (in *importReader) has(c column) bool { return slices.Contains(in.columns, c) }

// decoded turns a file into UTF-8 without a byte order mark. What is not UTF-8
// is GBK, as Chinese Excel writes it; GB18030 holds GBK and GB2312.
func decoded(r io.Reader) io.Reader {
	in := bufio.NewReaderSize(r, sniffed)
	head, _ := in.Peek(sniffed) // what there is
	switch {
	case bytes.HasPrefix(head, []byte("\xef\xbb\xbf")):
		_, _ = in.Discard(3) // it was peeked
		return in
	case bytes.HasPrefix(head, []byte("\xff\xfe")), bytes.HasPrefix(head, []byte("\xfe\xff")):
		return transform.NewReader(in, unicode.UTF16(unicode.LittleEndian, unicode.ExpectBOM).NewDecoder())
	}
	for i := 0; i < utf8.UTFMax && len(head) == sniffed && !utf8.Valid(head); i++ {
		head = head[:len(head)-1] // a character may be cut
	}
	if utf8.Valid(head) {
		return in
	}
	return transform.NewReader(in, simplifiedchinese.GB18030.NewDecoder())
}

// separatorOf returns what stands most often between the fields of the first line.
func separatorOf(head []byte) rune {
	if rest, ok := bytes.CutPrefix(bytes.ToLower(head), []byte("sep=")); ok && len(rest) > 0 {
		return rune(rest[0])
	}
	counts := make(map[rune]int)
	quoted := false
	for _, r := range string(head) {
		if r == '"' {
			quoted = !quoted
		}
		if (r == '\n' || r == '\r') && !quoted && len(counts) > 0 {
			break
		}
		if !quoted && strings.ContainsRune(",;\t|", r) {
			counts[r]++
		}
	}
	best := ','
	for _, r := range ",;\t|" {
		if counts[r] > counts[best] {
			best = r
		}
	}
	return best
}

// next returns the next row, or io.EOF. What is wrong with this row alone is
// said in it: reading goes on.
func (in *importReader) next() (row, error) {
	record := in.pending
	in.pending = nil
	in.number++
	r := row{number: in.number}
	if record == nil {
		var err error
		record, err = in.csv.Read()
		var bad *csv.ParseError
		if errors.As(err, &bad) {
			r.broken = fmt.Sprintf("is no row of fields: line %d, %v", bad.Line, bad.Err)
			return r, nil
		}
		if err != nil {
			return r, err
		}
	}
	for i, field := range record[:min(len(record), len(in.columns))] {
		switch c := in.columns[i]; {
		case c == columnOther:
		case len(field) > maxImportField:
			r.broken = fmt.Sprintf("column %d is longer than %d bytes", i+1, maxImportField)
		default:
			r.set(c, strings.TrimSpace(unguard(field)))
		}
	}
	return r, nil
}

// set takes one field over.
func (r *row) set(c column, field string) {
	if field == "" {
		return
	}
	field = strings.Clone(field) // the reader uses its record again
	switch c {
	case columnAddress:
		r.address = field
	case columnLanguage:
		r.language = strings.ToLower(field[:min(len(field), 2)])
	case columnFormat:
		if r.format = Format(strings.ToLower(field)); r.format != HTML && r.format != Text {
			r.format = ""
		}
	case columnList:
		r.lists = strings.FieldsFunc(field, func(x rune) bool { return strings.ContainsRune(",;|、；，", x) })
		for i := range r.lists {
			r.lists[i] = strings.TrimSpace(r.lists[i])
		}
	case columnState:
		r.state = State(field)
		if r.state != StateConfirmed && r.state != StatePending && r.state != StateUnsubscribed {
			r.state, r.status = "", field
		}
	case columnStatus:
		r.status = field
	case columnSince:
		r.since = instant(field)
	case columnConsent:
		r.consent = field
	case columnThemes:
		r.choice.Themes = strings.Split(field, "|")
	case columnRegions:
		r.choice.Regions = strings.Split(field, "|")
	case columnFrequency:
		r.choice.Frequency = Frequency(field)
		if err := r.choice.check(); err != nil {
			r.broken = err.Error()
		}
	case columnLeft:
		r.left = field
	case columnDead:
		r.dead = field
	}
}

// instant reads a time of our own or of Mailchimp; zero if it is none.
func instant(text string) time.Time {
	for _, layout := range []string{time.RFC3339Nano, time.DateTime, time.DateOnly} {
		if t, err := time.Parse(layout, text); err == nil {
			return t.UTC().Truncate(time.Microsecond)
		}
	}
	return time.Time{}
}

// elsewhere says why a reader whom another provider knows by this status is not
// taken, "" if they are.
func (r row) elsewhere() string {
	switch {
	case r.left != "":
		return "left at the other provider"
	case r.dead != "":
		return "was given up by the other provider"
	}
	switch strings.ToLower(r.status) {
	case "", "subscribed", "confirmed", "enabled", "active", "member", "已订阅", "已确认", "正常", "有效":
		return ""
	case "unsubscribed", "optout", "opt-out", "已退订", "退订":
		return "left at the other provider"
	case "pending", "unconfirmed", "未确认", "待确认":
		return "never confirmed at the other provider"
	}
	return fmt.Sprintf("has the state %q at the other provider", r.status)
}

// formulaStarts are what spreadsheets take a field for a formula by.
const formulaStarts = "=+-@\t\r"

// Guard keeps a spreadsheet from running a field as a formula; Import undoes it.
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
	in, err := newImportReader(r)
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
