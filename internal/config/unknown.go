package config

import (
	"fmt"
	"strings"
)

// maxUnknown is the maximum number of unknown keys that are reported: each is searched for
// in the whole file, and more of them mean that it is another kind of file.
const maxUnknown = 20

// unknown finds keys that are not in the table.
func unknown(file string, content []byte, tree map[string]any) []error {
	known := make(map[string]bool)
	var sections, names []string
	for _, k := range keys {
		if !known[k.section] {
			sections = append(sections, k.section)
		}
		known[k.section], known[k.section+"."+k.name] = true, true
		if k.isFromFile() {
			known[k.section+"."+k.name+"_file"] = true
		}
	}
	var problems []error
	for section, value := range tree {
		if len(problems) >= maxUnknown {
			break
		}
		inner, isTable := value.(map[string]any)
		if !known[section] || !isTable {
			problems = append(problems, fmt.Errorf("%s:%d: unknown section [%s]%s", file, lineOf(content, "", section), section, suggest(section, sections)))
			continue
		}
		names = names[:0]
		for _, k := range keys {
			if k.section == section {
				names = append(names, k.name)
			}
		}
		for name := range inner {
			if !known[section+"."+name] && len(problems) < maxUnknown {
				problems = append(problems, fmt.Errorf("%s:%d: unknown key %q in [%s]%s", file, lineOf(content, section, name), name, section, suggest(name, names)))
			}
		}
	}
	return problems
}

// lineOf returns the line of a key in a section, 1 if it is not found.
func lineOf(content []byte, section, name string) int {
	current := ""
	for i, line := range strings.Split(string(content), "\n") {
		line = strings.TrimSpace(line)
		if strings.HasPrefix(line, "[") {
			current = strings.Trim(strings.SplitN(line, "]", 2)[0], "[] ")
			if section == "" && current == name {
				return i + 1
			}
		}
		before, _, found := strings.Cut(line, "=")
		if found && strings.TrimSpace(before) == name && current == section {
			return i + 1
		}
	}
	return 1
}

// suggest returns the known word that is most similar, if one is similar enough.
func suggest(word string, known []string) string {
	best, distance := "", 4
	for _, k := range known {
		if d := editDistance(word, k); d < distance {
			best, distance = k, d
		}
	}
	if best == "" {
		return "; known keys: " + strings.Join(known, ", ")
	}
	return fmt.Sprintf("; did you mean %q?", best)
}

// editDistance counts the letters to change, insert or delete (Levenshtein).
func editDistance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := 1; i <= len(a); i++ {
		diagonal := row[0]
		row[0] = i
		for j := 1; j <= len(b); j++ {
			cost := diagonal
			if a[i-1] != b[j-1] {
				cost++
			}
			diagonal = row[j]
			row[j] = min(cost, row[j]+1, row[j-1]+1)
		}
	}
	return row[len(b)]
}
