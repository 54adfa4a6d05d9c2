// Package ftp asks an FTP server what it offers, with and without TLS, how it takes logins, and what it shows to
// anybody, and leaves.
//
// It follows RFC 959 (FTP), 2389 (FEAT), 2428 (EPSV), 3659 (MLSD) and 4217 (TLS), and RFC 2577 where it judges.
//
// # What is sent
//
// At [probe.LevelGreeting] nothing is sent but, on a port for implicit TLS, a TLS handshake; nor is anything if the server
// greets by another code than 220. At [probe.LevelHandshake], in this order, each line awaiting its reply:
//
//	FEAT, SYST, AUTH TLS              AUTH SSL if AUTH TLS was refused
//	FEAT, PBSZ 0, PROT P              inside TLS if it was granted; the rest then on a second connection in cleartext
//	USER handclasp-no-such-user       never followed by PASS; see [probe.Contact]
//	USER anonymous
//	PASS handclasp@handclasp.invalid  if USER was answered by 331; see [probe.Contact]
//	PWD                               if the login succeeded; then FEAT and SYST if they were refused before
//	QUIT
//
// Then, inside TLS if anonymous wasn't let in before, the last four lines again, else QUIT alone. One more connection is
// needed if the server hangs up or logs the visitor in at the made-up name, or takes no second name behind it. If it lets a
// client have one connection at a time, what is asked inside TLS comes first. On a port for implicit TLS all of it is said
// inside TLS on one connection, without AUTH and the made-up name.
//
// A question that ends its connection leaves the next to a fresh one. If a reply answers another command than the one that
// was sent, all but the greeting is forgotten, and asked once more on a fresh connection, patiently.
//
// At [probe.LevelAnonymous], after a login: PASV (EPSV over IPv6; the other if that is refused) and MLSD if FEAT names MLST,
// with a data connection to the port that the server named, at the target's address whatever address it named, inside TLS
// if PROT P was granted. It receives only. Without MLSD, or if it is refused, LIST by another PASV and data connection.
//
// Never sent are a PASS for any name but anonymous, a name that an account may have, PORT or EPRT, a path, and whatever changes a
// thing: STOR, APPE, DELE, MKD, RMD, RNFR, SITE. The guard knows the lines above and refuses the rest, and PASS unless
// USER anonymous was the line before it on its connection.
//
// MLSD has a format (RFC 3659 §7.2); LIST has none (RFC 959 §4.1.3): see [Listing].
package ftp
