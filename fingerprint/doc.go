// Package fingerprint names the software behind banners: vendor, product, version, CPE 2.3 and, if a banner says so,
// the operating system and the device.
//
// [Builtin] is a set of the project's own that covers the servers people meet. [Load] reads fingerprints in the XML format
// of Recog (https://github.com/rapid7/recog) from any [fs.FS], such as os.DirFS of a checkout, and [DB.Then] puts one set
// behind another:
//
//	db, err := fingerprint.Load(os.DirFS("recog"))
//	r.Software = db.Then(fingerprint.Builtin()).Software(r)
//
// # The format
//
// A file holds the fingerprints of one kind of text, which its attribute matches names: "ftp.banner". Of a kind's
// fingerprints the first whose pattern matches wins. Patterns are Ruby's: ^ and $ are the ends of a line, and the flag
// REG_MULTILINE, like REG_DOT_NEWLINE and an inline (?m), lets a dot match a line's end. They are run by package
// regexp, in time linear in the text, and compiled when a text first comes near them. A param is a literal (pos="0"),
// in which "{name}" stands for another param, or a group of the pattern. Those called service.*, os.* and hw.* with
// vendor, product, version and cpe23 become software.
//
// Two params are this package's own. service.hint becomes the hint of the service, which is "honeypot" or nothing. A
// service.package is a text of the kind "package", such as "OpenSSH 9.2p1 Debian-2+deb12u3": whose package it is
// (package.distribution), its revision (package.revision) and the os.* that follow from it are looked up there, so that
// no pattern of a server has to know distributions.
//
// The kinds are Recog's if it has one, and named in the same way if it has none:
//
//	ftp.banner     the text of the greeting, without codes, as are all texts below unless they say otherwise
//	ftp.feat       the features, one a line
//	ftp.syst       the text of the reply to SYST
//	nntp.banner    the text of the greeting and of the reply to MODE READER
//	nntp.implementation  the argument of that capability
//	ntlm.os_version      the version in an NTLM challenge, such as "Windows 10.0 build 17763"; if the dialect of SMB
//	               that the server prefers is known, with it: "Windows 6.1 build 7601, SMB 2.1"
//	package        what a banner says of its package, behind the product and its version; see above
//	rsync.banner   the greeting of a daemon, such as "@RSYNCD: 31.0"
//	rsync.motd     its message of the day; the built-in set has none of this kind
//	smb.ipc_comment      the comment of IPC$ in a list of shares
//	smb.mechanisms       the mechanisms of the SPNEGO token, one a line: "NTLM", "KRB5", or an object identifier
//	smb.native_lm  the native LAN manager of an SMB1 session set-up
//	smb.native_os  the native operating system of one
//	smtp.banner    the text of the greeting
//	smtp.ehlo      the reply to EHLO or HELO, with the codes: "250-mx.example.org Hello"
//	smtp.help      the reply to HELP, with the codes; the prober doesn't ask
//	smtp.vrfy      the reply to VRFY, with the codes
//	ssh.banner     the identification behind "SSH-2.0-"
//
// A banner is what a server says, not what it is: administrators change them, and distributions fix faults without a
// new version.
package fingerprint
