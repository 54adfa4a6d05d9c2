package rsync

import "github.com/handclasp/handclasp/probe"

const protocol = "rsync"

// Evidence is what an rsync daemon showed. Texts are without their line endings.
type Evidence struct {
	// Greeting is the first line, such as "@RSYNCD: 31.0"; whatever came in its place if that is no greeting; empty if
	// nothing came.
	Greeting string `json:"greeting"`
	// ProtocolVersion is the newest version of the protocol that the daemon speaks, by its greeting; 0 if it isn't
	// known. rsync 3.4.0 and later say 32 or more, 3.1.0 to 3.3.0 say 31, 3.0 says 30.
	ProtocolVersion int `json:"protocol_version" diff:"identifying"`
	// Subprotocol is the number behind the version's dot: 0, or more for one that isn't final. It is nil if there is
	// none, as below version 30.
	Subprotocol *int `json:"subprotocol"`
	// Digests are the names of the digests that passwords may be proved with, the daemon's favourite first. rsync lists
	// them from 3.2.7 on. If it doesn't, the list is empty: MD5 is meant, and MD4 below version 30. Null if no greeting came.
	Digests []string `json:"digests" diff:"identifying"`

	// ImplicitTLS says whether TLS was spoken from the first byte. It is no if the greeting came in cleartext, also
	// on a port for implicit TLS, and unknown if neither came about.
	ImplicitTLS probe.Fact `json:"implicit_tls"`
	// TLS is the handshake of the first connection; nil if there was none.
	TLS *probe.TLS `json:"tls"`

	// MOTD is the message of the day, its lines joined by "\n", without the empty lines at its end. It is empty if
	// there is none, and if AbsentReply is empty, which means that it wasn't learned.
	MOTD string `json:"motd"`
	// AbsentReply is what the daemon answered to a module that doesn't exist, such as "@ERROR: Unknown module 'x'".
	AbsentReply string `json:"absent_reply" diff:"volatile"`
	// AbsentAccess says what that means. A daemon that answers other than AccessUnknown lets nobody tell which modules
	// it has.
	AbsentAccess Access `json:"absent_access"`

	// Listing says whether the daemon gave the list of its modules, to its end or to the limit of lines; an empty list
	// is one as well. No means that it gives none. It is unknown if the daemon turned this client away, or all for the moment.
	Listing probe.Fact `json:"listing"`
	// Error is the "@ERROR" line by which the daemon refused the list, or any conversation; empty if it didn't.
	Error string `json:"error"`
	// Modules are those that are listed, in the list's order, and behind them those that the caller named; null if no list came.
	Modules []Module `json:"modules"`
	// ModulesTruncated says that the list has more modules than were read.
	ModulesTruncated bool `json:"modules_truncated"`
	// ModulesUnasked counts the modules that weren't asked at [probe.LevelAnonymous], as there are more than
	// [Prober.MaxModules] or [probe.Limits].Conns allow. Their Access is empty.
	ModulesUnasked int `json:"modules_unasked"`
	// MalformedRows counts lines of the list that name no module and were left out.
	MalformedRows int `json:"malformed_rows"`

	// Lossy says that a text held bytes that aren't UTF-8 and were replaced by U+FFFD; the transcript has them.
	Lossy bool `json:"lossy,omitempty"`
}

// A Module is a folder that the daemon serves by a name.
type Module struct {
	Name string `json:"name"`
	// Comment is the text beside the name in the list; it may be empty.
	Comment string `json:"comment"`
	// Listed says whether the name is in the list; unknown if that wasn't read to its end.
	Listed probe.Fact `json:"listed"`
	// Access says who may enter; empty if the module wasn't asked, or gave no answer. It is what the daemon says to
	// this client: another address may hear something else.
	Access Access `json:"access"`
	// Reply is the line that says so, a challenge included, which is another one each time.
	Reply string `json:"reply"`
	// Lossy is Evidence.Lossy for the name, the comment and the reply.
	Lossy bool `json:"lossy,omitempty"`
}

// Access is what a daemon says to somebody who asks for a module.
type Access string

// The kinds of access. The empty string stands for an answer that wasn't learned, or that is none of these.
const (
	AccessOpen    Access = "open"    // anybody may go on, without a password
	AccessAuth    Access = "auth"    // a password is wanted
	AccessDenied  Access = "denied"  // not for this address, or disabled
	AccessBusy    Access = "busy"    // too many connections at the moment
	AccessUnknown Access = "unknown" // there is no such module, or the daemon says so of one that is hidden and denied
	AccessFailed  Access = "failed"  // no password is wanted, but the daemon couldn't enter the module: its folder is missing
)

// Protocol returns "rsync".
func (*Evidence) Protocol() string { return protocol }

// TLSHandshake implements [probe.TLSEvidence].
func (e *Evidence) TLSHandshake() *probe.TLS {
	if e == nil {
		return nil
	}
	return e.TLS
}

// Banners implements [probe.BannerEvidence]: the greeting, which tells no release, and the message of the day, which
// makers of storage devices sign.
func (e *Evidence) Banners() []probe.Banner {
	if e == nil {
		return nil
	}
	return []probe.Banner{
		{Kind: "rsync.banner", Source: "greeting", Text: e.Greeting},
		{Kind: "rsync.motd", Source: "motd", Text: e.MOTD},
	}
}

// text takes a text of the server's over, and notes if it isn't UTF-8.
func (e *Evidence) text(s string) string {
	clean, lossy := probe.UTF8([]byte(s))
	e.Lossy = e.Lossy || lossy
	return clean
}
