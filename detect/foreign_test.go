package detect_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/handclasp/handclasp"
	"github.com/handclasp/handclasp/detect"
	"github.com/handclasp/handclasp/finding"
	"github.com/handclasp/handclasp/probe"
	"github.com/handclasp/handclasp/probe/replay"
)

// A foreign service is one that no prober speaks: what it says, and when.
type foreign struct {
	service string // the name that it gets; empty if what it says doesn't tell
	says    string
	to      string // "smb" or "tls" if that is its answer to an SMB offer, or to a ClientHello; else it greets so
	source  string // where it is described that it says so
}

var foreigners = []foreign{
	{"http", "HTTP/1.1 408 Request Timeout\r\nConnection: close\r\n\r\n", "", "RFC 9110 §15.5.9"},
	{"http", "HTTP/1.1 400 Bad Request\r\nServer: nginx\r\nConnection: close\r\n\r\n<html>", "smb", "RFC 9112 §2.2"},
	{"http", "HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n", "tls", "RFC 9112 §2.2"},
	{"rtsp", "RTSP/1.0 400 Bad Request\r\n\r\n", "tls", "RFC 2326 §7"},
	{"sip", "SIP/2.0 400 Bad Request\r\n\r\n", "tls", "RFC 3261 §21.4.1"},
	{"pop3", "+OK POP3 server ready <1896.697170952@pop.example.org>\r\n", "", "RFC 1939 §4"},
	{"pop3", "-ERR [SYS/TEMP] too many connections\r\n", "", "RFC 3206 §4"},
	{"imap", "* OK IMAP4rev2 server ready\r\n", "", "RFC 9051 §7.1.1"},
	{"imap", "* PREAUTH IMAP4rev1 logged in\r\n", "", "RFC 9051 §7.1.4"},
	{"imap", "* BYE come again later\r\n", "", "RFC 9051 §7.1.5"},
	{"acap", "* ACAP (IMPLEMENTATION \"example\") (SASL \"CRAM-MD5\")\r\n", "", "RFC 2244 §6.1.1"},
	{"mupdate", "* AUTH KERBEROS_V4 GSSAPI\r\n* OK MUPDATE \"mupdate.example.org\" \"example\" \"1.0\" \"(master)\"\r\n", "", "RFC 3656 §3.2"},
	{"mupdate", "* OK MUPDATE \"mupdate.example.org\" \"example\" \"1.0\" \"(master)\"\r\n* AUTH PLAIN\r\n", "", "RFC 3656 §3.2"},
	{"sieve", "\"IMPLEMENTATION\" \"example 1\"\r\n\"SIEVE\" \"fileinto\"\r\nOK\r\n", "", "RFC 5804 §1.7"},
	{"lmtp", "220 mail.example.org LMTP server ready\r\n", "", "RFC 2033 §4.1"},
	{"lmtp", "220 mail.example.org Cyrus LMTP 3.6.1 server ready\r\n", "", "Cyrus IMAP, imap/lmtpengine.c"},
	{"dict", "220 dict.example.org dictd 1.12 <auth.mime> <100@dict.example.org>\r\n", "", "RFC 2229 §3.1"},
	{"cddbp", "201 cddb.example.org CDDBP server v1.5PL0 ready at Fri Nov 27 09:55:43 2026\r\n", "", "CDDBP server protocol, §Server responses"},
	{"citadel", "200 bbs.example.org Citadel server ready.\r\n", "", "https://citadel.org/protocol.html"},
	{"poppassd", "200 poppassd v1.8.1 hello, who are you?\r\n", "", "poppassd.c (UIUC), dopass"},
	{"poppassd", "200 VPOP3 - Hello who are you (type USER <userid>)\r\n", "", "VPOP3 manual, Password Server"},
	{"mserv", "200 Mserv 0.35 (c) James Ponder - Type: USER <username>\r\n", "", "mserv, mserv.c"},
	{"hylafax", "220 fax.example.org server (HylaFAX (tm) Version 6.0.6) ready.\r\n", "", "HylaFAX, hfaxd/InetFaxServer.c++"},
	{"vmware-auth", "220 VMware Authentication Daemon Version 1.10: SSL Required, ServerDaemonProtocol:SOAP, MKSDisplayProtocol:VNC , , NFCSSL supported/t\r\n", "", "Broadcom KB, port 902"},
	{"hp-gsg", "220 JetDirect GGW server (version 2.0) ready\r\n", "", "OpenVAS, find_service"},
	{"asterisk", "Asterisk Call Manager/9.0.0\r\n", "", "Asterisk documentation, AMI"},
	{"svn", "( success ( 2 2 ( ) ( edit-pipeline svndiff1 accepts-svndiff2 absent-entries depth ) ) ) ", "", "Subversion, libsvn_ra_svn/protocol §2.1"},
	{"mysql", "\x4a\x00\x00\x00\x0a8.0.36\x00\x08\x00\x00\x00\x3b\x31\x4f\x2e\x11\x6e\x51\x60\x00\xff\xff\xff\x02\x00", "", "MySQL internals, Protocol::HandshakeV10"},
	{"mysql", "\x6e\x00\x00\x00\x0a5.5.5-10.11.6-MariaDB\x00\x1f\x00\x00\x00", "", "MariaDB documentation, Connecting"},
	{"mysql", "\x45\x00\x00\x00\xff\x6a\x04Host '198.51.100.7' is not allowed to connect to this MySQL server", "", "MySQL internals, ERR_Packet"},
	{"mysqlx", "\x05\x00\x00\x00\x0b\x08\x05\x1a\x00", "", "MySQL X Protocol, Mysqlx.Notice"},
	{"rfb", "RFB 003.008\n", "", "RFC 6143 §7.1.1"},
	{"telnet", "\xff\xfd\x18\xff\xfd\x20\xff\xfd\x23\xff\xfd\x27", "", "RFC 854, RFC 1091"},
	{"telnet", "\xff\xfb\x01\xff\xfb\x03\r\nlogin: ", "", "RFC 854, RFC 857"},
	{"xmpp-client", "<?xml version='1.0'?><stream:stream xmlns:stream='http://etherx.jabber.org/streams'><stream:error>", "smb", "RFC 6120 §4.9.3.13"},
	{"beep", "RPY 0 0 . 0 52\r\nContent-Type: application/beep+xml\r\n\r\n<greeting/>\r\nEND\r\n", "", "RFC 3080 §2.3.1.1"},
	{"irc", ":irc.example.org NOTICE * :*** Looking up your hostname...\r\n", "", "RFC 2812 §3.3.2"},
	{"irc", "NOTICE AUTH :*** Looking up your hostname...\r\n", "", "ircd-hybrid, src/auth.c"},
	{"irc", "ERROR :Closing Link: 198.51.100.7 (Too many connections)\r\n", "", "RFC 2812 §3.7.4"},
	{"nats", "INFO {\"server_id\":\"A\",\"version\":\"2.10.1\",\"max_payload\":1048576}\r\n", "", "NATS documentation, Client Protocol"},
	{"mpd", "OK MPD 0.23.5\n", "", "MPD manual, Protocol"},
	{"teamspeak", "TS3\n\rWelcome to the TeamSpeak 3 ServerQuery interface\n\r", "", "TeamSpeak 3 ServerQuery manual"},
	{"teamspeak", "[TS]\r\n", "", "TeamSpeak 2 Query manual"},
	{"zebra", "\r\nHello, this is FRRouting (version 8.4.4).\r\nCopyright 1996-2005 Kunihiro Ishiguro, et al.\r\n", "", "FRR documentation, VTY"},
	{"hddtemp", "|/dev/sda|EXAMPLE DISK|38|C|", "", "hddtemp(8)"},
	{"kismet", "*KISMET: 0.0.0 1164816755 Kismet 1 0\n", "", "Kismet (old core), docs/devel"},
	{"tinc", "0 gateway 17.7\n", "", "tinc manual, Meta-protocol"},
	{"daytime", "Friday, November 27, 2026 09:55:43-UTC\r\n", "", "RFC 867"},
	{"daytime", "27 NOV 26 09:55:43 UTC\r\n", "", "RFC 867"},
	{"daytime", "\n61371 26-11-27 09:55:43 00 0 0 117.4 UTC(NIST) * \n", "", "NIST, Internet Time Service"},
	{"chargen", " !\"#$%&'()*+,-./0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[\\]^_`abcdefg\r\n", "", "RFC 864"},
	{"", "\"To be, or not to be\" - W. S.\r\n", "", "RFC 865, quote of the day"},
	{"", "\xee\xb4\x3f\x10", "", "RFC 868, time"},
	{"", "root 1 0.0 init\r\n", "", "RFC 866, active users"},
	{"", "\x01Permission denied.\n", "", "rshd(8)"},
	{"", "login: ", "", "RFC 1282, rlogin"},
	{"bgp", strings.Repeat("\xff", 16) + "\x00\x15\x03\x06\x05", "", "RFC 4271 §4.5"},
	{"omapi", "\x00\x00\x00\x64\x00\x00\x00\x18", "", "ISC DHCP, omapip/protocol.c"},
	{"synergy", "\x00\x00\x00\x0bSynergy\x00\x01\x00\x06", "", "Synergy, ProtocolTypes.h"},
	{"redis", "-DENIED Redis is running in protected mode because protected mode is enabled.\r\n", "", "Redis, src/networking.c"},
	{"redis", "-ERR max number of clients reached\r\n", "", "Redis, src/networking.c"},
	{"memcached", "ERROR\r\n", "tls", "memcached, doc/protocol.txt"},
	{"beanstalkd", "UNKNOWN_COMMAND\r\n", "tls", "beanstalkd, doc/protocol.txt"},
	{"gearman", "ERR UNKNOWN_COMMAND Unknown+server+command\n", "tls", "Gearman, PROTOCOL"},
	{"nut", "ERR UNKNOWN-COMMAND\n", "tls", "RFC 9271 §5"},
	{"clamd", "UNKNOWN COMMAND\n", "tls", "ClamAV, clamd/session.c"},
	{"spamd", "SPAMD/1.0 76 Bad header line: \r\n", "tls", "SpamAssassin, spamd/PROTOCOL"},
	{"cvspserver", "cvs [pserver aborted]: bad auth protocol start: \x16\x03\x01\n", "tls", "CVS, src/server.c"},
	{"ident", "0 , 0 : ERROR : INVALID-PORT\r\n", "tls", "RFC 1413 §4"},
	{"git", "0026ERR access denied or no such repo\n", "smb", "Git, gitprotocol-pack"},
	{
		"postgresql", "E\x00\x00\x00\x50SFATAL\x00VFATAL\x00C0A000\x00Munsupported frontend protocol 65107.19778\x00\x00", "smb",
		"PostgreSQL documentation §55.7, ErrorResponse",
	},
	{
		"cassandra", "\x84\x00\x00\x00\x00\x00\x00\x00\x33\x00\x00\x00\x0a\x00\x2dInvalid or unsupported protocol version (22)", "tls",
		"CQL binary protocol v4 §9",
	},
	{"msrpc", "\x05\x00\x0d\x03\x10\x00\x00\x00\x18\x00\x00\x00\x00\x00\x00\x00\x04\x00\x01\x05\x00\x00\x00\x00", "smb", "C706 §12.6.4.5, bind_nak"},
	{
		"ldap", "0\x2b\x02\x01\x00x\x26\x0a\x01\x02\x04\x00\x04\x09bad input\x8a\x161.3.6.1.4.1.1466.20036", "smb",
		"RFC 4511 §4.4.1",
	},
	{"rdp", "\x03\x00\x00\x13\x0e\xd0\x00\x00\x12\x34\x00\x02\x00\x08\x00\x00\x00\x00\x00", "smb", "MS-RDPBCGR §4.1.2"},
	{"amqp", "AMQP\x00\x00\x09\x01", "smb", "AMQP 0-9-1 §4.2.2"},
	{"giop", "GIOP\x01\x00\x00\x06\x00\x00\x00\x00", "smb", "CORBA 3.3 §9.4.8, MessageError"},
	{"netbios-ssn", "\x83\x00\x00\x01\x8f", "smb", "RFC 1002 §4.3.4"},
	{"oracle-tns", "\x00\x41\x00\x00\x04\x00\x00\x00\x22\x00\x00\x35(DESCRIPTION=(ERR=1153)(VSNNUM=0))", "smb", "Oracle Net Services Administrator's Guide, ORA-12569"},
	{"zabbix", "ZBXD\x01\x10\x00\x00\x00\x00\x00\x00\x00ZBX_NOTSUPPORTED", "tls", "Zabbix manual, Header and data length"},
	{"tls", "\x15\x03\x01\x00\x02\x02\x46", "smb", "RFC 8446 §6"},
	{"", "\x00\x00\x00\x04oops", "smb", "no service's: a length and a word"},
}

