// Package smtp shakes hands with mail servers (RFC 5321): TCP 25, 587 and 2525, with TLS by STARTTLS (RFC 3207),
// and 465, with TLS from the first byte (RFC 8314 §3.3).
//
// [Grab] is the one-liner; [Prober] has the knobs; [Rules] judge the [Evidence].
//
// # What is sent
//
// At level greeting, nothing: the greeting is read. On port 465 that takes a TLS handshake.
//
// At level handshake, and the same at level anonymous, once the last line of the greeting came:
//
//	EHLO [127.0.0.1]                 and HELO [127.0.0.1] if that is refused
//	STARTTLS                         if it is offered; then the TLS handshake and the same EHLO
//	AUTH NTLM TlRMTVNTUAABAAAA…      if NTLM is offered: a message of type 1, which names nobody; if that is a syntax
//	                                 error, AUTH NTLM and then the message
//	*                                which cancels the login (RFC 4954 §4) instead of answering the challenge
//	QUIT
//
// Behind a greeting that turns us away only QUIT is sent, and that only if it is for good.
//
// The argument of EHLO is an address literal, since a probe has no name of its own (RFC 5321 §4.1.4), and always the
// same one: the address behind which it sits is nobody's business, and would be wrong behind a NAT. Servers take it
// as they take it from mail programs. With [probe.Contact].Host it is that name.
//
// # Connections
//
// One, mostly. A reply that can't answer its command, or one reply too many, leads to a second, on which each command
// waits a tenth of a second for what comes unasked; if that falls out of step too, only the greeting is kept. NTLM that is offered in
// cleartext, behind a STARTTLS that can't be had, is asked for on one more.
//
// Two knobs, off by default, ask for more, the first on a connection of its own:
//
//	Injection    STARTTLS and NOOP in one write, then QUIT inside TLS
//	Verify       VRFY and 16 random letters, then with @ and the server's own name if it wants a domain
//
// # What is never sent
//
// MAIL, RCPT, DATA, BDAT, a login that could succeed, and names that an account may have. The guard knows the lines
// above, those of a knob only if it is on, and refuses everything else.
package smtp
