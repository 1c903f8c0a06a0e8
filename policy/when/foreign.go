package when

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// maxMonthName is the maximum number of bytes of the name of a month.
const maxMonthName = 20

// foreignMonths are the names of months in other languages, as dates use them. Words that
// are different months in two languages are left out: listopada.
var foreignMonths = foreignNames(
	"januar januari janvier enero janeiro gennaio stycznia ledna января січня ianuarie ocak tammikuuta",
	"februar februari février fevrier febrero fevereiro febbraio lutego února февраля лютого februarie şubat helmikuuta",
	"märz mars marts marzo março maart maret marca března марта березня martie mart maaliskuuta",
	"avril abril aprile kwietnia dubna апреля квітня aprilie nisan huhtikuuta",
	"mai maj mei mayo maio maggio maja května мая травня mayıs toukokuuta",
	"juni juin junio junho giugno czerwca června июня червня iunie haziran kesäkuuta",
	"juli juillet julio julho luglio lipca července июля липня iulie temmuz heinäkuuta",
	"augusti août aout agosto augustus agustus sierpnia srpna августа серпня ağustos elokuuta",
	"septembre septiembre setembro settembre września září сентября вересня septembrie eylül syyskuuta",
	"oktober octobre octubre outubro ottobre października října октября жовтня octombrie ekim lokakuuta",
	"novembre noviembre novembro листопада noiembrie ноября kasım marraskuuta",
	"dezember desember décembre decembre diciembre dezembro dicembre grudnia prosince декабря грудня decembrie aralık joulukuuta",
)

func foreignNames(months ...string) map[string]int {
	all := make(map[string]int)
	for i, names := range months {
		for name := range strings.FieldsSeq(names) {
			all[name] = i + 1
		}
	}
	return all
}

// foreignMonth reads a date whose month is in another language: 27 de noviembre de 2026,
// 27. Dezember 2026. Without a day before it, the word does not count as a month, because
// some are also other words: mars, mai.
func (sc *scanner) foreignMonth(m, start, end int) {
	n := len(sc.tokens)
	if n == 0 || sc.tokens[n-1].kind != bare {
		return
	}
	day := sc.tokens[n-1]
	if rest := strings.TrimPrefix(sc.s[day.end:start], "er"); len(rest) > len(" de ") || linkLength(rest) != len(rest) {
		return
	}
	t := token{kind: monthDay, start: day.start, end: end, m: m, d: day.d}
	if year := sc.digits(end + linkLength(sc.s[end:])); year.digits() == 4 && isYear(year.value) {
		t.kind, t.y, t.end = fullDate, year.value, year.end
	}
	if t.kind == fullDate && MakeDate(t.y, t.m, t.d).IsZero() {
		return
	}
	if next, _ := utf8.DecodeRuneInString(strings.TrimLeft(sc.s[end:], " ")); t.kind == monthDay && unicode.IsLetter(next) {
		return // 第3 mai 版 is not a date
	}
	sc.tokens = sc.tokens[:n-1]
	sc.push(t)
}

// linkLength returns the length of the text at the beginning of s that joins the parts of a
// date.
func linkLength(s string) int {
	i := 0
	for i < len(s) && i < 3 && strings.IndexByte(" .,\x1f", s[i]) >= 0 {
		i++
	}
	for _, word := range []string{"de ", "del "} {
		if i > 0 && strings.HasPrefix(s[i:], word) {
			return i + len(word)
		}
	}
	return i
}

// letterAt returns the length of the Latin or Cyrillic letter at the beginning of s, 0 if
// there is none.
func letterAt(s string) int {
	switch c := s[0]; {
	case isLetter(c):
		return 1
	case len(s) > 1 && (c >= 0xC3 && c <= 0xC9 || c == 0xD0 || c == 0xD1):
		return 2
	}
	return 0
}
