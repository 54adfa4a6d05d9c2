package smb

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/handclasp/handclasp/probe"
)

const protocol = "smb"

// Evidence is what a file server showed. What wasn't learned is empty or nil; a list of length 0 was asked for. Statuses are
// those of MS-ERREF, such as "STATUS_SUCCESS", or numbers such as "0xc0000001".
type Evidence struct {
	Transport       string           `json:"transport"`        // how SMB was carried: "direct" over TCP, or "netbios" (RFC 1002 §4.3)
	SessionRequests []SessionRequest `json:"session_requests"` // those made to learn the name that the server answers to
	CalledName      string           `json:"called_name"`      // the name that the server took in a session request

	NegotiateStatus string        `json:"negotiate_status"`            // the answer to an offer of all dialects of SMB 2 and 3
	Dialects        []string      `json:"dialects" diff:"identifying"` // those that the server chose when offered alone: "2.0.2" to "3.1.1"
	DialectsRefused []string      `json:"dialects_refused"`            // those that it refused in words; one in neither list wasn't learned
	Matrix          []Negotiation `json:"matrix"`                      // the answer to each dialect alone

	// PreferredDialect is what the server chose of all; the fields up to auth_mechanisms are of that reply (MS-SMB2 §2.2.4).
	PreferredDialect string     `json:"preferred_dialect"`
	SigningEnabled   probe.Fact `json:"signing_enabled"` // whatever it says, a client that asks can have signing (§3.2.5.2)
	SigningRequired  probe.Fact `json:"signing_required"`
	ServerGUID       string     `json:"server_guid" diff:"identifying"`     // such as "6f6e6d6c-1a2b-3c4d-8e5f-001122334455"
	Capabilities     []string   `json:"capabilities"`                       // such as "DFS", or "0x00000100" for one without a name
	SystemTime       *time.Time `json:"system_time" diff:"volatile"`        // the server's clock in UTC, to 100 ns
	BootTime         *time.Time `json:"boot_time" diff:"volatile"`          // when the server was started, which few tell
	MaxTransactSize  uint32     `json:"max_transact_size"`                  // bytes
	MaxReadSize      uint32     `json:"max_read_size"`                      // bytes
	MaxWriteSize     uint32     `json:"max_write_size"`                     // bytes
	AuthMechanisms   []string   `json:"auth_mechanisms" diff:"identifying"` // of SPNEGO: "NTLM", "KRB5", "1.2.3.4"; SMB1's if it alone is spoken

	PreauthHash        string     `json:"preauth_hash"`        // of 3.1.1 (§2.2.4.1.1): "SHA-512"
	Ciphers            []string   `json:"ciphers"`             // the favourite, or all with [Prober.Algorithms], such as "AES-128-GCM"
	Compression        []string   `json:"compression"`         // "LZNT1", "LZ77", "LZ77+Huffman", "Pattern_V1", "LZ4"
	CompressionChained probe.Fact `json:"compression_chained"` // whether algorithms may be combined
	SigningAlgorithms  []string   `json:"signing_algorithms"`  // as Ciphers, such as "AES-GMAC"; AES-CMAC if the context isn't known
	Encryption         probe.Fact `json:"encryption"`          // SMB 3's, by a cipher at 3.1.1, by the capability at 3.0 and 3.0.2; no only if that, or 3.0 and later, were refused
	SMB1               SMB1       `json:"smb1"`                // what the server says if only SMB1 is offered

	NTLMAccepted       probe.Fact  `json:"ntlm_accepted"`        // no if others only are listed, or STATUS_NOT_SUPPORTED is the answer
	SessionSetupStatus string      `json:"session_setup_status"` // the answer to NTLM's first message
	NTLM               *probe.NTLM `json:"ntlm"`                 // the challenge

	Anonymous *AnonymousSession `json:"anonymous"` // how a login without a user went
	// NullSession and Guest say whether that login gave such a session (§2.2.6), and IPC$. Strangers with a name aren't tried.
	NullSession probe.Fact `json:"null_session"`
	Guest       probe.Fact `json:"guest"`
	Shares      []Share    `json:"shares"` // those that such a session lists
}

// A SessionRequest is one of NetBIOS, and its reply (RFC 1002 §4.3.2).
type SessionRequest struct {
	CalledName string `json:"called_name"`
	Reply      string `json:"reply"`    // "positive", "negative", "retarget"
	Error      string `json:"error"`    // the reason of a negative reply, such as "called name not present"
	Retarget   string `json:"retarget"` // where a retarget points, such as "192.0.2.9:139"
}

