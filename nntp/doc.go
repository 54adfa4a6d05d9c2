// Package nntp asks a news server who may read, post, feed and log in, with and without TLS, and leaves.
//
// It follows RFC 3977 (NNTP), 4642 and 8143 (TLS), 4643 (authentication) and 4644 (streaming feeds), and knows the
// servers that are older than those: RFC 977, 2980, and LIST EXTENSIONS of the drafts between them.
//
// # What is sent
//
// At [probe.LevelGreeting] nothing is sent: the greeting says whether the server is one for news and what it thinks of
// posting. At [probe.LevelHandshake], in this order, each line awaiting its reply:
//
//	CAPABILITIES
//	MODE READER       if MODE-READER is advertised, or CAPABILITIES isn't known
//	CAPABILITIES      after MODE READER was accepted by a server that knows CAPABILITIES
//	LIST EXTENSIONS   if CAPABILITIES isn't known
//	DATE
//	GROUP handclasp.<16 random letters>
//	STARTTLS          if it is advertised, or CAPABILITIES was refused; then, inside TLS:
//	CAPABILITIES
//	DATE              if it wasn't answered before
//	GROUP             the same name again, if the first reply wasn't that anybody may read
//	QUIT
//
// At [probe.LevelAnonymous] there is also LIST ACTIVE before QUIT, if reading wasn't refused. Of the list the first
// entries are read; if there are more, the connection is closed in the middle of it, since lists of a hundred
// thousand groups are common.
//
// MODE READER comes before TLS or not at all: RFC 3977 §5.3.2 and RFC 4642 §2.2.2 forbid it after STARTTLS. On a port
// for implicit TLS the whole conversation is inside TLS, and STARTTLS isn't sent.
//
// STARTTLS is tried without being advertised if CAPABILITIES was refused for whatever reason: a server that answers
// 480 or 483 to everything still takes it, since RFC 4642 §2.2.1 has no such replies to STARTTLS. A list without
// STARTTLS is believed (RFC 4642 §2.1), that of LIST EXTENSIONS too; RFC 8143 §3.4 would have clients, which have
// something to lose, try all the same.
//
// The group's name exists nowhere. Its prefix tells an operator who asked, and is the host of [probe.Options].Contact if
// that is set; it lets the guard check that no real group is entered. Only the kind of refusal matters: 411 "no such
// newsgroup" is said to those who may read. A refusal in cleartext is asked again inside TLS, so that
// [Evidence.ReadAccess] is what an outsider can do at all; the two replies are kept side by side.
//
// # What is never sent
//
// POST, IHAVE, CHECK, TAKETHIS, MODE STREAM, AUTHINFO, ARTICLE and its kin, NEWNEWS, XOVER, GROUP with any other name:
// the guard knows the lines above and refuses the rest.
package nntp
