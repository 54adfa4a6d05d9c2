package smb

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/handclasp/handclasp/probe"
)

const protocol = "smb"

// Evidence is what a file server showed. A fact that wasn't learned is empty, a time that wasn't told nil.
type Evidence struct {
	// Transport says how SMB was carried: "direct" over TCP, or "netbios" inside a session of RFC 1002 §4.3. Empty
	// where no session came about.
	Transport string `json:"transport"`
	// SessionRequests are those that were made to learn which name the server answers to, in their order; empty where
	// the transport is direct.
	SessionRequests []SessionRequest `json:"session_requests"`
	// CalledName is the name that the server took; empty where it took none, and where the transport is direct.
	CalledName string `json:"called_name"`

	// NegotiateStatus is the answer where all dialects of SMB 2 and 3 were offered: "STATUS_SUCCESS", or
	// "STATUS_NOT_SUPPORTED" where it speaks none of them; a number such as "0xc0000001" where it has no name here.
	// Empty where there was no such answer.
	NegotiateStatus string `json:"negotiate_status"`
	// Dialects are the dialects of SMB 2 and 3 that the server chose when each was offered alone: "2.0.2", "2.1",
	// "3.0", "3.0.2", "3.1.1".
	Dialects []string `json:"dialects"`
	// DialectsRefused are those that it refused in words. A dialect in neither list wasn't learned.
	DialectsRefused []string `json:"dialects_refused"`
	// Matrix says of each dialect how the server answered to it alone.
	Matrix []Negotiation `json:"matrix"`

	// PreferredDialect is what the server chose where all were offered; what follows is of that reply. Empty where it
	// speaks none.
	PreferredDialect string `json:"preferred_dialect"`
	// SigningEnabled and SigningRequired are the SecurityMode (MS-SMB2 §2.2.4) of the successful reply. A client that
	// asks can always have signing, whatever SigningEnabled says (§3.2.5.2).
	SigningEnabled  probe.Fact `json:"signing_enabled"`
	SigningRequired probe.Fact `json:"signing_required"`
	// ServerGUID identifies the server, such as "6f6e6d6c-1a2b-3c4d-8e5f-001122334455".
	ServerGUID string `json:"server_guid"`
	// Capabilities are the names of MS-SMB2 §2.2.4 without their prefix, such as "DFS" and "LARGE_MTU"; bits without a
	// name are written as "0x00000100".
	Capabilities []string `json:"capabilities"`
	// SystemTime is the server's clock, and BootTime when it was started, in UTC, to 100 ns. Many servers tell no
	// BootTime.
	SystemTime *time.Time `json:"system_time"`
	BootTime   *time.Time `json:"boot_time"`
	// MaxTransactSize, MaxReadSize and MaxWriteSize are in bytes.
	MaxTransactSize uint32 `json:"max_transact_size"`
	MaxReadSize     uint32 `json:"max_read_size"`
	MaxWriteSize    uint32 `json:"max_write_size"`
	// AuthMechanisms are those of the SPNEGO token (RFC 4178 §4.2.1), the server's favourite first: "NTLM", "KRB5",
	// "MS-KRB5", "NEGOEX", or an object identifier in dots. Of the first reply that has a token, SMB1's included.
	AuthMechanisms []string `json:"auth_mechanisms"`

	// PreauthHash is the hash of the pre-authentication integrity context, "SHA-512" (MS-SMB2 §2.2.4.1.1), or a number
	// such as "0x0002"; empty where the server doesn't speak 3.1.1.
	PreauthHash string `json:"preauth_hash"`
	// Ciphers are what the server chose for encryption (§2.2.4.1.2): its favourite of all, "AES-128-GCM", and with
	// [Prober.Algorithms] all of "AES-128-CCM", "AES-128-GCM", "AES-256-CCM" and "AES-256-GCM" that it takes.
	Ciphers []string `json:"ciphers"`
	// Compression are the algorithms that the server takes (§2.2.4.1.3): "LZNT1", "LZ77", "LZ77+Huffman",
	// "Pattern_V1", "LZ4".
	Compression []string `json:"compression"`
	// CompressionChained says whether they may be combined; unknown where there is no compression.
	CompressionChained probe.Fact `json:"compression_chained"`
	// SigningAlgorithms are what the server chose (§2.2.4.1.7): its favourite, and with [Prober.Algorithms] all of
	// "HMAC-SHA256", "AES-CMAC" and "AES-GMAC" that it takes. Empty for a server that doesn't know the context, which
	// signs with AES-CMAC.
	SigningAlgorithms []string `json:"signing_algorithms"`
	// Encryption says whether SMB 3 encryption is offered: by a cipher at 3.1.1 or the capability at 3.0 and 3.0.2.
	// It is no only where that was refused, or 3.0 and later were.
	Encryption probe.Fact `json:"encryption"`

	// SMB1 is what the server says where only SMB1 is offered.
	SMB1 SMB1 `json:"smb1"`

	// NTLMAccepted says whether the server began a login by NTLM; no where it lists mechanisms without NTLM or answers
	// STATUS_NOT_SUPPORTED.
	NTLMAccepted probe.Fact `json:"ntlm_accepted"`
	// SessionSetupStatus is the answer to the first message of that login, such as "STATUS_MORE_PROCESSING_REQUIRED", or
	// a number such as "0xc0000001" without a name here; empty where there was none.
	SessionSetupStatus string `json:"session_setup_status"`
	// NTLM is the challenge; nil where there was none.
	NTLM *probe.NTLM `json:"ntlm"`

	// Anonymous says how a login without a user went; nil where there was none.
	Anonymous *AnonymousSession `json:"anonymous"`
	// NullSession says whether a login without a user gave a session that isn't one as guest (the flags of MS-SMB2
	// §2.2.6; Samba has none for it), and that may connect to IPC$. Unknown below [probe.LevelAnonymous].
	NullSession probe.Fact `json:"null_session"`
	// Guest says the same of a session as guest. Where the login gave another one it is unknown: whether strangers with a
	// name are guests isn't asked.
	Guest probe.Fact `json:"guest"`
	// Shares are what such a session lists; empty where it lists none and below [probe.LevelAnonymous].
	Shares []Share `json:"shares"`
}

