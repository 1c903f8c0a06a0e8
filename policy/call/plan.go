package call

import (
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"dibao/policy/words"
)

// Plan is something that a body plans to buy (采购意向). What the text does not state is empty.
type Plan struct {
	What     string // the name of the project, as printed
	Yuan     int64  // the budget
	Month    string // when the purchase is planned to begin, such as 2026-07
	Evidence string // the row or the line that states What
	In       string `json:",omitempty"` // as in Said
}

var (
	// intends matches titles of planned purchases, but not those that ask suppliers or bodies
	// for something: 采购意向征集, 采购意向调查, 采购意向单位. planned, budget, begins and buys match the
	// labels, or the heads of columns, of a project, its budget, its month and the buyer.
	intends  = words.New(`采购意向[^征调询供厂单]*$`)
	planned  = words.New(`^(?:采购)?项目名称$`)
	budget   = words.New(`^(?:采购)?(?:项目)?预算(?:总)?(?:金额|价|额)?(?:\((万|亿)?元[^()]*\))?$`)
	begins   = words.New(`^(?:预计|计划|拟)(?:实施)?采购(?:时间|月份|日期)(?:\([^()]*\))?$`)
	buys     = words.New(`^采购(?:单位|人)(?:名称)?$`)
	theMonth = words.New(`^(20\d{2})(?:年(\d{1,2})月?(?:\d{1,2}日)?|[-./](\d{1,2})(?:[-./]\d{1,2})?|(\d{2}))$`)
	theSum   = words.New(`^(\d[\d,]*(?:\.\d+)?)(?:(万|亿)?(元))?$`)
	// ofBuyer matches the body in the sentence before a table of plans, or before the period in
	// a title.
	ofBuyer = words.New(`^(?:[^。;]*现将\s*)?(\p{Han}[\p{Han}()]{2,40}?)(?:\(本级\))?\s*(?:关于)?(?:公开|公布|发布)?(?:19|20)\d{2}年[^,。;]{0,20}采购意向`)
	// answersPlan matches what readers may do by a day in a text about plans.
	answersPlan = words.New(`意见|反馈|咨询|建议|疑问|异议|报名`)
	// ofAll matches the first cell of the row with the sum of a table.
	ofAll     = words.New(`^(?:合计|总计|小计|共计)`)
	rowNumber = words.New(`^\d{1,3}$`)
	// notBuyer matches how a body refers to itself, words with which the name of a body does not
	// begin (关于公开, 为便于…) or end (关于开展), and places, whose bodies buy.
	notBuyer = words.New(`^(?:本|我)(?:单位|部门|机构|[局厅委院校会])$|^(?:关于|为|根据|按照|以下|现)|(?:开展|做好|推进|加强)$|[省市县区州]$`)
)

// planTable says which columns of a table state what is planned; -1: none does.
type planTable struct {
	what, yuan, month int
	columns           int
	number            int    // number of the last row, as printed; 0 if rows have none; lastNumber if the table has ended
	isSpaced          bool   // the cells of a page's table have spaces between them, others bars
	unit              string // unit of the budgets, as in units; meaningful if hasUnit
	hasUnit           bool
}

// plans reads what a body plans to buy: the rows of a table, or lines with labels.
func (r *reading) plans(l line) {
	if r.call.Kind != KindIntention {
		return
	}
	r.buyer(l)
	isSpaced := !strings.Contains(l.text, "|")
	cells := cellsOf(l.text, isSpaced)
	t, isHead := planTableOf(l.text, cells)
	switch {
	case isHead:
		t.isSpaced = isSpaced
		r.table = &t
	case r.table != nil && r.table.isSpaced == isSpaced && r.planRow(l, cells, *r.table):
		r.table.number = numberOf(l.text, cells)
	case r.table != nil && r.table.isSpaced == isSpaced && r.table.isRow(l.text, cells):
		n := numberOf(l.text, cells)
		if n > 0 && n <= r.table.number {
			r.table.number = lastNumber // another table counts from 1 again
			return
		}
		r.table.number = n
		if row := l.sentence(0, len(l.text)); len(r.call.Unread) < maxEntries {
			r.call.Unread = append(r.call.Unread, Said{row, row, l.in})
		}
	case isPlanLabel(l.text, cells[0]):
		r.labelCells(l, cells)
	case len(cells) == 1 || isSpaced:
		r.planLabels(l, trimmed(l.text, 0, len(l.text)))
	}
}

