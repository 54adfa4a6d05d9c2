// Package probetest checks probers: it plays recorded conversations to them, strictly, and hostile servers.
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
// [Seeds] makes them the seeds of a fuzz target. [Listen] runs one server, of [Hostile] or your own, for a test of yours.
//
// # To capture a conversation
//
// Run the prober against a server, turn the result into a recording by [Record] and write what its Format method
// returns into a file. Look through it before you publish it: it holds all that the server said, its names and
// certificates included. A result's transcript also replays as it is, by [Replay].
//
// # Transcript files
//
// A transcript file is text, one event a line, behind a head of "# key: value" lines:
//
//	# server: vsftpd 3.0.3-13+b2
//	# captured: 2026-01-31
//	# level: anonymous
//	# target: 192.0.2.7:21
//	# Other lines of the head, such as this one, are comments.
//	1 open 192.0.2.7:21
//	1 < "220 (vsFTPd 3.0.3)\r\n"
//	1 > "AUTH TLS\r\n"  AUTH TLS
//	1 < "234 Proceed with negotiation.\r\n"
//	1 tls {"mode":"starttls","version":"1.3"}
//	1 end closed
//
// The keys are server, captured (a date, or "handwritten" and a remark), level, target, network (udp; else it is
// tcp), name (the target's name) and implicit_tls (yes or no). Each event begins with its connection's number:
//
//	1 open 192.0.2.7:21 refused    a connection, and why it failed, if it did
//	2 open 192.0.2.7:137/udp       a connection over another network than the target's
//	1 > "QUIT\r\n"  QUIT           one send; the name that the guard gives it may follow
//	1 < "221 Bye\r\n"              received; lines that follow each other are one chunk, but datagrams stay apart
//	1 tls {…}                      a handshake: the JSON form of probe.TLS; "1 tls tls {…}" for one that failed
//	1 end closed                   reading ended so; "1 end closed send" where it was writing
//	0 rand "\x00\x01"              bytes that were drawn from Session.Rand
//
// Data are Go strings in double quotes. Connections are opened in the order of their numbers.
package probetest
