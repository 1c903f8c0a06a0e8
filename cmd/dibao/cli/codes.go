package cli

import (
	_ "embed" // of the codes in Chinese
	"encoding/json"
	"sync"

	"dibao/templates"
)

// chineseCodes are the codes that verbs print, such as states, in Chinese by the English
// heading of their column or the key of their field, then by code.
//
//go:embed codes.zh.json
var chineseCodes []byte

// readersWords are the prefixes of the keys of codes that readers see, too: their words are
// those of the pages. By the same headings.
var readersWords = map[string]string{
	"Format": "format.", "Frequency": "frequency.", "Kind": "kind.", "Level": "level.", "Lists": "kind.", "Section": "section.", "Status": "status.",
}

var codes = sync.OnceValue(func() map[string]map[string]string {
	all := make(map[string]map[string]string)
	if err := json.Unmarshal(chineseCodes, &all); err != nil {
		panic("the table of codes in Chinese is broken: " + err.Error()) // a test reads it
	}
	return all
})

// CodeNamed returns the code of some that a word in Chinese stands for under a heading or
// the key of a field; another word as it is.
func CodeNamed[T ~string](key, word string, of []T) T {
	for _, code := range of {
		if Code(heading(key), string(code)) == word {
			return code
		}
	}
	return T(word)
}

// Code returns a code in Chinese by the heading that it stands under, such as "State"; what is not
// a code there stays as it is.
func Code(heading, code string) string {
	if chinese, ok := codes()[heading][code]; ok {
		return chinese
	}
	if prefix := readersWords[heading]; prefix != "" {
		if chinese := templates.Words("zh", prefix+code); chinese != prefix+code {
			return chinese
		}
	}
	return code
}
