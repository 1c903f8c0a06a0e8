// Package catalog holds the built-in official sources: addresses of policy lists
// of the State Council, ministries, regulators, provinces, cities and think
// tanks, each with the public project in which the address was seen.
//
// The table is catalog.tsv, which admins can also read and import. The addresses were not
// checked on the live sites.
package catalog

import (
	_ "embed"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"

	"dibao/feed"
	"dibao/feed/sourcelist"
	"dibao/internal/lazyregexp"
	"dibao/policy/division"
)

//go:embed catalog.tsv
var table string

// Level is the administrative level of the body that runs a source.
type Level string

// The levels, highest first.
const (
	Central   Level = "central"    // State Council, Central Committee, congress, courts, procuratorate
	Ministry  Level = "ministry"   // departments of the State Council
	Regulator Level = "regulator"  // departments that supervise a market
	Province  Level = "province"   // governments of provinces and their departments
	City      Level = "city"       // governments of cities and districts and their departments
	ThinkTank Level = "think-tank" // institutes that publish research
)

// Levels contains all levels, in the order of the table.
var Levels = []Level{Central, Ministry, Regulator, Province, City, ThinkTank}

// Lists is the kind of content that a source mainly lists.
type Lists string

// The kinds of content that sources list.
const (
	Documents       Lists = "document"
	Interpretations Lists = "interpretation"
	News            Lists = "news"
	Consultations   Lists = "consultation"
)

// AllLists contains all of them.
var AllLists = []Lists{Documents, Interpretations, News, Consultations}

// Evidence says where the address of a source comes from.
type Evidence string

// The kinds of evidence, best first.
const (
	SavedPage Evidence = "saved page" // a saved copy of the list, or of articles that link to it
	Crawler   Evidence = "crawler"    // a public crawler or RSSHub route reads this address
	Paper     Evidence = "paper"      // only documentation gives the address
)

// AllEvidence contains all of them.
var AllEvidence = []Evidence{SavedPage, Crawler, Paper}

// Entry is one source of the catalog.
type Entry struct {
	Source   feed.Source // without selectors, unless the list finder fails on TriedOn
	NameEN   string
	Level    Level
	Lists    Lists
	Checked  string   // day (2006-01-02) or month (2006-01) of the evidence, "" if unknown
	Evidence Evidence // where the address comes from
	SeenIn   string   // the public project and its file
	TriedOn  string   // file in testdata with which the selectors were tested
}

// LastSeen says in one clause where the address is known from.
func (e Entry) LastSeen() string {
	day := e.Checked
	if day == "" {
		day = "an unknown day"
	}
	switch e.Evidence {
	case SavedPage:
		return fmt.Sprintf("a copy of the page was saved on %s: %s", day, e.SeenIn)
	case Crawler:
		return fmt.Sprintf("a public crawler read the address as of %s: %s", day, e.SeenIn)
	}
	return fmt.Sprintf("the address is known only from documentation of %s: %s", day, e.SeenIn)
}

// All returns the catalog in the order of the table: by level, region and name.
var All = sync.OnceValue(func() []Entry {
	all, err := read(table)
	if err != nil {
		panic("the built-in catalog is broken: " + err.Error()) // a test reads the catalog
	}
	return all
})

// read reads a table of entries: the columns of a file of sources, and those of the
// catalog.
func read(text string) (all []Entry, err error) {
	file, err := sourcelist.ReadTSV(strings.NewReader(text))
	if err != nil {
		return nil, err
	}
	lines := strings.Split(text, "\n")
	heads := strings.Split(lines[0], "\t")
	for _, row := range file.Rows {
		if row.Problem != nil {
			err = errors.Join(err, fmt.Errorf("line %d: %w", row.Line, row.Problem))
			continue
		}
		cells := strings.Split(lines[row.Line-1], "\t")
		if len(cells) != len(heads) {
			err = errors.Join(err, fmt.Errorf("line %d has %d cells, not %d", row.Line, len(cells), len(heads)))
			continue
		}
		cell := func(head string) string { return cells[slices.Index(heads, head)] }
		e := Entry{
			Source: row.Source, NameEN: cell("name_en"), Level: Level(cell("level")), Lists: Lists(cell("lists")),
			Checked: cell("checked"), Evidence: Evidence(cell("evidence")), SeenIn: cell("seen_in"), TriedOn: cell("tried_on"),
		}
		e.Source.Licence = feed.LicenceOfficial
		all = append(all, e)
	}
	return all, err
}

// Selection selects entries; its zero value selects all.
type Selection struct {
	Words  []string // each must be part of the Chinese or English name, the issuer, the region or the address
	Region string   // code or prefix of a code, as policy.RegionCode returns it: 44 includes 440300
	Level  Level
	Lists  Lists
}

// Select returns the selected entries.
func Select(all []Entry, s Selection) []Entry {
	return where(all, s.matches)
}

// Named returns the entries with this name. If there are none, it returns those of the
// issuer with this name, else those that Select finds for the word.
func Named(all []Entry, word string) []Entry {
	for _, is := range []func(Entry) bool{
		func(e Entry) bool { return e.Source.Name == word || strings.EqualFold(e.NameEN, word) },
		func(e Entry) bool { return e.Source.Issuer == word },
	} {
		if chosen := where(all, is); len(chosen) > 0 {
			return chosen
		}
	}
	return Select(all, Selection{Words: []string{word}})
}

func where(all []Entry, is func(Entry) bool) (chosen []Entry) {
	for _, e := range all {
		if is(e) {
			chosen = append(chosen, e)
		}
	}
	return chosen
}

func (s Selection) matches(e Entry) bool {
	if s.Level != "" && e.Level != s.Level || s.Lists != "" && e.Lists != s.Lists {
		return false
	}
	if !strings.HasPrefix(division.TrimCode(e.Source.Region), s.Region) {
		return false
	}
	text := separate(strings.Join([]string{e.Source.Name, e.NameEN, e.Source.Issuer, division.Name(e.Source.Region), e.Source.URL}, "\n"))
	return !slices.ContainsFunc(s.Words, func(w string) bool { return !hasWord(text, separate(w)) })
}

// people matches the beginning of names such as 人民政府, 人民法院 and 人民银行, because 民政 is
// not a word in 人民政府.
var people = lazyregexp.New(`人民(\p{Han})`)

// separate returns a text in lower case with a space between 人民 and what follows it.
func separate(text string) string {
	return people.ReplaceAllString(strings.ToLower(text), "人民 $1")
}

// hasWord reports whether a text has a word: Chinese anywhere, other words at the beginning of one.
func hasWord(text, word string) bool {
	for at := 0; ; {
		i := strings.Index(text[at:], word)
		if i < 0 {
			return false
		}
		at += i
		before, _ := utf8.DecodeLastRuneInString(text[:at])
		first, size := utf8.DecodeRuneInString(word)
		if unicode.Is(unicode.Han, first) || !unicode.IsLetter(before) && !unicode.IsDigit(before) || unicode.Is(unicode.Han, before) {
			return true
		}
		at += max(size, 1)
	}
}
