// Package ssh asks an SSH server who it is, which algorithms it offers, which host keys it has and how one logs in, and
// leaves. It never logs in.
//
// It follows RFC 4253 (transport), 4252 (authentication), 4419 and 5656 (key exchanges), 8308 and 8332 (RSA with
// SHA-2), OpenSSH's PROTOCOL for strict key exchange and its PROTOCOL.certkeys, and RFC 8758 and 9142 when it judges.
//
// # What is sent
//
// At [probe.LevelGreeting] nothing is sent: the server's identification is read, and the lines before it. To a server
// that knows only version 1 nothing is sent at any level. At [probe.LevelHandshake], one after the other:
//
//	SSH-2.0-handclasp                  the identification, when the server's was read; behind it, after a space,
//	                                   the address for complaints of [probe.Contact], if there is one
//	KEXINIT                            the lists of what golang.org/x/crypto/ssh can do, the insecure too
//	KEXDH_INIT or KEX_ECDH_INIT        a public value, made for this exchange; or, in a group exchange:
//	KEX_DH_GEX_REQUEST                 2048 to 8192 bits
//	KEX_DH_GEX_INIT
//
// and the connection is closed behind the server's reply, which holds a host key and proves that the server has it.
// Nothing is encrypted at this level. The same is said on a new connection for each further type of host key that the
// server's lists name, with the algorithms of this type alone: three connections at most in all, eight at
// [probe.LevelAnonymous]. With [Prober].GroupExchange four more have a KEXINIT with a group exchange alone, ask for 1024,
// 2048, 3072 or 4096 to 8192 bits, and end with the server's choice of a group.
//
// At [probe.LevelAnonymous] the first conversation goes on:
//
//	NEWKEYS
//	SERVICE_REQUEST ssh-userauth       encrypted
//	USERAUTH_REQUEST                   encrypted: the method none, for handclasp-no-such-user or [probe.Contact]'s host
//
// The server refuses, and names the methods by which it lets users in. If it accepts, the connection is closed at once and
// no channel opened: even to ask for SFTP would need a session, in which a server may run a command of its own choice
// (OpenSSH: ForceCommand).
//
// Never: a password, a public key, a signature, an answer to keyboard-interactive, a channel, a request. The guard decodes
// the messages that aren't encrypted and allows those above in their order. Of ciphertext it allows two messages of at most
// 160 bytes, and 64 more for the name of a contact. That these are the two above rests on the configuration of
// golang.org/x/crypto/ssh, which begins every login with the method none, and has no other method here.
//
// # Few connections
//
// OpenSSH 9.8 and later shuts out, for seconds, an address that keeps coming and going without a login; all versions drop
// connections at random when too many aren't logged in (MaxStartups). So conversations are held one after the other, and end at
// the first that is dropped: see [Evidence.HostKeysMissing]. A server that says in place of its identification that it has
// too many is busy.
//
// # Transcripts
//
// The random bytes of the key exchanges are in the transcript: it replays, and its readers can decrypt what was encrypted.
// An exchange over a curve of NIST's can't be replayed, as crypto/ecdsa draws its own randomness. It is only held with
// servers that have neither X25519 nor a group of at least 2048 bits with SHA-2.
package ssh
