package remote

import (
	"cmp"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// object is a JSON object.
type object = map[string]any

// Describe returns the description of the admin API (OpenAPI 3.1) for these
// commands. closed are flags that the API does not accept, server is its
// address.
func Describe(root *cobra.Command, verbs, closed []string, server, version string) map[string]any {
	paths := make(object)
	for _, verb := range verbs {
		words := strings.Fields(verb)
		cmd, _, err := root.Find(words)
		if err != nil {
			panic("the API offers an unknown command: " + verb) // a test describes all commands
		}
		paths["/api/"+strings.Join(words, "/")] = object{"post": operation(cmd, words, closed)}
	}
	return object{
		"openapi": "3.1.0",
		"info": object{
			"title": "dibao admin API", "version": version,
			"description": "Runs commands of the command line. Arguments and flags are those of the command, and a result is what --json prints.",
			"license":     object{"name": "Apache 2.0", "identifier": "Apache-2.0"},
		},
		"servers":  []object{{"url": server}},
		"security": []object{{"token": []string{}}},
		"tags":     tags(root, verbs),
		"paths":    paths,
		"components": object{
			"securitySchemes": object{"token": object{"type": "http", "scheme": "bearer", "description": "Create one with: dibao token create"}},
			"schemas": object{
				"Problem": object{"type": "object", "required": []string{"error"}, "properties": object{"error": object{"type": "string"}}},
			},
			"responses": object{"Problem": object{
				"description": "Nothing was done; the error says why.",
				"content":     object{"application/json": object{"schema": object{"$ref": "#/components/schemas/Problem"}}},
			}},
		},
	}
}

func tags(root *cobra.Command, verbs []string) (all []object) {
	var seen []string
	for _, verb := range verbs {
		group := strings.Fields(verb)[0]
		if cmd, _, err := root.Find([]string{group}); err == nil && !slices.Contains(seen, group) {
			seen = append(seen, group)
			all = append(all, object{"name": group, "description": cmd.Short})
		}
	}
	return all
}

func operation(cmd *cobra.Command, words, closed []string) object {
	flags := make(object)
	cmd.LocalFlags().VisitAll(func(f *pflag.Flag) {
		if !slices.Contains(closed, f.Name) {
			flags[f.Name] = flagSchema(f)
		}
	})
	flags["yes"] = object{"type": "boolean", "description": "answer yes to every question"}
	lines := object{"application/jsonl": object{"schema": object{"type": "string", "description": "one JSON object a line, as --json prints them"}}}
	problem := object{"$ref": "#/components/responses/Problem"}
	return object{
		"operationId": strings.Join(words, "-"),
		"tags":        []string{words[0]},
		"summary":     cmd.Short,
		"description": cmp.Or(cmd.Long, cmd.Short) + "\n\nArguments: " + cmd.Use,
		"requestBody": object{"content": object{"application/json": object{"schema": object{
			"type": "object", "additionalProperties": false,
			"properties": object{
				"args":  object{"type": "array", "items": object{"type": "string"}, "description": "arguments, in order"},
				"flags": object{"type": "object", "additionalProperties": false, "properties": flags},
			},
		}}}},
		"responses": object{
			"200": object{"description": "Done.", "content": lines},
			"207": object{"description": "Done in part; the result lists what was refused.", "content": lines},
			"400": problem, "401": problem, "403": problem, "404": problem, "422": problem, "429": problem,
		},
	}
}

// flagSchema is the schema of a flag by its type.
func flagSchema(f *pflag.Flag) object {
	schema := object{"type": map[string]string{"bool": "boolean", "int": "integer", "int64": "integer"}[f.Value.Type()]}
	if schema["type"] == "" {
		schema["type"] = "string"
	}
	if c, ok := f.Value.(interface{ Words() []string }); ok {
		schema["enum"] = c.Words()
	}
	if _, many := f.Value.(pflag.SliceValue); many {
		schema = object{"type": "array", "items": object{"type": "string"}}
	}
	schema["description"] = f.Usage
	return schema
}
