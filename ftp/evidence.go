package ftp

import "github.com/handclasp/handclasp/probe"

const protocol = "ftp"

// Evidence is what an FTP server showed. Replies and lists are null, facts and text empty, if a question wasn't asked or
// wasn't answered.
type Evidence struct {
	// Greeting is the reply that the server begins with (RFC 959 §5.4), the last one if it asked to wait (120).
	// A 4yz or 5yz is the server's refusal to talk. Code 0 means that it was no reply of FTP.
	Greeting *probe.Reply `json:"greeting"`
	// ImplicitTLS says whether TLS was spoken from the first byte, as on port 990; no RFC describes it. It is no if
	// the greeting came in cleartext, also on a port for implicit TLS, and unknown if neither came about.
	ImplicitTLS probe.Fact `json:"implicit_tls"`
	// Features are the lines of the reply to FEAT in cleartext (RFC 2389 §3.2), such as "AUTH TLS" or "UTF8";
	// empty if it has none. A server that refused to tell is asked again behind an anonymous login.
	Features []string `json:"features"`
	// System is the text of the reply to SYST (RFC 959 §4.1.3), such as "UNIX Type: L8". Some tell it only after a login.
	System string `json:"system"`
	// AuthTLS says whether AUTH TLS or AUTH SSL was accepted (RFC 4217 §4); the handshake may still have failed.
	AuthTLS probe.Fact `json:"auth_tls"`
	// AuthReply is the reply that accepted, or else the refusal of AUTH TLS.
	AuthReply *probe.Reply `json:"auth_reply"`
	// TLS is the handshake on the control connection.
	TLS *probe.TLS `json:"tls"`
	// FeaturesAfterTLS are likewise the lines of the reply to FEAT inside TLS.
	FeaturesAfterTLS []string `json:"features_after_tls"`
	// ProtectsData says whether PROT P was accepted (RFC 4217 §9): data connections can be encrypted too.
	ProtectsData probe.Fact `json:"protects_data"`
	// CleartextLogin says whether the server would have taken a password without TLS (RFC 2577 §5): yes if it
	// answered a made-up name by 331, 332 or 230, no if it refused.
	CleartextLogin probe.Fact `json:"cleartext_login"`
	// CleartextReply is that answer.
	CleartextReply *probe.Reply `json:"cleartext_reply"`
	// Anonymous is how the server took the name anonymous (RFC 1635); its fields are empty if it wasn't asked.
	Anonymous Anonymous `json:"anonymous"`
}

// Anonymous is an anonymous login: of two attempts, in cleartext and inside TLS, the one that came further, or else the later.
type Anonymous struct {
	// Login is unknown if it was refused in cleartext and the server has TLS, or may have, inside which it wasn't answered.
	Login probe.Fact `json:"login"`
	// OverTLS says whether the rest was said inside TLS.
	OverTLS probe.Fact `json:"over_tls"`
	// UserReply and PassReply are the replies to USER and PASS, which is sent only if USER is answered by 331.
	UserReply *probe.Reply `json:"user_reply"`
	PassReply *probe.Reply `json:"pass_reply"`
	// Directory is the working directory after the login, as PWD names it (RFC 959 App. II).
	Directory string `json:"directory"`
	// Listing is what the directory holds, by MLSD or else by LIST; null below LevelAnonymous or without a login.
	Listing *Listing `json:"listing"`
	// ListingError says why there is no listing, or no complete one: a refusal, or a data connection that failed.
	ListingError string `json:"listing_error"`
	// ListingReply is the refusal that came in place of a listing, to MLSD or LIST; null if none did.
	ListingReply *probe.Reply `json:"listing_reply"`
	// PassiveAddress is the IPv4 address that the server named for the data connection (227, RFC 959 §4.1.2). Another
	// than its own is never connected to. Empty over IPv6, where none is named (RFC 2428 §3).
	PassiveAddress string `json:"passive_address"`
}

// A Listing is a directory's content, in the server's order. LIST's rows are read as Unix, MS-DOS and IIS, EPLF, NetWare, VMS,
// z/OS and IBM i write them; one in no such format is counted and shown.
type Listing struct {
	// Entries are the files and directories, without the listed directory itself and the one above it.
	Entries []Entry `json:"entries"`
	// Current is the listed directory itself, for what its permissions say; null if the listing doesn't hold it.
	Current *Entry `json:"current"`
	// Unparsed is how many rows were in no format that is understood: each may be a file, or a remark.
	Unparsed int `json:"unparsed"`
	// UnparsedSample holds the first of them, at most 3, each cut at 256 bytes.
	UnparsedSample []string `json:"unparsed_sample"`
	// Truncated says that there was more, or may have been: it was cut at 1,000 rows, or by a limit or a failure.
	Truncated bool `json:"truncated"`
}

// An Entry is a line of a listing.
type Entry struct {
	Name string `json:"name"`
	// Lossy says that the name held bytes that aren't UTF-8 and were replaced by U+FFFD.
	Lossy bool `json:"lossy,omitempty"`
	// Type is one of the types below.
	Type string `json:"type"`
	// Size is a file's in bytes; null if it is told in blocks or records, or not at all, or is 2⁶³ or more.
	Size *int64 `json:"size"`
	// Modified is RFC 3339 in UTC if the listing is for machines (MLSD, RFC 3659 §7.5.3, and EPLF), and else the words of
	// the listing, such as "Jan 2 2019" or "Nov 22 14:57", which name no time zone and may lack the year.
	Modified string `json:"modified"`
	// Permissions are the perm fact (RFC 3659 §7.5.5), such as "flcdmpe", a Unix mode, such as "drwxr-xr-x" or "0755",
	// NetWare's rights, "[R----F--]", or VMS's protection, "(RWED,RWED,RE,RE)". Empty if the server doesn't say.
	Permissions string `json:"permissions"`
	// Writable says whether the permissions let the anonymous visitor change something, as the server claims; it is never
	// tried. A mode that lets only the owner or the group write leaves it empty: they may be the visitor.
	Writable probe.Fact `json:"writable"`
}

// The types of entries.
const (
	TypeFile      = "file"
	TypeDirectory = "directory"
	TypeCurrent   = "current" // the listed directory itself: that of Listing.Current
	TypeLink      = "link"
	TypeOther     = "other"
)

// Protocol returns "ftp".
func (*Evidence) Protocol() string { return protocol }

// TLSHandshake implements [probe.TLSEvidence].
func (e *Evidence) TLSHandshake() *probe.TLS {
	if e == nil {
		return nil
	}
	return e.TLS
}

// OffersTLS implements [probe.OfferEvidence].
func (e *Evidence) OffersTLS() probe.Fact {
	switch {
	case e == nil:
		return probe.Unknown
	case e.ImplicitTLS == probe.Yes:
		return probe.Yes
	}
	return e.AuthTLS
}
