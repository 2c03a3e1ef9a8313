package api_test

import (
	"bytes"
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"

	"banyan/docs/api"
)

// asyncDoc is what these tests read of events.yaml.
type asyncDoc struct {
	Channels map[string]struct {
		Address  string         `yaml:"address"`
		Messages map[string]ref `yaml:"messages"`
	} `yaml:"channels"`
	Operations map[string]struct {
		Action  string `yaml:"action"`
		Channel ref    `yaml:"channel"`
		Tags    []struct {
			Name string `yaml:"name"`
		} `yaml:"tags"`
		From int `yaml:"x-from"` // the steps of the ladder, of the monolith's operations
		To   int `yaml:"x-to"`
	} `yaml:"operations"`
	Components struct {
		Messages map[string]any `yaml:"messages"`
		Schemas  map[string]any `yaml:"schemas"`
	} `yaml:"components"`
}

type ref struct {
	To string `yaml:"$ref"`
}

func readEvents(t *testing.T, into any) {
	t.Helper()
	file, err := os.ReadFile("events.yaml")
	require.NoError(t, err)
	decoder := yaml.NewDecoder(bytes.NewReader(file))
	require.NoError(t, decoder.Decode(into))
}

// types are the events that have an example.
func types(t *testing.T) (all []string) {
	t.Helper()
	files, err := filepath.Glob("events/*.json")
	require.NoError(t, err)
	for _, f := range files {
		all = append(all, strings.TrimSuffix(filepath.Base(f), ".json"))
	}
	require.NotEmpty(t, all)
	return all
}

func TestEvents(t *testing.T) {
	t.Parallel()
	var doc asyncDoc
	readEvents(t, &doc)
	schemas := eventSchemas(t)

	t.Run("every event has a channel, a message and an example, and no other has", func(t *testing.T) {
		t.Parallel()
		require.ElementsMatch(t, types(t), slices.Collect(maps.Keys(doc.Channels)))
		require.ElementsMatch(t, types(t), slices.Collect(maps.Keys(doc.Components.Messages)))
		for typ, channel := range doc.Channels {
			require.Equal(t, map[string]ref{typ: {"#/components/messages/" + typ}}, channel.Messages)
		}
	})
	for _, typ := range types(t) {
		t.Run(typ+" looks as its schema says", func(t *testing.T) {
			t.Parallel()
			example, err := jsonschema.UnmarshalJSON(bytes.NewReader(api.Event(typ)))
			require.NoError(t, err)
			require.NoError(t, schemas(typ).Validate(example))

			fields := example.(map[string]any)
			for field := range fields {
				without := maps.Clone(fields)
				delete(without, field)
				require.Error(t, schemas(typ).Validate(without), "%s may be missing", field)
			}
			fields["stray"] = true
			require.Error(t, schemas(typ).Validate(fields), "a field that is not described passes")
		})
	}
	t.Run("every object is closed, so that a stray field is caught", func(t *testing.T) {
		t.Parallel()
		requireAllClosed(t, "schemas", doc.Components.Schemas)
	})
	t.Run("the subject begins with the area of the one service that sends it", func(t *testing.T) {
		t.Parallel()
		senders := map[string][]string{}
		for _, o := range doc.Operations {
			if o.Action == "send" && o.Tags[0].Name != monolith {
				senders[o.Channel.To] = append(senders[o.Channel.To], o.Tags[0].Name)
			}
		}
		for typ, channel := range doc.Channels {
			from := senders["#/channels/"+typ]
			require.Len(t, from, 1, typ)
			require.Equal(t, "events."+from[0]+"."+typ, channel.Address)
		}
	})
	t.Run("the operations are those of the services' code", func(t *testing.T) {
		t.Parallel()
		var described []string
		for name, o := range doc.Operations {
			typ := strings.TrimPrefix(o.Channel.To, "#/channels/")
			require.Len(t, o.Tags, 1, name)
			require.Equal(t, o.Tags[0].Name+"."+o.Action+"s."+typ, name)
			described = append(described, name)
		}
		services := operationsInCode(t, "services")
		expected := slices.Clone(services)
		for _, o := range operationsInCode(t, "monolith") {
			require.Contains(t, services, o, "a module of the monolith does what its service does")
			_, operation, _ := strings.Cut(o, ".")
			expected = append(expected, monolith+"."+operation)
		}
		require.ElementsMatch(t, expected, described)
	})
	t.Run("the monolith does it while the area is in it, once somebody else is not", func(t *testing.T) {
		t.Parallel()
		seen := 0
		for name, o := range doc.Operations {
			if o.Tags[0].Name != monolith {
				require.Zero(t, o.From+o.To, name)
				continue
			}
			seen++
			typ := strings.TrimPrefix(o.Channel.To, "#/channels/")
			sender := strings.Split(doc.Channels[typ].Address, ".")[1]
			from, to := leaves(t, "orders"), leaves(t, sender)-1
			for _, other := range doc.Operations {
				if other.Action == "receive" && other.Channel == o.Channel && other.Tags[0].Name != monolith {
					from = min(from, leaves(t, other.Tags[0].Name))
				}
			}
			if o.Action == "receive" { // for orders
				require.Contains(t, doc.Operations, "orders.receives."+typ)
				from, to = leaves(t, sender), leaves(t, "orders")-1
			}
			require.Equal(t, []int{from, to}, []int{o.From, o.To}, name)
		}
		require.Positive(t, seen)
	})
}