// spoken are the names of what an SMB offer and a ClientHello begin with.
func spoken(message []byte) string {
	switch {
	case bytes.Contains(message[:min(len(message), 8)], []byte("\xfeSMB")):
		return "smb"
	case message[0] == 0x16:
		return "tls"
	}
	return "text"
}

// simulated is a network with one server on every port, which counts its connections.
func simulated(serve func(net.Conn)) (probe.DialFunc, *atomic.Int32) {
	calls := new(atomic.Int32)
	return func(context.Context, string, string) (net.Conn, error) {
		calls.Add(1)
		near, far := net.Pipe()
		go func() {
			defer far.Close()
			serve(far)
		}()
		return near, nil
	}, calls
}

// serve says what it says in two pieces, and what it is asked otherwise, it ignores.
func (f foreign) serve(cut int) func(net.Conn) {
	return func(c net.Conn) {
		say := func() {
			_, _ = io.WriteString(c, f.says[:cut])
			if cut < len(f.says) {
				time.Sleep(300 * time.Millisecond)
				_, _ = io.WriteString(c, f.says[cut:])
			}
		}
		if f.to == "" {
			say()
		}
		b := make([]byte, 4096)
		for n, err := c.Read(b); err == nil; n, err = c.Read(b) {
			if spoken(b[:n]) == f.to {
				say()
				return
			}
		}
	}
}

