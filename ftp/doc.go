// Package ftp asks an FTP server what it offers, with and without TLS, how it takes logins, and what it shows to
// anybody, and leaves.
//
// It follows RFC 959 (FTP), 2389 (FEAT), 2428 (EPSV), 3659 (MLSD) and 4217 (TLS), and RFC 2577 where it judges.
//
// # What is sent
//
// At [probe.LevelGreeting] nothing is sent but, on a port for implicit TLS, a TLS handshake. Nor is anything if the server
// greets by another code than 220, which is its refusal: busy with 4yz, denied with 5yz. At [probe.LevelHandshake], in this
// order, each line awaiting its reply, a first connection says:
//
//	FEAT
//	SYST
//	AUTH TLS
//	AUTH SSL                          if AUTH TLS was refused
//
// If one of the two is granted, it goes on inside TLS, and is kept while a second connection asks in cleartext:
//
//	FEAT
//	PBSZ 0
//	PROT P                            unless PBSZ was refused
//
// In cleartext, on the first connection if it has no TLS and else on the second:
//
//	USER handclasp-no-such-user       never followed by PASS; see [probe.Contact]
//	USER anonymous
//	PASS handclasp@handclasp.invalid  if USER was answered by 331; see [probe.Contact]
//	PWD                               if the login succeeded
//	FEAT                              if it was refused before
//	SYST                              if it was answered by 530 before
//	QUIT
//
// Then, inside TLS if anonymous wasn't let in before, the last six lines again, else QUIT alone. A server without
// TLS is thus asked on one connection, another on two. One more is needed if the server ends the connection or logs the
// visitor in at the made-up name, or takes no second name behind it. If it lets a client have one connection at a time, what
// is asked inside TLS is asked first, that connection is ended, and the cleartext one is tried again.
//
// On a port for implicit TLS all of it is said inside TLS on one connection, without AUTH and the made-up name.
//
// If the offers end badly, by silence, a hang-up or nonsense, the logins are asked on a connection of their own. If a reply
// answers another command than the one that was sent, everything is forgotten but the greeting, and asked once more on a
// fresh connection, with a tenth of a second before each line for what comes unasked.
//
// At [probe.LevelAnonymous], after a login:
//
//	PASV                              EPSV over IPv6; the other if that is refused
//	MLSD                              if FEAT names MLST
//
// and a data connection to the port that the server named, at the target's address whatever address it named; inside
// TLS if PROT P was granted. It receives only. If the server doesn't have MLSD, or refuses it, LIST is asked for by
// another PASV and another data connection.
//
// # Knobs
//
// [Prober.Versions] opens one more connection per TLS version that wasn't negotiated yet, and sends the AUTH that was
// granted.
//
// # What is never sent
//
// A PASS for any name but anonymous, a name that an account may have, PORT or EPRT, a path, and whatever changes a
// thing: STOR, APPE, DELE, MKD, RMD, RNFR, SITE. The guard knows the lines above and refuses the rest, and PASS unless
// USER anonymous was the line before it on its connection.
//
// # Listings
//
// MLSD has a format (RFC 3659 §7.2); LIST has none (RFC 959 §4.1.3). Its rows are read as Unix, MS-DOS and IIS, EPLF,
// NetWare, VMS, z/OS (data sets and members) and IBM i write them. A row in no such format is counted and shown: see
// [Listing].
package ftp