// planRow reads a row of a table; ok is false if the line is not one. Where spaces separate the
// cells, a cell may be empty or contain a space, so that only rows count whose budget and month
// are in their columns.
func (r *reading) planRow(l line, cells [][2]int, t planTable) (ok bool) {
	if t.isSpaced && len(cells) > t.columns || len(cells) <= max(t.what, t.yuan, t.month) || len(r.call.Plans) >= maxEntries {
		return false
	}
	p := Plan{What: l.printed(cells[t.what][0], cells[t.what][1]), Evidence: l.sentence(cells[t.what][0], cells[t.what][1]), In: l.in}
	if t.yuan >= 0 {
		p.Yuan = t.sum(cellText(l.text, cells[t.yuan]))
	}
	if t.month >= 0 {
		p.Month = monthOf(cellText(l.text, cells[t.month]))
	}
	if p.What == "" || ofAll.MatchString(squeezed(p.What)) || p.Yuan == 0 && p.Month == "" || t.isSpaced && (t.yuan >= 0 && p.Yuan == 0 || t.month >= 0 && p.Month == "") {
		return false
	}
	r.call.Plans = append(r.call.Plans, p)
	return true
}

// isRow reports whether a line that planRow does not understand is a row of the table: it begins
// with its number, or has the cells of the head and a name.
func (t planTable) isRow(text string, cells [][2]int) bool {
	first := squeezed(cellText(text, cells[0]))
	if ofAll.MatchString(first) || len(cells) < 3 || isPlanLabel(text, cells[0]) {
		return false
	}
	return rowNumber.MatchString(first) || !t.isSpaced && len(cells) == t.columns && isName(squeezed(cellText(text, cells[t.what])))
}

// lastNumber is the largest number that numberOf returns.
const lastNumber = 999

// numberOf returns the number with which a row begins, 0 if it does not begin with one.
func numberOf(text string, cells [][2]int) int {
	first := squeezed(cellText(text, cells[0]))
	if !rowNumber.MatchString(first) {
		return 0
	}
	n, _ := strconv.Atoi(first)
	return n
}

// isName reports whether a cell has the name of a project: not a sum of all, and not only signs.
func isName(cell string) bool {
	return !ofAll.MatchString(cell) && strings.ContainsFunc(cell, unicode.IsLetter)
}

func isPlanLabel(text string, cell [2]int) bool {
	name := squeezed(cellText(text, cell))
	return planned.MatchString(name) || budget.MatchString(name) || begins.MatchString(name) || buys.MatchString(name)
}

// labelCells reads a row whose cells are labels, each followed by its value.
func (r *reading) labelCells(l line, cells [][2]int) {
	for i := 0; i < len(cells); {
		end := i + 1
		for end < len(cells) && !isPlanLabel(l.text, cells[end]) {
			end++
		}
		if end > i+1 {
			r.planLabel(l, cellText(l.text, cells[i]), [2]int{cells[i+1][0], cells[end-1][1]})
		}
		i = end
	}
}

// planLabels reads the labels of a line: 采购项目名称:…;预算金额:….
func (r *reading) planLabels(l line, at [2]int) {
	for from := at[0]; from < at[1]; {
		to := at[1]
		if i := clauseEnd(l.text[from:to]); i >= 0 {
			to = from + i
		}
		if label, _, found := strings.Cut(l.text[from:to], ":"); found {
			r.planLabel(l, numbered.ReplaceAllString(label, ""), trimmed(l.text, from+len(label)+1, to))
		}
		_, size := utf8.DecodeRuneInString(l.text[to:])
		from = to + size
	}
}

