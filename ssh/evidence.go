package ssh

import (
	"time"

	"github.com/handclasp/handclasp/probe"
)

const protocol = "ssh"

// Evidence is what an SSH server showed. Text in it is the server's: bytes that aren't UTF-8 are replaced by U+FFFD,
// and the transcript has them.
type Evidence struct {
	// Identification is the line that begins with "SSH-" (RFC 4253 §4.2), without its ending; empty if none came.
	Identification string `json:"identification"`
	// IdentificationTooLong says that it has more than the 255 bytes that RFC 4253 §4.2 allows, its ending included. The
	// exchange of keys goes on, but what the server signs can't be verified then, nor login methods be asked for.
	IdentificationTooLong bool `json:"identification_too_long"`
	// ProtocolVersion is the part of it behind "SSH-": "2.0", "1.99" for a server that speaks versions 1 and 2, or "1.5"
	// and its like for version 1 alone.
	ProtocolVersion string `json:"protocol" diff:"identifying"`
	// Software is the part behind the version, up to the first space, such as "OpenSSH_9.2p1".
	Software string `json:"software"`
	// Comment is what follows the first space, such as "Debian-2+deb12u3"; empty if there is none.
	Comment string `json:"comment"`
	// GreetingLines are the lines that came before the identification, or instead of it; null if the server said nothing.
	GreetingLines []string `json:"greeting_lines"`

	// Algorithms are the lists of the server's KEXINIT (RFC 4253 §7.1); nil if none was read.
	Algorithms *Algorithms `json:"algorithms"`
	// StrictKex says whether the server knows strict key exchange, the remedy against Terrapin, as its list of key
	// exchanges tells (OpenSSH's PROTOCOL §1.10); unknown if no list was read.
	StrictKex probe.Fact `json:"strict_kex"`
	// HASSHServer is the fingerprint of the server's lists that is known by this name: the MD5 sum, in hexadecimal, of the
	// lists of key exchanges and, from server to client, ciphers, MACs and compressions, joined by semicolons. Empty
	// if no list was read.
	HASSHServer string `json:"hassh_server"`

	// HostKeys are the keys by which the server proves who it is, one of each type that was asked for; null if none came.
	HostKeys []HostKey `json:"host_keys"`
	// HostKeysMissing tells for which of the types in Algorithms.HostKey there is no key in HostKeys, and why; null if no
	// list was read.
	HostKeysMissing []MissingHostKey `json:"host_keys_missing"`

	// GroupExchange says how large a group the server gives to who asks for one of a certain size (RFC 4419 §3). It is null
	// if that wasn't asked ([Prober].GroupExchange), and empty if the server has no group exchange.
	GroupExchange []GroupExchange `json:"gex"`

	// AuthMethods are the ways to log in that the server names to somebody who asks for none (RFC 4252 §5.2), such as
	// "publickey" and "password"; null below [probe.LevelAnonymous], and if the question wasn't answered so: a server that
	// lets in whoever asks names none.
	AuthMethods []string `json:"auth_methods" diff:"identifying"`
	// NoneAccepted says whether the server let in who asked without a credential. It is unknown if nobody asked.
	NoneAccepted probe.Fact `json:"none_accepted" diff:"identifying"`
	// Banner is the text that the server shows before a login (RFC 4252 §5.4); empty if there was none, and below
	// [probe.LevelAnonymous].
	Banner string `json:"banner"`
	// TransferHint is "sftp" if Software is the name of one that is made for transferring files, and else empty. It is a
	// guess by name and says nothing of what is switched on; what it doesn't know may transfer files all the same,
	// OpenSSH first of all: nobody can know before a login.
	TransferHint string `json:"transfer_hint"`
}

