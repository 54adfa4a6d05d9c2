package schema_test

import (
	"cmp"
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// What an earlier schema allowed is allowed for ever: no field is renamed or removed, none is newly required, no value of a
// closed set is gone. HANDCLASP_OLD_SCHEMA names a release's, else it is that of the first edition.
func TestSchemaIsCompatible(t *testing.T) {
	var before, now map[string]any
	path := cmp.Or(os.Getenv("HANDCLASP_OLD_SCHEMA"), "testdata/edition1.json")
	require.NoError(t, json.Unmarshal(must(os.ReadFile(path)), &before))
	require.NoError(t, json.Unmarshal(must(os.ReadFile(file)), &now))
	c := comparison{before, now, map[string]bool{}}
	require.Empty(t, c.narrowed(before, now, ""))
	require.Greater(t, len(c.seen), 20, "definitions were followed")
}

func TestNarrowed(t *testing.T) {
	parse := func(text string) (v any) {
		require.NoError(t, json.Unmarshal([]byte(text), &v))
		return v
	}
	before := parse(`{"properties":{"a":{"type":"string"},"b":{"enum":["x","y"]}},"required":["a"]}`)
	for now, want := range map[string]int{
		`{"properties":{"a":{"type":"string"},"b":{"enum":["x","y"]}},"required":["a"]}`:                           0,
		`{"properties":{"a":{"type":["string","null"]},"b":{"enum":["x","y","z"]},"c":{}},"required":["a"]}`:       0,
		`{"properties":{"a":{"type":"string"}},"required":["a"]}`:                                                  1,
		`{"properties":{"a":{"type":"integer"},"b":{"enum":["x","y"]}},"required":["a"]}`:                          1,
		`{"properties":{"a":{"type":"string"},"b":{"enum":["x"]}},"required":["a"]}`:                               1,
		`{"properties":{"a":{"type":"string"},"b":{"enum":["x","y"]},"c":{}},"required":["a","c"]}`:                1,
		`{"properties":{"a":{"type":"string"},"b":{"enum":["x","y"]}},"required":["a"],"unevaluatedProperties":0}`: 0,
	} {
		require.Len(t, new(comparison).narrowed(before, parse(now), ""), want, now)
	}
}

// neverLearned are fields that were always empty: nobody can have read anything in them, and documents that have them stay valid.
var neverLearned = map[string]bool{
	"sftp": true, // of ssh.Evidence: nobody can know before a login
}

// A comparison follows the references in two schemas.
type comparison struct {
	before, now map[string]any
	seen        map[string]bool // pairs of definitions
}

// narrowed returns what a schema allowed and its successor doesn't.
func (c *comparison) narrowed(before, now any, at string) (faults []string) {
	was, ok := before.(map[string]any)
	is, still := now.(map[string]any)
	if !ok || !still {
		return nil
	}
	if ref, ok := was["$ref"].(string); ok {
		other, _ := is["$ref"].(string)
		if other == "" {
			return []string{at + " was a " + ref}
		}
		if pair := ref + " " + other; !c.seen[pair] {
			c.seen[pair] = true
			return c.narrowed(definition(c.before, ref), definition(c.now, other), at)
		}
		return nil
	}
	for key, value := range was {
		next, has := is[key]
		switch key {
		case "anyOf", "allOf":
			for i, schema := range value.([]any) {
				if list, _ := next.([]any); i < len(list) {
					faults = append(faults, c.narrowed(schema, list[i], at)...)
				} else {
					faults = append(faults, at+" has fewer forms")
				}
			}
		case "then":
			faults = append(faults, c.narrowed(value, next, at)...)
		case "properties":
			for name, schema := range value.(map[string]any) {
				if successor, ok := next.(map[string]any)[name]; ok {
					faults = append(faults, c.narrowed(schema, successor, at+"/"+name)...)
				} else if !neverLearned[name] {
					faults = append(faults, at+"/"+name+" is gone")
				}
			}
		case "enum":
			for _, v := range value.([]any) {
				if has && !slices.Contains(next.([]any), v) {
					faults = append(faults, fmt.Sprintf("%s: %v is no value any more", at, v))
				}
			}
		case "type":
			if has && !slices.Contains(types(next), types(value)[0]) {
				faults = append(faults, fmt.Sprintf("%s was %v and is %v", at, value, next))
			}
		case "items":
			faults = append(faults, c.narrowed(value, next, at+"/*")...)
		}
	}
	required, _ := was["required"].([]any)
	wanted, _ := is["required"].([]any)
	for _, name := range wanted {
		if !slices.Contains(required, name) {
			faults = append(faults, fmt.Sprintf("%s/%v is required now", at, name))
		}
	}
	return faults
}

func definition(schema map[string]any, ref string) any {
	return schema["$defs"].(map[string]any)[strings.TrimPrefix(ref, "#/$defs/")]
}

func types(v any) []any {
	if list, ok := v.([]any); ok {
		return list
	}
	return []any{v}
}
