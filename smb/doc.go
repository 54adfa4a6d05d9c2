// Package smb asks a file server which dialects of SMB it speaks, from LAN Manager's to 3.1.1, how it protects each of
// them, and what it tells of itself to whoever begins a login; and leaves.
//
// It follows MS-SMB2 (dialects 2.0.2 to 3.1.1), MS-SMB and MS-CIFS (SMB1), MS-SPNG and RFC 4178 (the tokens), MS-NLMP
// (the challenge), RFC 1001 and 1002 (NetBIOS).
//
// # What is sent
//
// At [probe.LevelGreeting] nothing is sent. A server says nothing of its own accord, so that only the connection is
// tried. At [probe.LevelHandshake], on the first connection:
//
//	NEGOTIATE 2.0.2, 2.1, 3.0, 3.0.2, 3.1.1     all at once
//	SESSION_SETUP with NTLM's first message     which names neither a user nor a domain nor a workstation
//
// The answer to that is a challenge, and the connection is closed. Where the first connection was answered, six more
// follow side by side:
//
//	NEGOTIATE 2.0.2                             each dialect alone
//	NEGOTIATE 2.1
//	NEGOTIATE 3.0
//	NEGOTIATE 3.0.2
//	NEGOTIATE 3.1.1
//	SMB_COM_NEGOTIATE with all dialects of SMB1, and SMB_COM_SESSION_SETUP_ANDX with NTLM's first message
//
// Those of them that the server drops are asked once more, one after the other. Where it speaks SMB1, two more follow:
//
//	SMB_COM_NEGOTIATE with the dialects before NT LM 0.12
//	SMB_COM_NEGOTIATE with all of them, without extended security    whose answer tells the domain
//
// An offer of 3.0 or later claims all capabilities that a client may have, since servers name only those that both
// have. One of 3.1.1 comes with four contexts: the hash SHA-512 with 32 random bytes, all four ciphers, all five
// compression algorithms, chained, and all three signing algorithms. Each negotiation has a random ClientGuid.
//
// The first offer goes out alone for the sake of what isn't a file server: such a host gets one connection, and a
// second one, with SMB1, where it hung up or kept silent. For the same reason all dialects count as refused, without
// being asked for one by one, where the server said STATUS_NOT_SUPPORTED to all of them.
//
// On port 139, and wherever [Prober.NetBIOS] says so, each connection begins with a session request:
//
//	SESSION REQUEST to *SMBSERVER<20> from HANDCLASP<00>
//
// Where the server refuses that name, the name service on UDP port 137 of the same host is asked for the names that it
// has (NBSTAT), and a second connection calls the file server by its own. A retarget is noted and never followed.
//
// [Prober.Algorithms] opens four more connections to a server that speaks 3.1.1, which offer one cipher and one signing
// algorithm each.
//
// # Null sessions
//
// At [probe.LevelAnonymous] one more connection follows where the server speaks SMB 2, with the dialect that it prefers:
//
//	NEGOTIATE 3.1.1
//	SESSION_SETUP with NTLM's first message
//	SESSION_SETUP with NTLM's last message      without a user: no name, no domain, no workstation, no response
//	TREE_CONNECT \\192.0.2.7\IPC$              the target's own address
//	CREATE srvsvc                               the pipe of the server service, which exists, and is only opened
//	IOCTL FSCTL_PIPE_TRANSCEIVE                 RPC bind to the server service
//	IOCTL FSCTL_PIPE_TRANSCEIVE                 NetrShareEnum at level 1: names, types and comments of shares
//	READ                                        of what is left of the answer, a fragment each
//	CLOSE, TREE_DISCONNECT, LOGOFF
//
// A step that is refused ends it, politely. No share but IPC$ is connected to. Compression isn't offered.
//
// The server decides what such a login gives. Where it flags the session as one of a guest, [Evidence.Guest] is meant,
// and else [Evidence.NullSession]: Windows has a flag for that, Samba has none. Servers that take unknown users for
// guests, and nobody for nobody, don't show the former: it would take a user's name. A server that wants encryption of
// such a session can't have it, since there is no key, so that the facts stay unknown behind it; those that want
// signatures do without.
//
// # What it means
//
// A dialect is refused only where the server said STATUS_NOT_SUPPORTED. One that isn't answered, by a server that is
// busy or too old to know SMB 2, is in neither list of the evidence. SMB1 is the exception: servers that have it turned
// off hang up on it, so that this counts as a refusal where they answered to each dialect of SMB 2; one that dropped some
// of those as well may have had enough of connections.
//
// Whether signatures are required is said by successful answers only. The capability ENCRYPTION has a meaning for 3.0
// and 3.0.2; at 3.1.1 it is the cipher that counts.
//
// # What is never sent
//
// A user's name, a password or a response to a challenge, a path on a share, a write; a dialect of SMB 2 within an offer of SMB1;
// a second negotiation on a connection. The guard knows the messages above, to the byte, and refuses the rest.
package smb
