// Package replay plays recorded conversations to probers, without a network: stored results are derived again by newer
// code, and tests hold conversations with servers that aren't there.
//
// [Reprobe] does it for a stored result whose transcript was kept. [Dial] makes a dialer of any transcript:
//
//	again := probe.Run(ctx, ftp.Prober{}, stored.Target, &probe.Options{Level: stored.Level, Dial: replay.Dial(stored.Transcript)})
//
// A [Recording] is a conversation in a file: [Parse] reads one, [Record] makes one of a result. Look through a capture
// before you publish it: it holds all that the server said, its names and certificates included. Tests of probers
// replay files by package probetest.
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
// tcp), name (the target's name), implicit_tls (yes or no) and tls (how far it was asked for: versions,
// weak or full). Each event begins with its connection's number:
//
//	1 open 192.0.2.7:21 refused    a connection, and why it failed, if it did
//	2 open 192.0.2.7:137/udp       a connection over another network than the target's
//	1 > "QUIT\r\n"  QUIT           one send; the name that the guard gives it may follow
//	1 < "221 Bye\r\n"              received; lines that follow each other are one chunk, but datagrams stay apart
//	1 tls {…}                      a handshake: the JSON form of probe.TLS; "1 tls tls {…}" for one that failed
//	1 end closed                   reading ended so; "1 end closed send" if it was writing
//	0 rand "\x00\x01"              bytes that were drawn from Session.Rand
//
// Data are Go strings in double quotes. Connections are opened in the order of their numbers.
package replay
