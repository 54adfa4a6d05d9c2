package finding

import (
	"encoding/json"

	"github.com/handclasp/handclasp/internal/rawjson"
)

// Resolve returns the value in a JSON document that a pointer (RFC 6901) names, such as the proof of a finding in a
// stored result.
func Resolve(document []byte, pointer string) (json.RawMessage, error) {
	if !json.Valid(document) {
		return nil, rawjson.ErrSyntax
	}
	return rawjson.Resolve(document, pointer)
}
