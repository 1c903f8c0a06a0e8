// Package catalog holds the built-in official sources: addresses of policy lists
// of the State Council, ministries, regulators, provinces, cities and think
// tanks, each with the public project in which the address was seen.
//
// The table is catalog.tsv, which an admin can read and import, too. The addresses were not
// checked on the live sites.
package catalog

import (
	_ "embed"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"dibao/feed"
	"dibao/feed/sourcelist"
	"dibao/policy/division"
)

//go:embed catalog.tsv
var table string

// Level is that of the body that runs a source.
type Level string

// The levels, from the highest.
const (
	Central   Level = "central"    // State Council, Central Committee, congress, courts, procuratorate
	Ministry  Level = "ministry"   // departments of the State Council
	Regulator Level = "regulator"  // departments that supervise a market
	Province  Level = "province"   // governments of provinces and their departments
	City      Level = "city"       // governments of cities and districts and their departments
	ThinkTank Level = "think-tank" // institutes that publish research
)

// Levels are all of them, in the order of the table.
var Levels = []Level{Central, Ministry, Regulator, Province, City, ThinkTank}

// Lists is what a source mainly lists.
type Lists string

// The kinds of content that sources list.
const (
	Documents       Lists = "document"
	Interpretations Lists = "interpretation"
	News            Lists = "news"
	Consultations   Lists = "consultation"
)

// AllLists are all of them.
var AllLists = []Lists{Documents, Interpretations, News, Consultations}

// Evidence is where the address of a source is known from.
type Evidence string

// The kinds of evidence, the best first.
const (
	SavedPage Evidence = "saved page" // a saved copy of the list, or of articles that name it
	Crawler   Evidence = "crawler"    // a public crawler or RSSHub route reads this address
	Paper     Evidence = "paper"      // only documentation gives the address
)

// AllEvidence are all of them.
var AllEvidence = []Evidence{SavedPage, Crawler, Paper}

// Entry is one source of the catalog.
type Entry struct {
	Source   feed.Source // without selectors, unless the list finder fails on TriedOn
	NameEN   string
	Level    Level
	Lists    Lists
	Checked  string   // day (2006-01-02) or month (2006-01) of the evidence, "" if it has none
	Evidence Evidence // what the address is known from
	SeenIn   string   // the public project and its file
	TriedOn  string   // file in testdata that the selectors were tried on
}

// LastSeen says in one clause when the source was last seen working.
func (e Entry) LastSeen() string {
	day := e.Checked
	if day == "" {
		day = "an unknown day"
	}
	if e.Evidence == Paper {
		return fmt.Sprintf("it has never been seen working; the address is from documentation dated %s (%s)", day, e.SeenIn)
	}
	return fmt.Sprintf("it was last seen working on %s (%s: %s)", day, e.Evidence, e.SeenIn)
}

// All returns the catalog in the order of the table: by level, region, name.
var All = sync.OnceValue(func() []Entry {
	all, err := read(table)
	if err != nil {
		panic("the built-in catalog is broken: " + err.Error()) // a test reads it
	}
	return all
})

// read reads a table of entries: the columns of a file of sources, and our own.
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

// Selection chooses entries; its zero value chooses all.
type Selection struct {
	Words  []string // each is a part of the name in Chinese or English, the issuer, the region or the address
	Region string   // code or a beginning of it, as policy.RegionCode returns it: 44 holds 440300
	Level  Level
	Lists  Lists
}

// Select returns the chosen entries.
func Select(all []Entry, s Selection) []Entry {
	return where(all, s.matches)
}

// Named returns the entries with this name, else all of the issuer with this
// name, else all that Select finds by the word.
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
	text := strings.ToLower(strings.Join([]string{e.Source.Name, e.NameEN, e.Source.Issuer, division.Name(e.Source.Region), e.Source.URL}, "\n"))
	return !slices.ContainsFunc(s.Words, func(w string) bool { return !strings.Contains(text, strings.ToLower(w)) })
}