const monolith = "monolith"

// leaving are the areas in the order in which they leave the monolith: the first at step 2.
var leaving = []string{"notifications", "accounts", "catalog", "inventory", "payments", "shipping", "orders"}

func leaves(t *testing.T, area string) (step int) {
	t.Helper()
	require.Contains(t, leaving, area)
	return slices.Index(leaving, area) + 2
}

// eventSchemas returns what compiles the schema of an event's data.
func eventSchemas(t *testing.T) func(typ string) *jsonschema.Schema {
	t.Helper()
	var doc any
	readEvents(t, &doc)
	// YAML's integers are not those of JSON.
	encoded, err := json.Marshal(doc)
	require.NoError(t, err)
	doc, err = jsonschema.UnmarshalJSON(bytes.NewReader(encoded))
	require.NoError(t, err)
	compiler := jsonschema.NewCompiler()
	compiler.DefaultDraft(jsonschema.Draft7) // which AsyncAPI's schemas are a superset of
	compiler.AssertFormat()
	require.NoError(t, compiler.AddResource("events.yaml", doc))
	compiled := map[string]*jsonschema.Schema{}
	for _, typ := range types(t) {
		schema, err := compiler.Compile("events.yaml#/components/messages/" + typ + "/payload")
		require.NoError(t, err)
		compiled[typ] = schema
	}
	return func(typ string) *jsonschema.Schema { return compiled[typ] }
}

func requireAllClosed(t *testing.T, where string, value any) {
	t.Helper()
	switch value := value.(type) {
	case map[string]any:
		if value["type"] == "object" {
			require.Equal(t, false, value["additionalProperties"], "%s admits fields it does not describe", where)
			require.Len(t, value["required"], len(value["properties"].(map[string]any)), "%s: every field is always there", where)
		}
		for name, inner := range value {
			requireAllClosed(t, where+"."+name, inner)
		}
	case []any:
		for _, inner := range value {
			requireAllClosed(t, where+"[]", inner)
		}
	}
}

// What a service, or a module of the monolith, publishes is named by constants of its events.go, and what it
// consumes is registered there.
var (
	sends    = regexp.MustCompile(`(?m)^\s*(?:const )?\w+\s+= "([a-z_]+\.[a-z_]+)"$`)
	receives = regexp.MustCompile(`events\.On(?:Queued|Batch)?\(c, [^)]*\)`)
	heard    = regexp.MustCompile(`"([a-z_]+\.[a-z_]+)"`)
)

// operationsInCode are named as in events.yaml. Root is services, or monolith.
func operationsInCode(t *testing.T, root string) (all []string) {
	t.Helper()
	files, err := filepath.Glob("../../" + root + "/*/events.go")
	require.NoError(t, err)
	for _, f := range files {
		code, err := os.ReadFile(f)
		require.NoError(t, err)
		service := filepath.Base(filepath.Dir(f))
		for _, found := range sends.FindAllSubmatch(code, -1) {
			all = append(all, service+".sends."+string(found[1]))
		}
		for _, call := range receives.FindAll(code, -1) {
			for _, found := range heard.FindAllSubmatch(call, -1) {
				all = append(all, service+".receives."+string(found[1]))
			}
		}
	}
	return all
}
