// Package rsync asks an rsync daemon which protocol it speaks, what it says to everybody, which modules it lists and, at
// [probe.LevelAnonymous], which of them want a password, and leaves.
//
// The protocol has no RFC. What is said of it here is how rsync itself behaves, versions 2.0 to 3.5: csprotocol.txt,
// clientserver.c, compat.c, authenticate.c and connection.c of its source. RFC 5781 has the URI scheme.
//
// # What is sent
//
// At [probe.LevelGreeting] nothing is sent: the daemon greets first. From [probe.LevelHandshake] on, each connection
// carries two lines, an answer to the greeting and one request, and is closed when the answer to that has come:
//
//	connection 1    @RSYNCD: 31.0                   the answer to the greeting
//	                handclasp.<16 random letters>   a module that doesn't exist; the host of [probe.Contact] in the place of
//	                                                handclasp, if there is one
//	connection 2    @RSYNCD: 31.0
//	                (an empty line)                 the list of modules, asked for as rsync does
//
// At [probe.LevelAnonymous] there is one more for each module, and perhaps a second one for a module that is busy:
//
//	connection 3…   @RSYNCD: 31.0
//	                NAME                            a module that was listed, or of [Prober.Modules]
//
// Lines end with LF. The answer to the greeting is of the server's generation, from the oldest to 32, since newer ones
// break off if something lacks in it: "@RSYNCD: 29" below 30, "@RSYNCD: 31.0" below 32, and
// "@RSYNCD: 32.0 sha512 sha256 sha1 md5 md4" at 32, with the same digests at 30 and 31 if the server lists some.
//
// The first connection is there for the message of the day, which goes before each answer and looks like anything, a
// list of modules included. What comes before the refusal of a module that doesn't exist is that message; as much is
// then cut off the list. No clock takes part in it.
//
// # What a daemon does when a module is asked for
//
// A module that wants no password answers "@RSYNCD: OK" and waits for options, and one that wants one sends a challenge;
// the connection is closed then. Before OK the daemon has entered the module: it counted towards "max connections", and
// "early exec" and later "post-xfer exec" are run, if there are such. That is why modules aren't asked below
// [probe.LevelAnonymous]. They are asked one after the other, lest the probe fills "max connections" itself; one that is
// busy behind another that was entered is asked again after [Prober.BusyWait]. One that stays busy makes the outcome busy, and is
// named in the result's Partial, as are those whose connections are lost.
//
// # Turned away
//
// A daemon that answers the list, or any connection, with "max connections" is busy, one that says "access denied" denies: no
// list was learned then, which is not an empty one. Said of one module it is that module's [Access].
//
// # What is never sent
//
// An answer to a challenge, options, a file's name, a command such as #early_input: the guard of a connection lets
// nothing pass behind the request, and no made-up name but that of a module. A daemon that keeps silent until its client
// has spoken, such as openrsync's of 2024, isn't recognised.
package rsync
