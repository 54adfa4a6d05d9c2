package rawjson

import "encoding/json"

// AppendString appends s as package json writes it, which is asked if anything is to be escaped.
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
