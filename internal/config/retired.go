package config

import "fmt"

// retiredKeys are keys of earlier versions. A value that requests their former effect is
// refused with advice; the former default is ignored.
var retiredKeys = []struct{ section, name, standard, instead string }{
	{"fetch", "allow_private", "false", "is no longer read, because it opened your network to every link and redirect; remove it and permit each source: dibao source edit SOURCE --private"},
}

// retired removes the keys of earlier versions from tree.
func retired(file string, content []byte, tree map[string]any, getenv func(string) string) (problems []error) {
	for _, r := range retiredKeys {
		section, _ := tree[r.section].(map[string]any)
		if v, ok := section[r.name]; ok {
			delete(section, r.name)
			if scalar(v) != r.standard {
				problems = append(problems, fmt.Errorf("%s:%d: %s in [%s] %s", file, lineOf(content, r.section, r.name), r.name, r.section, r.instead))
			}
		}
		env := key{section: r.section, name: r.name}.env()
		if v := getenv(env); v != "" && v != r.standard {
			problems = append(problems, fmt.Errorf("%s: %s in [%s] %s", env, r.name, r.section, r.instead))
		}
	}
	return problems
}
