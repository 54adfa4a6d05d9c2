package lab

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"strings"
	"time"
)

// newsLine is the longest command line, its ending included (RFC 3977 §3.1).
const newsLine = 512

// newsGroups are empty: name, high and low water mark, status (RFC 3977 §7.6.3).
var newsGroups = []string{
	"lab.announce 0 1 m",
	"lab.misc 0 1 y",
	"lab.test 0 1 y",
}

// OpenNews starts a news server (RFC 3977) that anybody may read, post to and feed, as it says, and that asks for
// passwords in cleartext. It has groups but no articles, and takes none.
func OpenNews(ctx context.Context) (*Server, error) {
	return Serve(ctx, Neighbour{
		Name: "open-news", About: "lets anybody read, post and feed", Protocol: "nntp",
	}, serveNews)
}

func serveNews(c net.Conn) {
	r := bufio.NewReaderSize(c, newsLine)
	reply := "200 news.lab.test ready, posting allowed"
	for {
		_ = c.SetDeadline(time.Now().Add(idleTime))
		if _, err := fmt.Fprintf(c, "%s\r\n", strings.ReplaceAll(reply, "\n", "\r\n")); err != nil {
			return
		}
		if strings.HasPrefix(reply, "205") {
			return
		}
		line, err := r.ReadSlice('\n')
		if err != nil {
			return // too long a line is cut off, too
		}
		reply = newsReply(strings.Fields(strings.ToUpper(string(line))))
	}
}

// newsReply answers a command in capitals.
func newsReply(words []string) string {
	if len(words) == 0 {
		return "500 no command"
	}
	args := strings.Join(words[1:], " ")
	switch words[0] {
	case "CAPABILITIES":
		return "101 capabilities follow\nVERSION 2\nIMPLEMENTATION handclasp lab\nREADER\nPOST\nIHAVE\nSTREAMING\n" +
			"LIST ACTIVE\nAUTHINFO USER\n."
	case "MODE":
		switch args {
		case "READER":
			return "200 posting allowed"
		case "STREAM":
			return "203 streaming permitted"
		}
		return "501 unknown mode"
	case "DATE":
		return "111 " + time.Now().UTC().Format("20060102150405")
	case "GROUP":
		return newsGroup(args)
	case "LIST":
		if args != "" && args != "ACTIVE" {
			return "503 not kept"
		}
		return "215 groups follow\n" + strings.Join(newsGroups, "\n") + "\n."
	case "POST":
		return "440 not today"
	case "IHAVE":
		return "435 not wanted"
	case "AUTHINFO":
		if len(words) == 3 && words[1] == "USER" {
			return "381 password required"
		}
		return "481 authentication failed"
	case "QUIT":
		return "205 goodbye"
	}
	return "500 unknown command"
}

func newsGroup(name string) string {
	for _, g := range newsGroups {
		if known, _, _ := strings.Cut(g, " "); strings.EqualFold(known, name) {
			return "211 0 1 0 " + known
		}
	}
	return "411 no such group"
}
