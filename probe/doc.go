// Package probe is the contract between handclasp's protocols and the network, and the only code that touches the
// network.
//
// A [Prober] holds one protocol's safe conversation. [Run] gives it a [Session] that reaches exactly one host, and
// returns a [Result] on every path: the typed evidence, how the conversation ended, and the transcript of what was
// said. To write a prober of your own, implement [Prober], state in its [Spec] which bytes may be written (the [Guard]),
// and check it with package probetest's Conform.
//
// # Safety
//
// A prober has no other way to the wire than [Session.Open] and [Conn.Send]:
//
//   - Open takes no address. What a server says about other hosts is evidence and is never dialled.
//   - Send hands the plaintext to the Guard, which re-parses it and names it or refuses; then to the budget, the
//     transcript and the wire, in that order.
//   - Every [Limits] field has a default and a ceiling; there is no way to say unlimited.
//   - When the context ends, every connection of the session is unblocked at once.
//
// # Honesty
//
// A [Fact] that wasn't learned is the empty string, never "no". Evidence is returned beside an error, not instead of
// it. A well-formed refusal by the server is evidence, not an error.
package probe
