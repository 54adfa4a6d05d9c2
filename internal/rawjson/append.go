package rawjson

import "encoding/json"

// Append appends a value as package json writes it. If it fails, b is returned as it was.
func Append(b []byte, value any) ([]byte, error) {
	w := writer(b)
	if err := json.NewEncoder(&w).Encode(value); err != nil {
		return b, err
	}
	return w[:len(w)-1], nil // without the line's end
}

// A writer appends what is written to it.
type writer []byte

func (w *writer) Write(b []byte) (int, error) {
	*w = append(*w, b...)
	return len(b), nil
}

// AppendString appends s as package json writes it, which is asked if anything unusual is to be escaped.
func AppendString(b []byte, s string) []byte {
	b = append(b, '"')
	from := 0
	for i := 0; i < len(s); i++ {
		c := s[i]
		if c >= ' ' && c < 0x7f && c != '"' && c != '\\' && c != '<' && c != '>' && c != '&' {
			continue
		}
		switch c {
		case '\r':
			b = append(append(b, s[from:i]...), `\r`...)
		case '\n':
			b = append(append(b, s[from:i]...), `\n`...)
		case '"':
			b = append(append(b, s[from:i]...), `\"`...)
		default:
			rest, _ := json.Marshal(s[from:]) // a string always marshals
			return append(b, rest[1:]...)
		}
		from = i + 1
	}
	return append(append(b, s[from:]...), '"')
}

// AppendList appends an array, each of whose members one appends, or null for nil.
func AppendList[T any](b []byte, list []T, one func([]byte, T) []byte) []byte {
	if list == nil {
		return append(b, "null"...)
	}
	b = append(b, '[')
	for i, member := range list {
		if i > 0 {
			b = append(b, ',')
		}
		b = one(b, member)
	}
	return append(b, ']')
}
