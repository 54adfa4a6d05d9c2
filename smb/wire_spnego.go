package smb

import (
	"bytes"
	"encoding/asn1"
	"errors"
	"fmt"
)

var (
	oidSPNEGO = asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 2}             // RFC 4178 §3
	oidNTLM   = asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 311, 2, 2, 10} // MS-SPNG §1.9
)

// mechanismNames are those that servers are seen to offer (MS-SPNG §1.9, RFC 4121 §1, MS-NEGOEX).
var mechanismNames = map[string]string{
	"1.3.6.1.4.1.311.2.2.10": "NTLM",
	"1.3.6.1.4.1.311.2.2.30": "NEGOEX",
	"1.2.840.113554.1.2.2":   "KRB5",
	"1.2.840.113554.1.2.2.3": "KRB5-U2U",
	"1.2.840.48018.1.2.2":    "MS-KRB5",
}

const mechanismNTLM = "NTLM"

// maxMechanisms is more than any server offers.
const maxMechanisms = 16

// negTokenInit is the first token of either side (RFC 4178 §4.2.1). Servers put hints behind the mechanisms (MS-SPNG
// §2.2.1), which are not read.
type negTokenInit struct {
	MechTypes []asn1.RawValue `asn1:"explicit,tag:0"`
	ReqFlags  asn1.BitString  `asn1:"explicit,optional,tag:1"`
	MechToken []byte          `asn1:"explicit,optional,omitempty,tag:2"`
}

type initialToken struct {
	Mechanism asn1.ObjectIdentifier
	Init      negTokenInit `asn1:"explicit,tag:0"`
}

// negTokenResp is every later token (RFC 4178 §4.2.2).
type negTokenResp struct {
	NegState      asn1.Enumerated       `asn1:"explicit,optional,tag:0"`
	SupportedMech asn1.ObjectIdentifier `asn1:"explicit,optional,tag:1"`
	ResponseToken []byte                `asn1:"explicit,optional,tag:2"`
}

// parseMechanisms returns the names of the mechanisms that a server's first token lists.
func parseMechanisms(token []byte) ([]string, error) {
	var t initialToken
	if _, err := asn1.UnmarshalWithParams(token, &t, "application,tag:0"); err != nil {
		return []string{}, fmt.Errorf("the token is no SPNEGO: %w", err)
	}
	if !t.Mechanism.Equal(oidSPNEGO) {
		return []string{}, fmt.Errorf("the token is of %v, not SPNEGO", t.Mechanism)
	}
	list := []string{}
	for _, raw := range t.Init.MechTypes {
		if len(list) == maxMechanisms {
			return list, fmt.Errorf("more than %d mechanisms", maxMechanisms)
		}
		var oid asn1.ObjectIdentifier
		if _, err := asn1.Unmarshal(raw.FullBytes, &oid); err != nil {
			return list, fmt.Errorf("a mechanism of the token: %w", err)
		}
		name := oid.String()
		if known, ok := mechanismNames[name]; ok {
			name = known
		}
		list = append(list, name)
	}
	return list, nil
}

// ntlmToken wraps an NTLM message into the first token of a client that knows nothing but NTLM.
func ntlmToken(message []byte) []byte {
	mech, err := asn1.Marshal(oidNTLM)
	if err != nil {
		panic(err) // it is a constant
	}
	token, err := asn1.MarshalWithParams(initialToken{
		Mechanism: oidSPNEGO,
		Init:      negTokenInit{MechTypes: []asn1.RawValue{{FullBytes: mech}}, MechToken: message},
	}, "application,tag:0")
	if err != nil {
		panic(err) // nothing in it depends on anybody
	}
	return token
}

// The flags of NTLM's last message (MS-NLMP §2.2.2.5): those of its first that still mean something, and that there is no
// user.
const (
	ntlmUnicode                 = 0x00000001
	ntlmRequestTarget           = 0x00000004
	ntlmNTLM                    = 0x00000200
	ntlmAnonymous               = 0x00000800
	ntlmAlwaysSign              = 0x00008000
	ntlmExtendedSessionSecurity = 0x00080000
)

// anonymousToken answers a challenge, whatever it is, with no name and no response (MS-NLMP §2.2.1.3, §3.2.5.1.2).
func anonymousToken() []byte {
	const fixed = 64 // up to the payload, of a message without version and MIC
	b := []byte("NTLMSSP\x00\x03\x00\x00\x00")
	b = append(b, 1, 0, 1, 0, fixed, 0, 0, 0) // LmChallengeResponse: Z(1), which says that there is none
	for range 5 {                             // NtChallengeResponse, domain, user, workstation, session key
		b = append(b, 0, 0, 0, 0, fixed, 0, 0, 0)
	}
	b = le.AppendUint32(b, ntlmUnicode|ntlmRequestTarget|ntlmNTLM|ntlmAnonymous|ntlmAlwaysSign|ntlmExtendedSessionSecurity)
	token, err := asn1.MarshalWithParams(negTokenResp{NegState: 1, ResponseToken: append(b, 0)}, "explicit,tag:1")
	if err != nil {
		panic(err) // it is a constant
	}
	return token
}

// challengeOf returns the NTLM message within a server's later token, which some send without SPNEGO.
func challengeOf(token []byte) ([]byte, error) {
	if bytes.HasPrefix(token, []byte("NTLMSSP\x00")) {
		return token, nil
	}
	var t negTokenResp
	if _, err := asn1.UnmarshalWithParams(token, &t, "explicit,tag:1"); err != nil {
		return nil, fmt.Errorf("the token is no SPNEGO: %w", err)
	}
	if len(t.ResponseToken) == 0 {
		return nil, errors.New("the token holds no challenge")
	}
	return t.ResponseToken, nil
}
