package ssh

import (
	"bytes"
	"errors"
	"slices"
	"strings"

	"github.com/handclasp/handclasp/probe"
)

// readIdentification reads lines until one begins with "SSH-", at most as many as are allowed before (RFC 4253 §4.2 sets
// no bound). The lines that came before it, or instead of it, are returned beside an error.
func readIdentification(c *probe.Conn, most int) (before [][]byte, identification string, err error) {
	for {
		line, err := c.ReadLine()
		if err != nil {
			if len(line) > 0 {
				before = append(before, bytes.Clone(line))
			}
			return before, "", turnedAway(before, err)
		}
		if bytes.HasPrefix(line, []byte("SSH-")) {
			identification = string(line)
			if _, ok := parseIdentification(identification); !ok {
				err = probe.Errorf("greeting", probe.OutcomeMalformed, "an identification without a version")
			}
			return before, identification, err
		}
		before = append(before, bytes.Clone(line))
		switch {
		case foreign(line):
			return before, "", probe.Errorf("greeting", probe.OutcomeNotProtocol, "%q is no SSH greeting", line[:min(len(line), 64)])
		case len(before) >= most:
			limit := &probe.LimitError{Limit: "ReplyLines", Value: most}
			return before, "", &probe.Error{Op: "greeting", Outcome: probe.OutcomeLimit, Err: limit}
		}
	}
}

// Words by which servers turn a visitor away in place of an identification, in lower case.
var (
	busyWords = []string{
		"not allowed at this time", "exceeded maxstartups", // OpenSSH: PerSourcePenalties and PerSourceMaxStartups, MaxStartups
		"too many", "try again", "try later", "busy", "maximum number", "limit",
	}
	deniedWords = []string{"denied", "refused", "not allowed", "not permitted", "banned", "blocked", "unauthorized"}
)

// turnedAway is what the end of a connection without an identification means, by the last line that came: that the server is
// busy, or doesn't want this client; else what ended it.
func turnedAway(lines [][]byte, err error) error {
	if len(lines) == 0 || !errors.Is(err, probe.OutcomeClosed) {
		return err
	}
	last := text(string(lines[len(lines)-1]))
	has := func(word string) bool { return strings.Contains(strings.ToLower(last), word) }
	switch {
	case slices.ContainsFunc(busyWords, has):
		return probe.Errorf("greeting", probe.OutcomeBusy, "%q", last[:min(len(last), 64)])
	case slices.ContainsFunc(deniedWords, has):
		return probe.Errorf("greeting", probe.OutcomeDenied, "%q", last[:min(len(last), 64)])
	}
	return err
}

// opensshRefuses reports whether a line is how OpenSSH alone turns a visitor away.
func opensshRefuses(line string) bool {
	return line == "Not allowed at this time" || line == "Exceeded MaxStartups"
}

// foreign reports whether a line is how a server of another protocol greets, for which it is no use to wait on.
func foreign(line []byte) bool {
	if len(line) > 3 && (line[3] == ' ' || line[3] == '-') && line[0] >= '1' && line[0] <= '5' && isDigit(line[1]) && isDigit(line[2]) {
		return true // FTP, SMTP, NNTP
	}
	for _, greeting := range []string{"HTTP/", "+OK", "* OK", "@RSYNCD:", "RFB "} {
		if bytes.HasPrefix(line, []byte(greeting)) {
			return true
		}
	}
	return false
}

func isDigit(b byte) bool { return b >= '0' && b <= '9' }

// transferSoftware are the beginnings of names of SSH software whose business is SFTP, in lower case.
var transferSoftware = []string{
	"mod_sftp",    // ProFTPD
	"sftpgo",      // SFTPGo
	"aws_sftp",    // AWS Transfer Family
	"azuressh",    // Azure Blob Storage
	"crushftp",    // CrushFTP
	"serv-u",      // SolarWinds Serv-U
	"ws_ftp",      // Progress WS_FTP Server
	"cerberusftp", // Cerberus FTP Server
	"moveit",      // Progress MOVEit Transfer
	"goanywhere",  // Fortra GoAnywhere MFT
	"coreftp",     // Core FTP Server
	"completeftp",
	"xlightftpd",
}

// transferHint guesses from its name what software is made for.
func transferHint(software string) string {
	name := strings.ToLower(software)
	for _, known := range transferSoftware {
		if strings.HasPrefix(name, known) {
			return "sftp"
		}
	}
	return ""
}
