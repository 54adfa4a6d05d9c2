package finding

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
)

// Resolve returns the value in a JSON document that a pointer (RFC 6901) names, such as the proof of a finding in a
// stored result.
func Resolve(document []byte, pointer string) (json.RawMessage, error) {
	value := json.RawMessage(document)
	if pointer == "" {
		return value, nil
	}
	if !strings.HasPrefix(pointer, "/") {
		return nil, fmt.Errorf("pointer %q doesn't begin with a slash", pointer)
	}
	unescape := strings.NewReplacer("~1", "/", "~0", "~")
	for _, token := range strings.Split(pointer[1:], "/") {
		next, err := step(value, unescape.Replace(token))
		if err != nil {
			return nil, fmt.Errorf("pointer %q: %w", pointer, err)
		}
		value = next
	}
	return value, nil
}

func step(value json.RawMessage, token string) (json.RawMessage, error) {
	var object map[string]json.RawMessage
	if json.Unmarshal(value, &object) == nil && object != nil {
		if next, ok := object[token]; ok {
			return next, nil
		}
		return nil, fmt.Errorf("no member %q", token)
	}
	var list []json.RawMessage
	if json.Unmarshal(value, &list) != nil {
		return nil, fmt.Errorf("%q is below a value that has no members", token)
	}
	i, err := strconv.Atoi(token)
	if err != nil || i < 0 || i >= len(list) || strconv.Itoa(i) != token {
		return nil, fmt.Errorf("no element %q", token)
	}
	return list[i], nil
}