// What no prober speaks is none of theirs, on their ports and on others, however it comes in; and it has its name.
func TestForeigners(t *testing.T) {
	require.Greater(t, len(foreigners), 60)
	detectors := map[string]detect.Detector{"4711": {Probers: handclasp.Probers()}}
	for _, p := range handclasp.Probers() {
		spec := p.Spec()
		if r, ok := p.(detect.Recogniser); ok && r.Recognise(nil) != probe.Possible {
			detectors[fmt.Sprint(spec.Ports[0].Number)] = detect.Detector{Probers: handclasp.Probers(), Expected: p}
		}
	}
	require.Len(t, detectors, 6)
	rules := handclasp.Rules()
	for _, f := range foreigners {
		t.Run(f.source+" "+f.service, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				for port, d := range detectors {
					target := probe.Target{Addr: netip.MustParseAddrPort("192.0.2.7:" + port)}
					for cut := 1; cut <= len(f.says); cut++ {
						dial, calls := simulated(f.serve(cut))
						r := probe.Run(t.Context(), d, target, &probe.Options{Dial: dial})
						where := fmt.Sprintf("port %s, cut at %d: %v", port, cut, r.Err)
						require.LessOrEqual(t, calls.Load(), int32(3), where)
						require.NotEqual(t, probe.OutcomeOK, r.Outcome, where)
						for _, found := range finding.Evaluate(r, rules) {
							require.Contains(t, found.ID, "tls.", where)
						}
						if f.service == "" && d.Expected != nil {
							require.Equal(t, d.Expected.Spec().Protocol, r.Protocol, where)
							continue
						}
						require.Equal(t, "unknown", r.Protocol, where)
						require.Equal(t, f.service, r.Evidence.(*detect.Unknown).Service, where)
						greeting, _ := probe.UTF8([]byte(f.says))
						require.Equal(t, greeting, r.Evidence.(*detect.Unknown).Greeting, where)
						if cut < len(f.says) {
							continue
						}
						recorded := replay.NewPlayer(r.Transcript)
						again := probe.Run(t.Context(), detect.Detector{Probers: d.Probers}, target, &probe.Options{Dial: recorded.Dial, Rand: recorded.Rand()})
						require.NoError(t, recorded.Err(), where)
						require.Equal(t, r.Evidence, again.Evidence, where)
					}
				}
			})
		})
	}
}