// A SessionRequest is a NetBIOS session request and its reply (RFC 1002 §4.3.2 to §4.3.5).
type SessionRequest struct {
	CalledName string `json:"called_name"`
	// Reply is "positive", "negative", "retarget", or empty where the server didn't answer.
	Reply string `json:"reply"`
	// Error is the reason of a negative reply, such as "called name not present".
	Error string `json:"error"`
	// Retarget is where a retarget points, such as "192.0.2.9:139". It is never followed.
	Retarget string `json:"retarget"`
}

// A Negotiation is the answer to one dialect alone.
type Negotiation struct {
	Dialect string `json:"dialect"`
	// Spoken is yes where the server chose it, no where it refused in words, and unknown for any other end.
	Spoken probe.Fact `json:"spoken"`
	// Outcome says how the conversation ended: "ok" where the server answered in words.
	Outcome probe.Outcome `json:"outcome"`
	// Status is the server's, such as "STATUS_NOT_SUPPORTED"; empty where it didn't answer.
	Status          string     `json:"status"`
	SigningEnabled  probe.Fact `json:"signing_enabled"`
	SigningRequired probe.Fact `json:"signing_required"`
	// Encryption says whether it is offered with this dialect; no for those that have none.
	Encryption      probe.Fact `json:"encryption"`
	Capabilities    []string   `json:"capabilities"`
	MaxTransactSize uint32     `json:"max_transact_size"`
	MaxReadSize     uint32     `json:"max_read_size"`
	MaxWriteSize    uint32     `json:"max_write_size"`
}

// SMB1 is the answer to a negotiation that offers SMB1 only (MS-CIFS §2.2.4.52, MS-SMB §2.2.4.5).
type SMB1 struct {
	// Supported is no where the server says that it takes none of the dialects, and where it hangs up on them though it
	// speaks SMB 2 and answered to each dialect of that, which is how servers do that have SMB1 turned off.
	Supported probe.Fact `json:"supported"`
	// Outcome says how the negotiation ended: "ok" where the server answered in words; empty where it wasn't asked.
	Outcome probe.Outcome `json:"outcome"`
	// Dialect is what it chose of all, such as "NT LM 0.12".
	Dialect string `json:"dialect"`
	// Dialects are all that it was seen to choose: Dialect, and the best of the LANMAN ones where those are offered
	// alone.
	Dialects []string `json:"dialects"`
	// UserSecurity says whether users log in (yes), or each share has a password of its own (no).
	UserSecurity probe.Fact `json:"user_security"`
	// ChallengeResponse says whether passwords are proven by answering a challenge (yes), or sent as they are (no).
	ChallengeResponse probe.Fact `json:"challenge_response"`
	SigningEnabled    probe.Fact `json:"signing_enabled"`
	SigningRequired   probe.Fact `json:"signing_required"`
	// NativeOS and NativeLM are how the server names its system and itself in a session setup, such as "Unix" and
	// "Samba 4.17.12-Debian".
	NativeOS string `json:"native_os"`
	NativeLM string `json:"native_lm"`
	// Domain is the domain or workgroup that a negotiation without extended security tells, and ServerName the name that
	// some servers tell beside it.
	Domain     string `json:"domain"`
	ServerName string `json:"server_name"`
	// SystemTime is the server's clock in UTC; nil where it isn't told.
	SystemTime *time.Time `json:"system_time"`
}

