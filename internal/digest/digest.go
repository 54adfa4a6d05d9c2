// Package digest makes the short names by which the header of a scan says what its findings depend on.
package digest

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"

	"github.com/handclasp/handclasp/finding"
)

// Of names what was put together, in 16 hexadecimal digits.
func Of(parts ...any) string {
	h := sha256.New()
	_ = json.NewEncoder(h).Encode(parts) // of words and numbers
	return hex.EncodeToString(h.Sum(nil)[:8])
}

// Rules names the rules that a scan is judged by, with their severities.
func Rules(rules []finding.Rule, comparisons []finding.Comparison) string {
	var parts []any
	for _, r := range rules {
		parts = append(parts, r.ID, int(r.Severity))
	}
	for _, c := range comparisons {
		parts = append(parts, c.ID, int(c.Severity))
	}
	return Of(parts...)
}
