// Package tlshello finds out what a TLS server accepts, from the ClientHello that it is sent and the ServerHello, or
// alert, that it answers with. It composes hellos and reads answers itself, since crypto/tls can neither offer what it
// doesn't implement nor stop half-way.
//
// What is sent is one ClientHello a connection, of SSL 2.0 (draft-hickman-netscape-ssl-00 §C.5), SSL 3.0 (RFC 6101
// §5.6.1.2), TLS 1.0 to 1.2 (RFC 5246 §7.4.1.2) or TLS 1.3 (RFC 8446 §4.1.2). Nothing follows it: no key is agreed on, so
// that there is no secret to keep, and nothing is ever encrypted or decrypted. A hello of TLS 1.3 has no key share, which
// makes the server name its group in a HelloRetryRequest (RFC 8446 §4.2.8).
//
// [Enumerate] says what to ask, given what was answered; [Question.Read] reads an answer; [Check] is what a guard needs.
// None of them opens a connection. Every byte that is read is the server's: it is bounded, and what is no answer is an
// error.
package tlshello
