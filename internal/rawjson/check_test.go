package rawjson

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// texts are values, and what nearly is one.
var texts = []string{
	`{}`, `{"a":1}`, ` { "a" : [ 1 , -2.5e+3 , true , null , "x" ] } `, `{"a":"\u00e9\n"}`, `{"a":{"b":[[]]},"a":false}`, `{"a":0.1E-2}`, `[]`, `{"a":tru}`, `{"a":nullx}`,
	`{"a":01}`, `{"a":1.}`, `{"a":-}`, `{"a":.5}`, `{"a":1e}`, `{"a":+1}`, `{"a":"\x"}`, `{"a":"\u12"}`, "{\"a\":\"\n\"}", `{"a":"`, `{"a":1,}`, `{,}`, `{"a"}`, `{a:1}`, `{"a":[1,]}`, `{"a":[1 2]}`,
	`{"a":{"b"}}`, `{"a":[}`, `{"a":1}}`, `{"a":1}x`, `{"a":`, `{`, ``, `null`, "{\"a\":\"\x7f\xff\"}", `{"\ud800":"\uDFFF"}`, `{"a":{}{}}`,
}

// valid reports whether the members of an object are all checked, and it is one.
func valid(text []byte) bool {
	for _, err := range CheckedMembers(text) {
		if err != nil {
			return false
		}
	}
	return true
}

// An object is valid if package json says so.
func TestCheckedMembers(t *testing.T) {
	for _, text := range texts {
		want := json.Valid([]byte(text)) && strings.HasPrefix(strings.TrimSpace(text), "{")
		require.Equal(t, want, valid([]byte(text)), text)
	}
	for depth, want := range map[int]bool{5000: true, 20000: false} {
		require.Equal(t, want, valid([]byte(`{"a":`+strings.Repeat("[", depth)+strings.Repeat("]", depth)+`}`)), depth)
	}
}

func FuzzCheckedMembers(f *testing.F) {
	for _, text := range texts {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		want := json.Valid(text) && strings.HasPrefix(strings.TrimLeft(string(text), " \t\r\n"), "{")
		require.Equal(t, want, valid(text))
	})
}
