package probe

import (
	"context"
	"crypto/x509"
	"io"
	"net"
	"net/netip"
)

// A DialFunc establishes a connection, as [net.Dialer.DialContext] does. The session only ever passes it the target's
// own address. Use one to set a source address, or to go through a proxy or another network namespace.
type DialFunc func(ctx context.Context, network, address string) (net.Conn, error)

// Options tune the transport of a probe. A nil *Options and the zero value are the defaults. They are copied on entry;
// what a protocol can do beyond its levels is a field of its Prober.
type Options struct {
	// Level is how far the probe may go; the zero value is LevelHandshake.
	Level Level
	// ImplicitTLS says whether TLS is spoken from the first byte. Unknown leaves it to the port, as the protocol's
	// Spec lists it.
	ImplicitTLS Fact
	// Contact is what the visitor says of itself.
	Contact Contact
	// Dial establishes connections; nil means a plain [net.Dialer].
	Dial DialFunc
	// Gate, if not nil, is passed before each connection, whoever dials: it may hold it up, for as long as ctx lasts, or refuse
	// it by an error. It costs less than a Dial around the system's.
	Gate func(ctx context.Context, to netip.AddrPort) error
	// Limits bound the session.
	Limits Limits
	// RootCAs are the roots by which the fact "trusted" of TLS evidence is judged; nil means the system's. The
	// conversation goes on in either case.
	RootCAs *x509.CertPool
	// Chains, if not nil, remembers what certificates say: for many probes of one program with the same RootCAs.
	Chains *Chains
	// TLS is how much is asked of what the server accepts by TLS, at levels from the handshake on; the zero value is what the
	// handshake of the conversation shows.
	TLS TLSMode
	// NoDER leaves the certificates' DER out of the evidence, which is most of it.
	NoDER bool
	// PostQuantum offers the hybrid key exchange X25519MLKEM768 too. It is off because it costs a third of the CPU
	// time of a probe.
	PostQuantum bool
	// Rand is the source of names and identifiers that must be unpredictable; nil means crypto/rand. It isn't used for
	// TLS. Sessions that run at once read it at once.
	Rand io.Reader
	// Trace, if not nil, is called for each event as it happens, with the session's lock held: it must not block, nor
	// call the session.
	Trace func(Event)
}