// AnonymousSession says how a login without a user went, step by step. A step that wasn't taken, or that the server
// didn't answer, has an empty status.
type AnonymousSession struct {
	// NegotiateStatus is the answer to the negotiation, with which each connection begins.
	NegotiateStatus string `json:"negotiate_status"`
	// Status is the final answer to the session setup, such as "STATUS_SUCCESS" or "STATUS_ACCESS_DENIED".
	Status string `json:"status"`
	// Flags are those of the session (MS-SMB2 §2.2.6): "guest", "null", "encrypt", or a number such as "0x0008".
	Flags []string `json:"flags"`
	// TreeStatus is the answer to the tree connect to IPC$.
	TreeStatus string `json:"tree_status"`
	// ListStatus is how the list of shares ended: the status of the request that failed, "RPC bind refused", an RPC
	// fault such as "RPC fault 0x00000005" (C706 appendix E), or what NetrShareEnum returned (MS-ERREF §2.2):
	// "ERROR_SUCCESS", "ERROR_ACCESS_DENIED".
	ListStatus string `json:"list_status"`
}

// A Share is an entry of the list of shares.
type Share struct {
	Name string `json:"name"`
	// Type is "disk", "printer", "device", "ipc", or empty for one that has no name.
	Type    string `json:"type"`
	Comment string `json:"comment"`
}

func newEvidence() *Evidence {
	return &Evidence{
		SessionRequests: []SessionRequest{}, Dialects: []string{}, DialectsRefused: []string{}, Matrix: []Negotiation{},
		Capabilities: []string{}, AuthMechanisms: []string{}, Ciphers: []string{}, Compression: []string{},
		SigningAlgorithms: []string{}, SMB1: SMB1{Dialects: []string{}}, Shares: []Share{},
	}
}

// Protocol returns "smb".
func (e *Evidence) Protocol() string { return protocol }

// NTLMChallenge implements finding.NTLMEvidence.
func (e *Evidence) NTLMChallenge() *probe.NTLM {
	if e == nil {
		return nil
	}
	return e.NTLM
}

// Headline is the dialect that the server prefers and the name of its computer, such as "SMB 3.1.1 · files.example.net";
// where it speaks none, how it refused. It is empty where the server said nothing.
func (e *Evidence) Headline() string {
	if e == nil {
		return ""
	}
	var words []string
	switch {
	case e.PreferredDialect != "":
		words = append(words, "SMB "+e.PreferredDialect)
	case e.SMB1.Dialect != "":
		words = append(words, "SMB 1: "+e.SMB1.Dialect)
	default:
		words = append(words, e.refusal())
	}
	name := e.SMB1.ServerName
	if e.NTLM != nil {
		name = cmp.Or(e.NTLM.DNSComputer, e.NTLM.NetBIOSComputer, name)
	}
	return strings.Join(slices.DeleteFunc(append(words, name), func(w string) bool { return w == "" }), " · ")
}

// refusal is how a server that negotiates no dialect said so.
func (e *Evidence) refusal() string {
	if e.NegotiateStatus != "" {
		return e.NegotiateStatus
	}
	for _, n := range e.Matrix {
		if n.Status != "" {
			return n.Status
		}
	}
	if e.SMB1.Outcome == probe.OutcomeOK {
		return "no dialect of SMB 1"
	}
	for _, r := range slices.Backward(e.SessionRequests) {
		if r.Reply != "" {
			return strings.TrimSuffix(r.Reply+" session response: "+r.Error, ": ")
		}
	}
	return ""
}

// Banners implements [probe.BannerEvidence].
func (e *Evidence) Banners() []probe.Banner {
	var list []probe.Banner
	if e == nil {
		return list
	}
	for _, b := range []probe.Banner{
		{Kind: "smb.native_lm", Source: "smb1/native_lm", Text: e.SMB1.NativeLM},
		{Kind: "smb.native_os", Source: "smb1/native_os", Text: e.SMB1.NativeOS},
	} {
		if b.Text != "" {
			list = append(list, b)
		}
	}
	return list
}
