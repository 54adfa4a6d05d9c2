// Package probetest checks probers: by recorded conversations, which are replayed strictly, and by hostile servers.
//
// # To write a prober
//
// Implement [probe.Prober] by a struct whose fields are its knobs. Make the evidence first and give it to Session.Keep,
// its lists empty and not nil; fill it as the conversation goes, and return it beside every error. Read replies within
// the session's limits. Return the session's errors as they are, and your own by [probe.Errorf]. Let the guard name,
// by an allow-list, exactly the messages that the prober sends, and decode them without the code that composes them.
//
// # To check it
//
// The suite that every prober must pass takes a line, and more of it takes the words of the protocol:
//
//	func TestConform(t *testing.T) {
//		probetest.ConformWith(t, dict.Prober{}, probetest.Conformance{Recordings: "testdata/transcripts/*.txt"})
//	}
//
// Conversations with servers, captured or hand-written, are files that are replayed strictly, once more one byte a
// read, and once more for each position at which what was received can be split in two:
//
//	func TestReplay(t *testing.T) {
//		probetest.ReplayAll(t, dict.Prober{}, "testdata/transcripts/*.txt", func(t *testing.T, name string, r *probe.Result) {
//			…
//		})
//	}
//
// Package replay says what is in such a file, and how to capture one. [Seeds] makes them the seeds of a fuzz target.
// [Listen] runs one server, of [Hostile] or your own, for a test of yours.
package probetest
