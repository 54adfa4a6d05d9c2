package ssh

import (
	"time"

	"github.com/handclasp/handclasp/probe"
)

const protocol = "ssh"

// Evidence is what an SSH server showed. Text in it is the server's: bytes that aren't UTF-8 are replaced by U+FFFD,
// and the transcript has them.
type Evidence struct {
	// Identification is the line that begins with "SSH-" (RFC 4253 §4.2), without its ending; empty where none came.
	Identification string `json:"identification"`
	// ProtocolVersion is the part of it behind "SSH-": "2.0", "1.99" for a server that speaks versions 1 and 2, or "1.5"
	// and its like for version 1 alone.
	ProtocolVersion string `json:"protocol" diff:"identifying"`
	// Software is the part behind the version, up to the first space, such as "OpenSSH_9.2p1".
	Software string `json:"software"`
	// Comment is what follows the first space, such as "Debian-2+deb12u3"; empty where there is none.
	Comment string `json:"comment"`
	// GreetingLines are the lines that came before the identification, or instead of it.
	GreetingLines []string `json:"greeting_lines"`

	// Algorithms are the lists of the server's KEXINIT (RFC 4253 §7.1); nil where none was read.
	Algorithms *Algorithms `json:"algorithms"`
	// StrictKex says whether the server knows strict key exchange, the remedy against Terrapin, as its list of key
	// exchanges tells (OpenSSH's PROTOCOL §1.10); unknown where no list was read.
	StrictKex probe.Fact `json:"strict_kex"`
	// HASSHServer is the fingerprint of the server's lists that is known by this name: the MD5 sum, in hexadecimal, of the
	// lists of key exchanges and, from server to client, ciphers, MACs and compressions, joined by semicolons. Empty
	// where no list was read.
	HASSHServer string `json:"hassh_server"`

	// HostKeys are the keys by which the server proves who it is, one of each type that was asked for.
	HostKeys []HostKey `json:"host_keys"`
	// HostKeysMissing tells for which of the types in Algorithms.HostKey there is no key in HostKeys, and why.
	HostKeysMissing []MissingHostKey `json:"host_keys_missing"`

	// AuthMethods are the ways to log in that the server names to somebody who asks for none (RFC 4252 §5.2), such as
	// "publickey" and "password"; empty below [probe.LevelAnonymous], and where the question wasn't answered so.
	AuthMethods []string `json:"auth_methods" diff:"identifying"`
	// NoneAccepted says whether the server let in who asked without a credential. It is unknown where nobody asked.
	NoneAccepted probe.Fact `json:"none_accepted" diff:"identifying"`
	// Banner is the text that the server shows before a login (RFC 4252 §5.4); empty where there was none, and below
	// [probe.LevelAnonymous].
	Banner string `json:"banner"`
	// SFTP would say whether the server offers SFTP. Nobody can know before a login, and where one without a credential
	// worked handclasp doesn't ask, since a server may run a command for the question: it is always unknown. See
	// TransferHint.
	SFTP probe.Fact `json:"sftp"`
	// TransferHint is "sftp" where Software is the name of one that is made for transferring files, and else empty. It is a
	// guess by name and says nothing of what is switched on; what it doesn't know may transfer files all the same,
	// OpenSSH first of all.
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
	// Bits is the size of an RSA or DSA modulus or of an elliptic curve, 256 for Ed25519; 0 where the type has no such size.
	Bits int `json:"bits"`
	// SHA256 is the fingerprint of the key, for a certificate that of the key in it, spelled as OpenSSH does: "SHA256:"
	// and base64 without padding.
	SHA256 string `json:"sha256" diff:"identifying"`
	// Proven says that the server signed the exchange with the private key (RFC 4253 §8). It is never no, but unknown where
	// the signature couldn't be verified: it is wrong, or that of an RSA key below 1024 bits, which Go doesn't verify.
	Proven probe.Fact `json:"proven"`
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
	// ValidAfter and ValidBefore are in UTC, to the second; nil where the certificate sets no bound, or one that is behind
	// the year 9999.
	ValidAfter  *time.Time `json:"valid_after"`
	ValidBefore *time.Time `json:"valid_before"`
	// AuthoritySHA256 is the fingerprint of the key that signed it.
	AuthoritySHA256 string `json:"authority_sha256"`
}

// A MissingHostKey is a type of key that the server has and that wasn't learned.
type MissingHostKey struct {
	Type   string `json:"type"`   // as HostKey.Type, or the algorithm where its type isn't known
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

func newEvidence() *Evidence {
	return &Evidence{GreetingLines: []string{}, HostKeys: []HostKey{}, HostKeysMissing: []MissingHostKey{}, AuthMethods: []string{}}
}

// Protocol returns "ssh".
func (e *Evidence) Protocol() string { return protocol }

// Headline is the identification, or where none came the first line that came instead of it; empty where the server said
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
