package cli

import (
	_ "embed" // of the names of fields in Chinese
	"encoding/json"
	"io"
	"slices"
	"strings"
	"sync"

	"go.yaml.in/yaml/v3"
)

// chineseFields are the names of fields in Chinese by their keys in JSON.
//
//go:embed fields.zh.json
var chineseFields []byte

var fieldNames = sync.OnceValue(func() map[string]string { return words(chineseFields) })

// saidFields are the fields that hold sentences of ours.
var saidFields = map[string]bool{"advice": true, "last_error": true}

// WriteFields writes a value for a reader's eye: the fields of its JSON in their order,
// one a line, without those that are unknown or empty; in Chinese, with the names of fields
// and the codes in them translated.
func WriteFields(w io.Writer, v any, chinese bool) error {
	text, err := json.Marshal(v)
	if err != nil {
		return err
	}
	var root yaml.Node // JSON is YAML, in flow style
	if err := yaml.Unmarshal(text, &root); err != nil {
		return err
	}
	unflow(&root)
	if chinese {
		translateFields(&root)
	}
	enc := yaml.NewEncoder(w)
	enc.SetIndent(2)
	return enc.Encode(&root)
}

// unflow gives a node and those below it a line each, and removes empty fields.
func unflow(n *yaml.Node) {
	n.Style = 0
	for _, child := range n.Content {
		unflow(child)
	}
	if n.Kind != yaml.MappingNode {
		return
	}
	kept := n.Content[:0]
	for pair := range slices.Chunk(n.Content, 2) {
		value := pair[1]
		empty := value.Tag == "!!null" || value.Value == "" && len(value.Content) == 0
		if !empty {
			kept = append(kept, pair...)
		}
	}
	n.Content = kept
}

// translateFields puts the names of fields, and codes and sentences in them, into Chinese.
func translateFields(n *yaml.Node) {
	for _, child := range n.Content {
		translateFields(child)
	}
	if n.Kind != yaml.MappingNode {
		return
	}
	for pair := range slices.Chunk(n.Content, 2) {
		key, value := pair[0], pair[1]
		if value.Kind == yaml.ScalarNode {
			said := Code(heading(key.Value), value.Value)
			if saidFields[key.Value] {
				said = Chinese(value.Value)
			}
			if said != value.Value {
				value.SetString(said)
			}
		}
		if name, ok := fieldNames()[key.Value]; ok {
			key.SetString(name)
		}
	}
}

// heading returns the heading that a field would have in a table.
func heading(key string) string {
	if key == "" {
		return ""
	}
	return strings.ToUpper(key[:1]) + strings.ReplaceAll(key[1:], "_", " ")
}
