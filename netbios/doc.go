// Package netbios asks a host for its NetBIOS names, or for a session with its file server, and leaves.
//
// It follows RFC 1001 and 1002: the name service over UDP, by default at port 137 (RFC 1002 §4.2), and the session
// service over TCP, at port 139 (§4.3). The target's network says which of the two is asked. What the suffixes of names
// stand for is Microsoft's convention.
//
// # What is sent to the name service
//
// At [probe.LevelGreeting] nothing is sent, not even a socket opened: the service volunteers nothing. Nothing is
// learned, and the outcome is ok. At [probe.LevelHandshake] and above, two datagrams of 50 bytes, each sent again after
// one and two seconds if it isn't answered, and given up after four more:
//
//	NBSTAT of "*"    id  00 00  00 01 00 00 00 00 00 00  20 "CK" 30 × "A" 00  00 21 00 01
//	NB of a name     id  00 00  00 01 00 00 00 00 00 00  20 32 letters    00  00 20 00 01
//
// The id is random. The flags are zero: no broadcast, and no recursion (RFC 1002 §4.2.1.1). The first question asks for the
// node's name table (§4.2.17). The second asks for the addresses of a name that the table has: the file server's (suffix
// 20), else the host's own (suffix 00), else "*" (§4.2.12). A host that doesn't answer the second keeps what it told
// before; the result's Partial then names the addresses.
//
// A reply is taken if its id, its name and its type are those of the question; everything else is counted in
// [Evidence.Strays]. What comes from elsewhere than was asked is no reply: the outcome is timeout, as for a firewall's
// silence, and [Evidence.StrayReplies] shows it. If the host says by ICMP that the port is closed, the outcome is refused.
//
// # What is sent to the session service
//
// At [probe.LevelGreeting] a connection is opened, and closed: it shows that the port is open, and no more. At
// [probe.LevelHandshake] and above:
//
//	81 00 00 44  the name "*SMBSERVER" <20>  the name "HANDCLASP" <00>
//
// Each name is 34 bytes, encoded, without a scope (§4.3.2). If the answer is negative, as it is with Windows Vista and
// later, UDP port 137 of the same host is asked for the names as above, once, and the file server called again by its own
// name over a new connection: unless the answer is that the server has no resources, which is busy, or doesn't listen for this
// caller, which is denied. A retarget (§4.3.5) is noted and not followed. The connection is closed behind a positive
// answer: what would come next is SMB.
//
// # What is never sent
//
// Registration, refresh, release or any other claim to a name; a datagram to a broadcast address, or with the flag for one;
// a name query for other hosts' names; a session in anybody else's name. The guard knows the three messages above, byte by
// byte, and refuses the rest. Names that a host told are sent back to it only if they are printable ASCII.
//
// UDP port 138, the datagram service, is not asked at all: none of its packets (§4.4) is a question without an effect.
package netbios