// planLabel reads the value of a label. The labels after a name state its budget and month.
func (r *reading) planLabel(l line, name string, value [2]int) {
	name = squeezed(name)
	n := len(r.call.Plans)
	text := cellText(l.text, value)
	switch {
	case text == "":
	case planned.MatchString(name) && n < maxEntries:
		r.call.Plans = append(r.call.Plans, Plan{What: l.printed(value[0], value[1]), Evidence: l.sentence(value[0], value[1]), In: l.in})
	case buys.MatchString(name):
		r.setBuyer(l, value[0], value[1])
	case n == 0:
	case budget.MatchString(name) && r.call.Plans[n-1].Yuan == 0:
		m := budget.FindStringSubmatch(name)
		t := planTable{unit: m[1], hasUnit: strings.Contains(name, "元")}
		r.call.Plans[n-1].Yuan = t.sum(text)
	case begins.MatchString(name) && r.call.Plans[n-1].Month == "":
		r.call.Plans[n-1].Month = monthOf(text)
	}
}

// buyer reads the name of the body from a title, or from the sentence before a table.
func (r *reading) buyer(l line) {
	if m := ofBuyer.FindStringSubmatchIndex(l.text); m != nil {
		r.setBuyer(l, m[2], m[3])
	}
}

func (r *reading) setBuyer(l line, from, to int) {
	if r.call.Buyer.Value == "" && !notBuyer.MatchString(l.text[from:to]) {
		r.call.Buyer = Said{l.printed(from, to), l.sentence(from, to), l.in}
	}
}

// planTableOf reads the head of a table. A row of labels and values is not one.
func planTableOf(text string, cells [][2]int) (t planTable, ok bool) {
	t = planTable{what: -1, yuan: -1, month: -1, columns: len(cells)}
	for i, c := range cells {
		name := squeezed(cellText(text, c))
		switch {
		case theSum.MatchString(name), theMonth.MatchString(name):
			return t, false
		case t.what < 0 && planned.MatchString(name):
			t.what = i
		case t.yuan < 0 && budget.MatchString(name):
			t.yuan, t.unit, t.hasUnit = i, budget.FindStringSubmatch(name)[1], strings.Contains(name, "元")
		case t.month < 0 && begins.MatchString(name):
			t.month = i
		}
	}
	return t, t.what >= 0 && (t.yuan >= 0 || t.month >= 0)
}

// sum reads a budget in yuan; 0 if neither it nor the head of its column has a unit.
func (t planTable) sum(text string) int64 {
	m := theSum.FindStringSubmatch(squeezed(text))
	switch {
	case m == nil:
		return 0
	case m[3] != "":
		return yuan(m[1], m[2])
	case t.hasUnit:
		return yuan(m[1], t.unit)
	}
	return 0
}

// monthOf reads a month: 2026年7月, 2026-07-15 and 202607 are 2026-07; "" for anything else.
func monthOf(text string) string {
	m := theMonth.FindStringSubmatch(squeezed(text))
	if m == nil {
		return ""
	}
	month, _ := strconv.Atoi(m[2] + m[3] + m[4])
	if month < 1 || month > 12 {
		return ""
	}
	return m[1] + "-" + string([]byte{'0' + byte(month/10), '0' + byte(month%10)})
}

// cellsOf returns the positions of the cells of a row, without the spaces around them. Spaces
// separate them in the lines of a page, bars elsewhere.
func cellsOf(text string, isSpaced bool) (all [][2]int) {
	from, to := 0, len(text)
	if strings.HasPrefix(text, "|") {
		from = 1
	}
	if to > from && strings.HasSuffix(text, "|") {
		to--
	}
	for from < to {
		i := strings.IndexFunc(text[from:to], func(c rune) bool { return c == '|' || isSpaced && unicode.IsSpace(c) })
		if i < 0 {
			i = to - from
		}
		if cell := trimmed(text, from, from+i); !isSpaced || cell[0] < cell[1] {
			all = append(all, cell)
		}
		_, size := utf8.DecodeRuneInString(text[from+i:])
		from += i + size
	}
	if all == nil {
		all = [][2]int{trimmed(text, 0, len(text))}
	}
	return all
}

func trimmed(text string, from, to int) [2]int {
	s := text[from:to]
	from += len(s) - len(strings.TrimLeft(s, " "))
	return [2]int{from, from + len(strings.TrimSpace(s))}
}

func cellText(text string, cell [2]int) string { return text[cell[0]:cell[1]] }

func squeezed(s string) string { return strings.Join(strings.Fields(s), "") }