// A Negotiation is the answer to one dialect alone.
type Negotiation struct {
	Dialect         string        `json:"dialect"`
	Spoken          probe.Fact    `json:"spoken"`  // no only if the server refused in words
	Outcome         probe.Outcome `json:"outcome"` // "ok" if the server answered in words
	Status          string        `json:"status"`
	SigningEnabled  probe.Fact    `json:"signing_enabled"`
	SigningRequired probe.Fact    `json:"signing_required"`
	Encryption      probe.Fact    `json:"encryption"` // no for dialects that have none
	Capabilities    []string      `json:"capabilities"`
	MaxTransactSize uint32        `json:"max_transact_size"`
	MaxReadSize     uint32        `json:"max_read_size"`
	MaxWriteSize    uint32        `json:"max_write_size"`
}

// SMB1 is the answer to it alone (MS-CIFS §2.2.4.52, MS-SMB §2.2.4.5).
type SMB1 struct {
	Supported         probe.Fact    `json:"supported"`                   // no if it takes no dialect, or hangs up but answers to each of SMB 2
	Outcome           probe.Outcome `json:"outcome"`                     // "ok" if the server answered in words
	Dialect           string        `json:"dialect"`                     // what the server chose of all, such as "NT LM 0.12"
	Dialects          []string      `json:"dialects" diff:"identifying"` // that, and the best of those before NT LM 0.12
	UserSecurity      probe.Fact    `json:"user_security"`               // whether users log in, or shares have passwords
	ChallengeResponse probe.Fact    `json:"challenge_response"`          // whether passwords are proven, or sent as they are
	SigningEnabled    probe.Fact    `json:"signing_enabled"`
	SigningRequired   probe.Fact    `json:"signing_required"`
	NativeOS          string        `json:"native_os"`                 // the server's system, such as "Unix"
	NativeLM          string        `json:"native_lm"`                 // the server itself, such as "Samba 4.17.12-Debian"
	Domain            string        `json:"domain" diff:"identifying"` // the domain or workgroup
	ServerName        string        `json:"server_name" diff:"identifying"`
	SystemTime        *time.Time    `json:"system_time" diff:"volatile"` // the server's clock in UTC
}

// AnonymousSession says how a login without a user went, step by step.
type AnonymousSession struct {
	NegotiateStatus string   `json:"negotiate_status"`
	Status          string   `json:"status"`      // the final answer to the session setup
	Flags           []string `json:"flags"`       // of the session (MS-SMB2 §2.2.6): "guest", "null", "encrypt", or a number
	TreeStatus      string   `json:"tree_status"` // the answer to the tree connect to IPC$
	// ListStatus is what ended the list of shares: a failed request's status, "RPC bind refused", a fault such as
	// "RPC fault 0x00000005" (C706 appendix E), or NetrShareEnum's answer, such as "ERROR_SUCCESS"; RAP's only with the list.
	ListStatus string `json:"list_status"`
}

// A Share is an entry of the list (MS-SRVS §2.2.4.23, MS-RAP §2.5.7.2).
type Share struct {
	Name    string `json:"name"`
	Type    string `json:"type"` // "disk", "printer", "device", "ipc", or empty for one without a name
	Comment string `json:"comment"`
}

// Protocol returns "smb".
func (*Evidence) Protocol() string { return protocol }

// NTLMChallenge implements [probe.NTLMEvidence].
func (e *Evidence) NTLMChallenge() *probe.NTLM {
	if e == nil {
		return nil
	}
	return e.NTLM
}

// Headline is such as "SMB 3.1.1 · files.example.net", or how it refused.
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
		{Kind: "smb.ipc_comment", Source: "shares", Text: e.ipcComment()},
		{Kind: "smb.mechanisms", Source: "auth_mechanisms", Text: strings.Join(e.AuthMechanisms, "\n")},
		{Kind: "smb.dialect", Source: "preferred_dialect", Text: e.PreferredDialect},
	} {
		if b.Text != "" {
			list = append(list, b)
		}
	}
	return list
}

// ipcComment is what the server says of its share of pipes, in which Samba names itself.
func (e *Evidence) ipcComment() string {
	for _, s := range e.Shares {
		if s.Name == "IPC$" {
			return s.Comment
		}
	}
	return ""
}
