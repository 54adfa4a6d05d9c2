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
// Nothing is ever encrypted at this level. The same is said on a new connection for each further type of host key that
// the server's lists name, with a KEXINIT that has the algorithms of this one type: three connections at most in all, eight
// at [probe.LevelAnonymous].
//
// With [Prober].GroupExchange four more connections end with the server's choice of a group, with which nothing is computed:
//
//	SSH-2.0-handclasp
//	KEXINIT                            with a group exchange alone
//	KEX_DH_GEX_REQUEST                 1024, 2048, 3072 or 4096 to 8192 bits
//
// At [probe.LevelAnonymous] the first conversation goes on:
//
//	NEWKEYS
//	SERVICE_REQUEST ssh-userauth       encrypted
//	USERAUTH_REQUEST                   encrypted: the method none, for the user handclasp-no-such-user, or that
//	                                   of the host of [probe.Contact]
//
// The server refuses, and names the methods by which it lets users in. A server that lets in whoever asks is left at
// once: no channel is opened. Even to ask for SFTP would need a session, in which a server may run a command of its own
// choice (OpenSSH: ForceCommand) whatever was asked for.
//
// # What can't be known
//
// Whether SFTP, SCP or rsync is behind an SSH port shows only after a login. The software's name is a hint: see
// [Evidence.TransferHint].
//
// A server has one host key of each type at most in one exchange. A type that it doesn't list, it may still have.
//
// # Few connections
//
// OpenSSH 9.8 and later shuts out, for seconds, an address that keeps coming and going without a login; all versions drop
// connections at random when too many aren't logged in (MaxStartups). The conversations are held one after the other,
// and end at the first that the server drops: the host keys that are left are listed in [Evidence.HostKeysMissing], and
// the result's Partial names them. If an OpenSSH says "Not allowed at this time" or "Exceeded MaxStartups" in place of
// its identification, the outcome is busy: both pass.
//
// # Costly servers
//
// In a group exchange the server chooses how large the numbers are that are computed with, up to 8192 bits, which takes a
// second. Of all probes of a program, half as many as it has processors compute at once in such groups.
//
// # What is never sent
//
// A password, a public key, a signature, an answer to keyboard-interactive, a channel, a request. The guard decodes the
// messages that aren't encrypted and allows those above in their order, NEWKEYS at LevelAnonymous only. What comes behind
// is ciphertext that it can't read; it allows two messages of at most 160 bytes, and 64 more for the name of a contact. That these are the two above rests on
// the configuration of golang.org/x/crypto/ssh, which begins every login with the method none, has no other method here,
// and is ended when that was answered. A test with a server that takes any credential sees none.
//
// # Transcripts
//
// The random bytes that the key exchanges are made of are in the transcript, so that it replays, and whoever reads it can
// decrypt what was encrypted: the two messages and the server's answers. An exchange over one of NIST's curves is the
// exception: crypto/ecdsa draws its own randomness, so that this conversation can't be replayed beyond it. It is only
// held with servers that have neither X25519 nor a group of at least 2048 bits with SHA-2.
package ssh
