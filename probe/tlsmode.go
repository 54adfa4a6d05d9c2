package probe

import (
	"cmp"
	"fmt"
)

// A TLSMode says how much is asked of what a server accepts by TLS. The zero value, "negotiated", is one handshake, which shows
// what the two sides agreed on.
type TLSMode string

// The modes that ask for more. Each asks what the one before does and more, by bare ClientHellos on connections of their own,
// which count for themselves and not for Limits.Conns.
const (
	// TLSModeVersions asks for each version from SSL 2.0 on: at most 8 connections.
	TLSModeVersions TLSMode = "versions"
	// TLSModeWeak asks whether suites of each weak class are accepted, too: at most 15 connections.
	TLSModeWeak TLSMode = "weak"
	// TLSModeFull asks for every suite of every version, and every group: a connection for each that is accepted, one for each
	// version, and 8.
	TLSModeFull TLSMode = "full"
)

const tlsNegotiated = "negotiated"

// String returns the mode's name.
func (m TLSMode) String() string {
	return cmp.Or(string(m), tlsNegotiated)
}

// ParseTLSMode returns the mode with a name: "negotiated", "versions", "weak" or "full".
func ParseTLSMode(name string) (TLSMode, error) {
	switch m := TLSMode(name); m {
	case tlsNegotiated:
		return "", nil
	case TLSModeVersions, TLSModeWeak, TLSModeFull:
		return m, nil
	}
	return "", fmt.Errorf("unknown mode %q: negotiated, versions, weak or full", name)
}

// A budget is what a mode may cost beside the conversation.
type budget struct {
	conns             int
	bytesIn, bytesOut int64
}

// budgets allow an answer 16 KiB, which holds a chain of several certificates and what comes before TLS, and a question 1 KiB.
var budgets = map[TLSMode]budget{
	TLSModeVersions: {8, 8 * 16 << 10, 8 << 10},
	TLSModeWeak:     {15, 15 * 16 << 10, 15 << 10},
	TLSModeFull:     {1024, 1024 * 16 << 10, 1024 << 10},
}
