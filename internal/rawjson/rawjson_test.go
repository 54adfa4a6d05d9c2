package rawjson_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/handclasp/handclasp/internal/rawjson"
)

func TestMembers(t *testing.T) {
	t.Parallel()
	for text, want := range map[string][]string{
		`{}`:                                  nil,
		` { } `:                               nil,
		`{"a":1,"b":[{"c":"}"}],"d":"\\\"}"}`: {"a 1", `b [{"c":"}"}]`, `d "\\\"}"`},
		"\t{ \"a\" :\n{ } , \"b\\u0063\" : null }\n": {"a { }", "bc null"},
	} {
		var got []string
		for m, err := range rawjson.Members([]byte(text)) {
			require.NoError(t, err, text)
			name, err := m.Name()
			require.NoError(t, err)
			got = append(got, name+" "+string(m.Value))
		}
		require.Equal(t, want, got, text)
	}
	for _, text := range []string{``, `[]`, `{`, `{"a"`, `{"a":`, `{"a":}`, `{"a":1`, `{"a":1,}`, `{,}`, `{a:1}`, `{"a":1}{}`, `{"a":1 2}`, `{"a":"1}`, "{\"a\":1}\x00"} {
		require.ErrorIs(t, last(rawjson.Members([]byte(text))), rawjson.ErrSyntax, text)
	}
}

func last(all func(func(rawjson.Member, error) bool)) (err error) {
	for _, err = range all {
	}
	return err
}

func TestResolve(t *testing.T) {
	t.Parallel()
	got, err := rawjson.Resolve([]byte(`{"a":[1,{"b~/":"x"}],"a":[2 , {"b~/":"y"}]}`), "/a/1/b~0~1")
	require.NoError(t, err)
	require.Equal(t, `"y"`, string(got), "the last of two counts")
	for _, pointer := range []string{"a", "/a/1/b/c", "/a/2", "/a/01", "/a/-1", "/a/0/x", "/b"} {
		_, err := rawjson.Resolve([]byte(`{"a":[1,{"b":null}]}`), pointer)
		require.ErrorContains(t, err, pointer)
	}
}

// On valid documents it finds what package json does, and it is never led astray by others.
func FuzzResolve(f *testing.F) {
	f.Add([]byte(`{"a":[1,{"b~/":"x"}],"c":{"d":"\\\"}"}}`), "/a/1/b~0~1")
	f.Add([]byte(`{"a\u0062":"\u00e9\\"} `), "/ab")
	f.Add([]byte(`[[],[[1]]]`), "/1/0/0")
	f.Add([]byte(`{"a":"`), "/a")
	f.Fuzz(func(t *testing.T, document []byte, pointer string) {
		got, err := rawjson.Resolve(document, pointer)
		if !json.Valid(document) {
			return
		}
		want, found := slowly(document, pointer)
		require.Equal(t, found, err == nil)
		if found && pointer != "" {
			require.Equal(t, string(want), string(got))
			text, ok := rawjson.Text(got)
			var s string
			require.Equal(t, got[0] == '"' && json.Unmarshal(got, &s) == nil, ok)
			require.Equal(t, s, text)
		}
	})
}

func slowly(document []byte, pointer string) (json.RawMessage, bool) {
	value := json.RawMessage(document)
	tokens := strings.Split(pointer, "/")
	if tokens[0] != "" {
		return nil, false
	}
	for _, token := range tokens[1:] {
		token = strings.NewReplacer("~1", "/", "~0", "~").Replace(token)
		var object map[string]json.RawMessage
		var list []json.RawMessage
		switch {
		case json.Unmarshal(value, &object) == nil && object != nil:
			next, ok := object[token]
			if !ok {
				return nil, false
			}
			value = next
		case json.Unmarshal(value, &list) == nil:
			at := -1
			for i := range list {
				if index, _ := json.Marshal(i); string(index) == token {
					at = i
				}
			}
			if at < 0 {
				return nil, false
			}
			value = list[at]
		default:
			return nil, false
		}
	}
	return value, true
}
