package smb

import (
	"encoding/asn1"
	"encoding/binary"

	"github.com/handclasp/handclasp/internal/ntlmssp"
)

// nobody logs in without a user (MS-NLMP §3.2.5.1.2). It stands where the library would take a name and a password,
// and has neither.
type nobody struct{}

// OID names NTLM (MS-SPNG §1.9).
func (nobody) OID() asn1.ObjectIdentifier {
	return asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 311, 2, 2, 10}
}

// InitSecContext returns NTLM's first message.
func (nobody) InitSecContext() ([]byte, error) { return ntlmssp.Negotiate(), nil }

// The NTLM flags of the last message (MS-NLMP §2.2.2.5): those of ntlmssp.Negotiate, and that nobody logs in.
const (
	ntlmUnicode                 = 0x00000001
	ntlmRequestTarget           = 0x00000004
	ntlmNTLM                    = 0x00000200
	ntlmAnonymous               = 0x00000800
	ntlmAlwaysSign              = 0x00008000
	ntlmExtendedSessionSecurity = 0x00080000
)

// AcceptSecContext answers a challenge, whatever it is, with no name and no response (MS-NLMP §2.2.1.3).
func (nobody) AcceptSecContext([]byte) ([]byte, error) {
	const fixed = 64 // up to the payload, of a message without version and MIC
	b := make([]byte, 0, fixed+1)
	b = append(b, "NTLMSSP\x00\x03\x00\x00\x00"...)
	b = append(b, 1, 0, 1, 0, fixed, 0, 0, 0) // LmChallengeResponse: Z(1), which says that there is none
	for range 5 {                             // NtChallengeResponse, domain, user, workstation, session key
		b = append(b, 0, 0, 0, 0, fixed, 0, 0, 0)
	}
	b = binary.LittleEndian.AppendUint32(b,
		ntlmUnicode|ntlmRequestTarget|ntlmNTLM|ntlmAnonymous|ntlmAlwaysSign|ntlmExtendedSessionSecurity)
	return append(b, 0), nil
}

// Sum returns no signature: there is nothing to sign with.
func (nobody) Sum([]byte) []byte { return nil }

// SessionKey returns what stands for a session key where nobody logged in (MS-NLMP §3.3.2).
func (nobody) SessionKey() []byte { return make([]byte, 16) }
