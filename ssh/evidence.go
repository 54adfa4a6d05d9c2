package ssh

import (
	"time"

	"github.com/handclasp/handclasp/probe"
)

const protocol = "ssh"

// Evidence is what an SSH server showed; what wasn't learned is empty or nil. Bytes that aren't UTF-8 are replaced by U+FFFD,
// and the transcript has them.
type Evidence struct {
	Identification string `json:"identification"` // the line that begins with "SSH-" (RFC 4253 §4.2), without its ending
	// IdentificationTooLong says that it exceeds the 255 bytes that RFC 4253 §4.2 allows, its ending included: the keys are
	// exchanged, but what the server signs can't be verified, nor login methods be asked for.
	IdentificationTooLong bool     `json:"identification_too_long"`
	ProtocolVersion       string   `json:"protocol" diff:"identifying"` // "2.0"; "1.99" for versions 1 and 2; such as "1.5" for version 1 alone
	Software              string   `json:"software"`                    // behind the version, up to the first space, such as "OpenSSH_9.2p1"
	Comment               string   `json:"comment"`                     // behind the first space, such as "Debian-2+deb12u3"
	GreetingLines         []string `json:"greeting_lines"`              // those before the identification, or instead of it; null if the server said nothing

	Algorithms *Algorithms `json:"algorithms"` // the server's KEXINIT (RFC 4253 §7.1); nil if none was read
	StrictKex  probe.Fact  `json:"strict_kex"` // strict key exchange, the remedy against Terrapin (OpenSSH's PROTOCOL §1.10)
	// HASSHServer is the fingerprint of that name: the MD5 sum, in hexadecimal, of the lists of key exchanges and, from server
	// to client, ciphers, MACs and compressions, joined by semicolons.
	HASSHServer string `json:"hassh_server"`

	HostKeys        []HostKey        `json:"host_keys"`         // one of each type that was asked for; null if none came. There may be types that aren't listed
	HostKeysMissing []MissingHostKey `json:"host_keys_missing"` // the types in Algorithms.HostKey without a key in HostKeys; null if no list was read
	GroupExchange   []GroupExchange  `json:"gex"`               // null if not asked ([Prober].GroupExchange), empty if the server has none (RFC 4419 §3)

	// AuthMethods are the ways to log in that the server names when the method none is refused (RFC 4252 §5.2), such as
	// "publickey" and "password"; null below [probe.LevelAnonymous], and if none was accepted or the question wasn't answered.
	AuthMethods  []string   `json:"auth_methods" diff:"identifying"`
	NoneAccepted probe.Fact `json:"none_accepted" diff:"identifying"` // whether the method none, without a credential, logs in; unknown if not asked
	Banner       string     `json:"banner"`                           // the text before a login (RFC 4252 §5.4); empty below [probe.LevelAnonymous]
	// TransferHint is "sftp" if Software is named like one made for transferring files, and else empty. It is a guess: what
	// others can, OpenSSH first of all, shows only after a login.
	TransferHint string `json:"transfer_hint"`
}

// Algorithms are the lists of a KEXINIT in the server's order. Kex holds signals too, such as "ext-info-s" (RFC 8308 §2.1).
type Algorithms struct {
	Kex                       []string `json:"kex"`
	HostKey                   []string `json:"host_key"`
	CiphersClientToServer     []string `json:"ciphers_client_to_server"`
	CiphersServerToClient     []string `json:"ciphers_server_to_client"`
	MACsClientToServer        []string `json:"macs_client_to_server"`
	MACsServerToClient        []string `json:"macs_server_to_client"`
	Compression               []string `json:"compression"` // from server to client; the other one is the same with every server that is known
	CompressionClientToServer []string `json:"compression_client_to_server"`
	LanguagesClientToServer   []string `json:"languages_client_to_server"`
	LanguagesServerToClient   []string `json:"languages_server_to_client"`
	FirstKexFollows           bool     `json:"first_kex_follows"` // the server sends a guess of the key exchange behind its lists (RFC 4253 §7)
}