// Algorithms are the lists of a KEXINIT in the server's order. Names that aren't algorithms but signal what the server
// can, such as "ext-info-s" (RFC 8308 §2.1), stay in Kex.
type Algorithms struct {
	Kex                   []string `json:"kex"`
	HostKey               []string `json:"host_key"`
	CiphersClientToServer []string `json:"ciphers_client_to_server"`
	CiphersServerToClient []string `json:"ciphers_server_to_client"`
	MACsClientToServer    []string `json:"macs_client_to_server"`
	MACsServerToClient    []string `json:"macs_server_to_client"`
	// Compression is the list from server to client; the other one is the same with every server that is known.
	Compression               []string `json:"compression"`
	CompressionClientToServer []string `json:"compression_client_to_server"`
	LanguagesClientToServer   []string `json:"languages_client_to_server"`
	LanguagesServerToClient   []string `json:"languages_server_to_client"`
	// FirstKexFollows says that the server sends a guess of the key exchange behind its lists (RFC 4253 §7).
	FirstKexFollows bool `json:"first_kex_follows"`
}

// A HostKey is a public key that the server showed in a key exchange.
type HostKey struct {
	// Type is the key's format, such as "ssh-ed25519" or "ssh-rsa"; for a certificate it is that of the certificate.
	Type string `json:"type" diff:"key"`
	// Bits is the size of an RSA or DSA modulus or of an elliptic curve, 256 for Ed25519; 0 if the type has no such size.
	Bits int `json:"bits"`
	// SHA256 is the fingerprint of the key, for a certificate that of the key in it, spelled as OpenSSH does: "SHA256:"
	// and base64 without padding.
	SHA256 string `json:"sha256" diff:"identifying"`
	// Proven says that the server signed the exchange with the private key (RFC 4253 §8). It is never no, but unknown if
	// the signature couldn't be verified: it is wrong, or that of a key which the library doesn't take, such as RSA below 1024
	// bits or with an exponent of more than 24.
	Proven probe.Fact `json:"proven"`
	// Key is the key as it was sent (RFC 4253 §6.6), a certificate as a whole.
	Key []byte `json:"key"`
	// Certificate is what OpenSSH's certificate says of the key; nil for a plain one.
	Certificate *Certificate `json:"certificate"`
}

// A Certificate is a host certificate of OpenSSH's kind (its PROTOCOL.certkeys). Nothing in it is verified but that the
// server has the key.
type Certificate struct {
	KeyID  string `json:"key_id"`
	Serial uint64 `json:"serial"`
	// Principals are the names that the certificate is for; empty means any.
	Principals []string `json:"principals"`
	// ValidAfter and ValidBefore are in UTC, to the second; nil if the certificate sets no bound, or one that is behind
	// the year 9999.
	ValidAfter  *time.Time `json:"valid_after"`
	ValidBefore *time.Time `json:"valid_before"`
	// AuthoritySHA256 is the fingerprint of the key that signed it.
	AuthoritySHA256 string `json:"authority_sha256"`
}

// A GroupExchange is a group that was asked for, and what was given.
type GroupExchange struct {
	Asked int `json:"asked"` // the least size in bits, and the preferred one
	Bits  int `json:"bits"`  // the size of the modulus that came; 0 if the server gives none
}

// A MissingHostKey is a type of key that the server has and that wasn't learned.
type MissingHostKey struct {
	Type   string `json:"type"`   // as HostKey.Type, or the algorithm if its type isn't known
	Reason Reason `json:"reason"` // why
}

// A Reason says why a host key wasn't learned.
type Reason string

// The reasons.
const (
	ReasonUnsupported Reason = "unsupported"         // no key of this type can be asked for
	ReasonNoCommon    Reason = "no_common_algorithm" // the server has no key exchange, cipher or MAC that is spoken here
	ReasonDropped     Reason = "dropped"             // the server refused or ended the connection, as it does with many
	ReasonLimit       Reason = "limit"               // one more connection for it was too many
	ReasonFailed      Reason = "failed"              // the exchange failed in another way
	ReasonNotAsked    Reason = "not_asked"           // the probe ended before there was an answer
)

// Protocol returns "ssh".
func (e *Evidence) Protocol() string { return protocol }

// Headline is the identification, or the first line that came instead of it; empty if the server said
// nothing.
func (e *Evidence) Headline() string {
	switch {
	case e == nil:
		return ""
	case e.Identification == "" && len(e.GreetingLines) > 0:
		return e.GreetingLines[0]
	}
	return e.Identification
}

// Banners implements [probe.BannerEvidence]: the identification behind its version is what software is known by.
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
