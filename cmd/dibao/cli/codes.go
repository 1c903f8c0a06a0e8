package cli

import (
	_ "embed" // for the codes in Chinese
	"encoding/json"
	"sync"

	"dibao/templates"
)

// chineseCodes maps codes that commands print, such as states, to Chinese: by
// the English heading of their column or the key of their field, then by code.
//
//go:embed codes.zh.json
var chineseCodes []byte

// readersWords maps the same headings to prefixes of keys in the catalog, for codes
// that readers also see: these use the words of the pages.
var readersWords = map[string]string{
	"Format": "format.", "Frequency": "frequency.", "Kind": "kind.", "Level": "level.", "Lists": "kind.", "Section": "section.", "Status": "status.", "Value": "industry.",
}

var codes = sync.OnceValue(func() map[string]map[string]string {
	all := make(map[string]map[string]string)
	if err := json.Unmarshal(chineseCodes, &all); err != nil {
		panic("the table of codes in Chinese is broken: " + err.Error()) // a test reads the table
	}
	return all
})

// CodeNamed returns the code for a Chinese word under a heading or the key of a
// field; any other word unchanged.
func CodeNamed[T ~string](key, word string, of []T) T {
	for _, code := range of {
		if Code(heading(key), string(code)) == word {
			return code
		}
	}
	return T(word)
}

// Code returns the Chinese word for a code under a heading, such as "State";
// anything else unchanged.
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
