// Package service names what speaks on a port by how it begins.
package service

import (
	"regexp"
	"slices"
	"unicode/utf8"

	"github.com/handclasp/handclasp/internal/lazy"
	"github.com/handclasp/handclasp/internal/textline"
)

// Names that other code refers to.
const (
	TLS    = "tls"    // whatever is inside
	Echo   = "echo"   // sends back what it gets (RFC 862)
	Silent = "silent" // says nothing, and answers no question
	lmtp   = "lmtp"
)

// Tells reports whether a name says which protocol is spoken.
func Tells(name string) bool { return name != "" && name != TLS && name != Silent }

// most is how much of what was said a name may need.
const most = 256

// names are how services begin that no prober speaks, or what they answer to an SMB offer or a ClientHello, in both of which
// some see a line. Bytes are matched as characters of ISO 8859-1. The first that matches counts.
var names = []struct {
	service string
	begins  pattern
}{
	{"http", begins(`HTTP/\d|(?i:<!doctype html|<html|<head)`)},
	{"rtsp", begins(`RTSP/\d`)},
	{"sip", begins(`SIP/2`)},
	{TLS, begins(`\x15\x03[\x00-\x04]`)}, // an alert (RFC 8446 §6)
	// Redis says so when it turns a client away, or to a line; POP3 says -ERR when it is busy.
	{"redis", begins(`-(DENIED Redis|NOAUTH |LOADING |MASTERDOWN |ERR (unknown command|wrong number|Protocol error|unbalanced|max number))`)},
	{"pop3", begins(`\+OK\b|-ERR\b`)},
	{"mupdate", begins(`\* (OK MUPDATE|AUTH)`)},        // RFC 3656 §3.2
	{"acap", begins(`\* ACAP`)},                        // RFC 2244 §6.1.1
	{"imap", begins(`\* (OK|PREAUTH|BYE)`)},            // RFC 9051 §7.1
	{"sieve", begins(`"IMPLEMENTATION"`)},              // RFC 5804 §1.7
	{"", begins(`(\xff[\xf1-\xfe].?|\x00)+\d{3}[ -]`)}, // FTP's replies are said over Telnet (RFC 959 §3.3)
	{"telnet", begins(`\xff[\xfb-\xfe]`)},              // RFC 854
	{"rfb", begins(`RFB \d{3}\.\d{3}`)},                // RFC 6143 §7.1.1
	{"xmpp-client", begins(`(<\?xml[^>]*>\s*)?<stream:`)},
	{"beep", begins(`RPY 0 0 `)},                            // RFC 3080 §2.3.1
	{"irc", begins(`(:\S+ )?NOTICE \S+ :|ERROR :`)},         // RFC 2812 §3.3.2, §3.7.4
	{"dict", begins(`220 [^\n]*<[\w.-]*> <[^<>\s]+>\r?\n`)}, // RFC 2229 §3.1
	{"citadel", begins(`(200|571) [^\n]*Citadel`)},
	{"poppassd", begins(`200 [^\n]*(?i:poppassd|hello,? who are you)`)},
	{"cddbp", begins(`(20[01]|43[2-4]) [^\n]*CDDBP`)},
	{"mserv", begins(`200 Mserv `)},
	{"hylafax", begins(`220[ -][^\n]*HylaFAX`)},
	{"vmware-auth", begins(`220 VMware Authentication Daemon`)},
	{"hp-gsg", begins(`220 (HP|JetDirect) GGW server`)},
	{"asterisk", begins(`Asterisk Call Manager`)},
	{"svn", begins(`\( (success|failure) \( `)},
	{"git", begins(`[0-9a-f]{4}ERR `)},
	{"cvspserver", begins(`cvs \[(p?server) aborted\]`)},
	{"memcached", begins(`(ERROR|CLIENT_ERROR [^\n]*|SERVER_ERROR [^\n]*)\r\n`)},
	{"beanstalkd", begins(`(UNKNOWN_COMMAND|BAD_FORMAT)\r\n`)},
	{"gearman", begins(`ERR (?i:unknown_command) Unknown\+server\+command`)},
	{"nut", begins(`ERR (UNKNOWN-COMMAND|INVALID-ARGUMENT)`)},
	{"nats", begins(`INFO \{`)},
	{"amqp", begins(`AMQP[\x00-\x03]`)},
	{"mpd", begins(`OK MPD \d`)},
	{"spamd", begins(`SPAMD/\d`)},
	{"clamd", begins(`UNKNOWN COMMAND[\n\x00]`)},
	{"zabbix", begins(`ZBXD[\x01-\x07]`)},
	{"teamspeak", begins(`TS3\n|\[TS\]`)},
	{"zebra", begins(`\r?\n?Hello, this is \w+`)},
	{"hddtemp", begins(`\|/dev/`)},
	{"kismet", begins(`\*KISMET: `)},
	{"tinc", begins(`0 \S+ 17(\.\d+)?\n`)},
	{"shoutcast", begins(`ICY \d{3}`)},
	{"ident", begins(`\d+ ?, ?\d+ ?: ?ERROR ?:`)}, // RFC 1413 §4
	{"daytime", begins(`(\r?\n)?(\d{5} \d\d-\d\d-\d\d |(Mon|Tue|Wed|Thu|Fri|Sat|Sun)[a-z]*,? [^\n]{0,25}|\d{1,2} [A-Z][A-Za-z]{2} \d{2,4} )\d{1,2}:\d{2}[ \d.:,+*()/A-Z-]{0,40}\s*$`)}, // RFC 867: that, and no more
	{"chargen", begins(` !"#\$%&'\(\)\*\+,-\./0123456789`)}, // RFC 864
	// A server's first packet: length, number 0, then protocol 10 with a version, or an error.
	{"mysql", begins(`...\x00(\x0a\d+\.|\xff[^\x00]{2})`)},
	{"mysqlx", begins(`\x05\x00\x00\x00\x0b\x08\x05\x1a\x00`)},
	// ErrorResponse with its severity: the beginning of an SMB message is the length of a start-up packet.
	{"postgresql", begins(`E\x00\x00..S[^\x00]+\x00[VC]|EFATAL: `)},
	{"cassandra", begins(`[\x81-\x86].{1,20}Invalid or unsupported protocol version`)},
	{"msrpc", begins(`\x05\x00[\x03\x0c\x0d].[\x00\x10]\x00\x00\x00`)},                       // MS-RPCE §2.2.2: fault, bind_ack, bind_nak
	{"ldap", begins(`0.{1,5}\x02\x01\x00x.*1\.3\.6\.1\.4\.1\.1466\.20036`)},                  // RFC 4511 §4.4.1
	{"rdp", begins(`\x03\x00\x00(\x13\x0e\xd0.{5}[\x02\x03]|\x0b\x06\xd0\x00\x00\x12\x34)`)}, // MS-RDPBCGR §2.2.1.2
	{"oracle-tns", begins(`\x00.\x00\x00\x04.*\(DESCRIPTION=`)},
	{"giop", begins(`GIOP[\x01\x02]`)},
	{"netbios-ssn", begins(`[\x82\x83]\x00\x00[\x00\x01]`)}, // RFC 1002 §4.3
	{"bgp", begins(`\xff{16}\x00.[\x01\x03]`)},              // RFC 4271 §4.1
	{"omapi", begins(`\x00\x00\x00\x64\x00\x00\x00\x18`)},
	{"synergy", begins(`\x00\x00\x00[\x0a-\x0f](Synergy|Barrier)`)},
}

// A pattern is an expression that is compiled when it is first needed.
type pattern struct {
	text    string
	compile func() *regexp.Regexp
}

func begins(expression string) pattern {
	text := `(?s)^(` + expression + `)`
	return pattern{text, lazy.Pattern(text)}
}

// Name names the service that begins so; empty if that isn't obvious.
func Name(said []byte) string {
	if len(said) == 0 {
		return ""
	}
	if code, _, ok := textline.Opening(said); ok && code != 0 { // RFC 2033 §4.1
		if word := textline.Word(said, "SMTP", "LMTP", "LHLO"); word == "LMTP" || word == "LHLO" {
			return lmtp
		}
	}
	said = said[:min(len(said), most)]
	text := ""
	for _, c := range candidates()[said[0]] {
		if !c.opening.admits(said) {
			continue
		}
		if text == "" {
			text = latin1(said)
		}
		if c.compile().MatchString(text) {
			return c.service
		}
	}
	return ""
}

func latin1(b []byte) string {
	if !slices.ContainsFunc(b, func(c byte) bool { return c >= utf8.RuneSelf }) {
		return string(b)
	}
	r := make([]rune, len(b))
	for i, c := range b {
		r[i] = rune(c)
	}
	return string(r)
}
