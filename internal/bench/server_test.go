package bench

import (
	"bufio"
	"crypto/tls"
	"flag"
	"fmt"
	"io"
	"maps"
	"net"
	"os"
	"strings"
	"time"

	"github.com/handclasp/handclasp/internal/selfsigned"
)

// A script is what a server says. Replies are found by the whole command, or by its first word.
type script struct {
	greeting string
	replies  map[string]string
	startTLS string // the command that leads to TLS; empty if there is none
}

// scripts are of servers as they come from a distribution, without and with TLS.
var scripts = map[string]script{
	"ftp":      {"220 (vsFTPd 3.0.3)\r\n", with(ftpReplies, "FEAT", fmt.Sprintf(features, "")), ""},
	"ftp tls":  {"220 (vsFTPd 3.0.3)\r\n", with(with(ftpReplies, "FEAT", fmt.Sprintf(features, tlsFeatures)), "AUTH TLS", "234 Proceed with negotiation.\r\n"), "AUTH TLS"},
	"smtp tls": {"220 mx.example ESMTP Postfix\r\n", smtpReplies, "STARTTLS"},
}

func with(replies map[string]string, command, reply string) map[string]string {
	all := maps.Clone(replies)
	all[command] = reply
	return all
}

const (
	features    = "211-Features:\r\n EPRT\r\n EPSV\r\n MDTM\r\n PASV\r\n%s REST STREAM\r\n SIZE\r\n TVFS\r\n211 End\r\n"
	tlsFeatures = " AUTH TLS\r\n PBSZ\r\n PROT\r\n"
)

var smtpReplies = map[string]string{
	"EHLO": "250-mx.example\r\n250-PIPELINING\r\n250-SIZE 10240000\r\n250-VRFY\r\n250-ETRN\r\n250-STARTTLS\r\n" +
		"250-ENHANCEDSTATUSCODES\r\n250-8BITMIME\r\n250-DSN\r\n250 CHUNKING\r\n",
	"STARTTLS": "220 2.0.0 Ready to start TLS\r\n",
	"QUIT":     "221 2.0.0 Bye\r\n",
}

var ftpReplies = map[string]string{
	"SYST":           "215 UNIX Type: L8\r\n",
	"USER":           "331 Please specify the password.\r\n",
	"USER anonymous": "331 Please specify the password.\r\n",
	"PASS":           "230 Login successful.\r\n",
	"PWD":            "257 \"/\" is the current directory\r\n",
	"PBSZ":           "200 PBSZ set to 0.\r\n",
	"PROT":           "200 PROT now Private.\r\n",
	"QUIT":           "221 Goodbye.\r\n",
}

func runServer(delay time.Duration) {
	s := scripts[flag.Arg(0)]
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	fmt.Println(l.Addr())
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		os.Exit(0)
	}()
	cfg := &tls.Config{Certificates: []tls.Certificate{selfsigned.Certificate("ftp.example")}}
	for {
		c, err := l.Accept()
		if err != nil {
			return
		}
		go func() {
			defer c.Close()
			s.converse(c, cfg, delay)
		}()
	}
}

func (s script) converse(c net.Conn, cfg *tls.Config, delay time.Duration) {
	reply := func(text string) {
		time.Sleep(delay)
		_, _ = io.WriteString(c, text)
	}
	reply(s.greeting)
	lines := bufio.NewReader(c)
	for {
		line, err := lines.ReadString('\n')
		if err != nil {
			return
		}
		line = strings.TrimSpace(line)
		verb, _, _ := strings.Cut(line, " ")
		text, ok := s.replies[line]
		if !ok {
			text, ok = s.replies[verb]
		}
		switch {
		case line == s.startTLS:
			reply(text)
			t := tls.Server(c, cfg)
			if t.Handshake() != nil {
				return
			}
			c = t
			lines.Reset(t)
		case ok:
			reply(text)
		default:
			reply("500 Unknown command.\r\n")
		}
		if verb == "QUIT" {
			return
		}
	}
}
