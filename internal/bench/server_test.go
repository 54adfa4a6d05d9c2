package bench

import (
	"bufio"
	"crypto/tls"
	"flag"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"time"

	"github.com/handclasp/handclasp/internal/selfsigned"
)

// ftpReplies are those of a server as they come from a distribution, without and with TLS.
var ftpReplies = map[string]string{
	"FEAT":           "211-Features:\r\n EPRT\r\n EPSV\r\n MDTM\r\n PASV\r\n%s REST STREAM\r\n SIZE\r\n TVFS\r\n211 End\r\n",
	"SYST":           "215 UNIX Type: L8\r\n",
	"USER":           "331 Please specify the password.\r\n",
	"USER anonymous": "331 Please specify the password.\r\n",
	"PASS":           "230 Login successful.\r\n",
	"PWD":            "257 \"/\" is the current directory\r\n",
	"PBSZ":           "200 PBSZ set to 0.\r\n",
	"PROT":           "200 PROT now Private.\r\n",
	"QUIT":           "221 Goodbye.\r\n",
}

const tlsFeatures = " AUTH TLS\r\n PBSZ\r\n PROT\r\n"

func runServer(delay time.Duration) {
	secure := flag.Arg(0) == "tls"
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
			converse(c, cfg, secure, delay)
		}()
	}
}

func converse(c net.Conn, cfg *tls.Config, secure bool, delay time.Duration) {
	reply := func(text string) {
		time.Sleep(delay)
		_, _ = io.WriteString(c, text)
	}
	reply("220 (vsFTPd 3.0.3)\r\n")
	lines := bufio.NewReader(c)
	for {
		line, err := lines.ReadString('\n')
		if err != nil {
			return
		}
		line = strings.TrimSpace(line)
		verb, _, _ := strings.Cut(line, " ")
		text, ok := ftpReplies[line]
		if !ok {
			text, ok = ftpReplies[verb]
		}
		switch {
		case line == "AUTH TLS" && secure:
			reply("234 Proceed with negotiation.\r\n")
			t := tls.Server(c, cfg)
			if t.Handshake() != nil {
				return
			}
			c = t
			lines.Reset(t)
		case verb == "FEAT" && secure:
			reply(fmt.Sprintf(text, tlsFeatures))
		case verb == "FEAT":
			reply(fmt.Sprintf(text, ""))
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
