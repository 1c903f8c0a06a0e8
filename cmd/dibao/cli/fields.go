package cli

import (
	"encoding/json"
	"io"
	"slices"

	"go.yaml.in/yaml/v3"
)

// WriteFields writes a value for a reader's eye: the fields of its JSON in their order,
// one a line, without those that are unknown or empty.
func WriteFields(w io.Writer, v any) error {
	text, err := json.Marshal(v)
	if err != nil {
		return err
	}
	var root yaml.Node // JSON is YAML, in flow style
	if err := yaml.Unmarshal(text, &root); err != nil {
		return err
	}
	unflow(&root)
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
