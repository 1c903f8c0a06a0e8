package cli

import (
	_ "embed" // for the names of fields in Chinese
	"encoding/json"
	"io"
	"slices"
	"strings"
	"sync"
	"time"

	"go.yaml.in/yaml/v3"

	"dibao/templates"
)

// chineseFields maps JSON keys to Chinese names of fields.
//
//go:embed fields.zh.json
var chineseFields []byte

var fieldNames = sync.OnceValue(func() map[string]string { return words(chineseFields) })

// saidFields are the fields that contain sentences of this program.
var saidFields = map[string]bool{"advice": true, "last_error": true}

// WriteFields writes a value for people: the fields of its JSON in their order,
// one per line, without unknown and empty ones; times in a zone, which is
// named; in Chinese, the names of fields and the codes in them are translated.
func WriteFields(w io.Writer, v any, chinese bool, zone *time.Location) error {
	text, err := json.Marshal(v)
	if err != nil {
		return err
	}
	var root yaml.Node // JSON is YAML, in flow style
	if err := yaml.Unmarshal(text, &root); err != nil {
		return err
	}
	unflow(&root, zone)
	describeEvidence(&root, map[bool]string{true: "zh", false: "en"}[chinese])
	if chinese {
		translateFields(&root)
	}
	enc := yaml.NewEncoder(w)
	enc.SetIndent(2)
	return enc.Encode(&root)
}

// unflow puts a node and its children on separate lines, removes empty fields, and converts
// times to a zone.
func unflow(n *yaml.Node, zone *time.Location) {
	n.Style = 0
	for _, child := range n.Content {
		unflow(child, zone)
	}
	if at, err := time.Parse(time.RFC3339, n.Value); err == nil && n.Kind == yaml.ScalarNode {
		n.SetString(ShortTime(at, zone) + " (" + zone.String() + ")")
	}
	if n.Kind == yaml.ScalarNode && n.Tag == "!!str" && !strings.Contains(n.Value, "\n") {
		n.Tag = "" // no program parses this, so codes and dates need no quotes
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

// evidenceFields say where a fact comes from.
var evidenceFields = []string{"published_from", "issued_from", "effective_from", "expires_from", "deadline_from", "opens_from", "theme_from"}

// describeEvidence says where facts come from, in a language; quotes stay unchanged.
func describeEvidence(n *yaml.Node, language string) {
	for _, child := range n.Content {
		describeEvidence(child, language)
	}
	if n.Kind != yaml.MappingNode {
		return
	}
	for pair := range slices.Chunk(n.Content, 2) {
		if slices.Contains(evidenceFields, pair[0].Value) && pair[1].Kind == yaml.ScalarNode {
			pair[1].SetString(templates.Provenance(language, pair[1].Value))
		}
	}
}

// translateFields translates the names of fields, and the codes and sentences in them, into
// Chinese.
func translateFields(n *yaml.Node) {
	for _, child := range n.Content {
		translateFields(child)
	}
	if n.Kind != yaml.MappingNode {
		return
	}
	for pair := range slices.Chunk(n.Content, 2) {
		key, value := pair[0], pair[1]
		switch value.Kind {
		case yaml.ScalarNode:
			translateValue(key.Value, value)
		case yaml.SequenceNode: // each element is a separate code
			for _, v := range value.Content {
				if v.Kind == yaml.ScalarNode {
					translateValue(strings.TrimSuffix(key.Value, "s"), v)
				}
			}
		}
		name, ok := fieldNames()[key.Value]
		if !ok {
			name = Code("State", key.Value) // a count for each state
		}
		key.SetString(name)
	}
}

// translateValue translates the value of a field into Chinese, if it is a code or a
// sentence.
func translateValue(key string, value *yaml.Node) {
	translated := Code(heading(key), value.Value)
	switch {
	case saidFields[key]:
		translated = Chinese(value.Value)
	case value.Tag == "!!bool":
		translated = map[string]string{"true": "是", "false": "否"}[value.Value]
	}
	if translated != value.Value {
		value.SetString(translated)
	}
}

// heading returns the heading that a field would have in a table.
func heading(key string) string {
	if key == "" {
		return ""
	}
	return strings.ToUpper(key[:1]) + strings.ReplaceAll(key[1:], "_", " ")
}