// A HostKey is a public key that the server showed in a key exchange.
type HostKey struct {
	Type   string `json:"type" diff:"key"`           // the format, such as "ssh-ed25519"; for a certificate that of the certificate
	Bits   int    `json:"bits"`                      // of an RSA or DSA modulus or a curve, 256 for Ed25519; 0 if the type has no such size
	SHA256 string `json:"sha256" diff:"identifying"` // of the key, or of that in the certificate, as OpenSSH spells it: "SHA256:", base64 without padding
	// Proven says that the server signed the exchange with the private key (RFC 4253 §8). It is never no: unknown if the signature
	// is wrong, or the library doesn't take the key, such as RSA below 1024 bits or with an exponent of more than 24 bits.
	Proven      probe.Fact   `json:"proven"`
	Key         []byte       `json:"key"`         // as it was sent (RFC 4253 §6.6), a certificate as a whole
	Certificate *Certificate `json:"certificate"` // nil for a plain key
}

// A Certificate is a host certificate of OpenSSH's kind (its PROTOCOL.certkeys). Nothing in it is verified but that the
// server has the key.
type Certificate struct {
	KeyID           string     `json:"key_id"`
	Serial          uint64     `json:"serial"`
	Principals      []string   `json:"principals"`       // the names that it is for; empty means any
	ValidAfter      *time.Time `json:"valid_after"`      // UTC, to the second; nil if there is no bound, or one behind the year 9999
	ValidBefore     *time.Time `json:"valid_before"`     // as ValidAfter
	AuthoritySHA256 string     `json:"authority_sha256"` // the fingerprint of the key that signed it
}

// A GroupExchange is a group that was asked for, and what was given.
type GroupExchange struct {
	Asked int `json:"asked"` // the least size in bits, and the preferred one
	Bits  int `json:"bits"`  // the size of the modulus that came; 0 if the server gives none
}

// A MissingHostKey is a type of key that the server has and didn't show.
type MissingHostKey struct {
	Type   string `json:"type"`   // as HostKey.Type, or the algorithm if its type isn't known
	Reason Reason `json:"reason"` // why
}

// A Reason says why a host key wasn't learned.
type Reason string

const (
	ReasonUnsupported Reason = "unsupported"         // no key of this type can be asked for
	ReasonNoCommon    Reason = "no_common_algorithm" // the server has no key exchange, cipher or MAC that is spoken here
	ReasonDropped     Reason = "dropped"             // the server refused or ended the connection, as it does with many
	ReasonLimit       Reason = "limit"               // one more connection for it was too many
	ReasonFailed      Reason = "failed"              // the exchange failed in another way
	ReasonNotAsked    Reason = "not_asked"           // the probe ended before there was an answer
)

// Protocol returns "ssh".
func (*Evidence) Protocol() string { return protocol }

// Headline is the identification, or the first line that came instead of it.
func (e *Evidence) Headline() string {
	switch {
	case e == nil:
		return ""
	case e.Identification == "" && len(e.GreetingLines) > 0:
		return e.GreetingLines[0]
	}
	return e.Identification
}

// Banners implements [probe.BannerEvidence].
func (e *Evidence) Banners() []probe.Banner {
	if e == nil || e.Software == "" {
		return nil
	}
	text := e.Software
	if e.Comment != "" {
		text += " " + e.Comment
	}
	return []probe.Banner{{Kind: "ssh.banner", Source: "identification", Text: text}}
}

// AlgorithmList implements [probe.AlgorithmEvidence].
func (e *Evidence) AlgorithmList(name string) []string {
	if e == nil || e.Algorithms == nil {
		return nil
	}
	switch a := e.Algorithms; name {
	case "kex":
		return a.Kex
	case "host_key":
		return a.HostKey
	case "ciphers_client_to_server":
		return a.CiphersClientToServer
	case "ciphers_server_to_client":
		return a.CiphersServerToClient
	case "macs_client_to_server":
		return a.MACsClientToServer
	case "macs_server_to_client":
		return a.MACsServerToClient
	}
	return nil
}
