package rsync

import (
	"slices"
	"strconv"
	"strings"
)

// The generations of the protocol (PROTOCOL_VERSION in rsync.h).
const (
	oldestVersion = 17 // rsync 2.0.0, the first with a daemon
	exitVersion   = 25 // the first that ends a list by "@RSYNCD: EXIT", and not by closing
	subVersion    = 30 // the first with a subprotocol, which both sides must name
	newestVersion = 32 // rsync 3.4.0; the first in which both sides must list digests
)

const (
	prefixTalk   = "@RSYNCD:"
	prefixError  = "@ERROR"
	lineOK       = "@RSYNCD: OK"
	lineExit     = "@RSYNCD: EXIT"
	prefixAuth   = "@RSYNCD: AUTHREQD "
	requestList  = "\n" // as rsync asks; "#list" is understood by most
	madeUpRandom = 16   // letters behind it
)

const (
	maxDigits  = 9  // of a number in a greeting
	maxVersion = 99 // MAX_PROTOCOL_VERSION is 40
	maxDigests = 32 // there are five
)

// A greeting is what either side says first.
type greeting struct {
	version int
	sub     int
	hasSub  bool
	digests []string
}

// parseGreeting parses "@RSYNCD: 31.0 sha512 md5", all but the first number being optional (csprotocol.txt).
func parseGreeting(line string) (g greeting, ok bool) {
	rest, ok := strings.CutPrefix(line, prefixTalk)
	words := strings.Fields(rest)
	if !ok || len(words) == 0 {
		return greeting{}, false
	}
	major, minor, dot := strings.Cut(words[0], ".")
	if g.version, ok = number(major); !ok || g.version < 1 || g.version > maxVersion {
		return greeting{}, false
	}
	if dot {
		if g.sub, g.hasSub = number(minor); !g.hasSub {
			return greeting{}, false
		}
	}
	g.digests = append([]string{}, words[1:min(len(words), maxDigests+1)]...)
	return g, true
}

func number(s string) (n int, ok bool) {
	if s == "" || len(s) > maxDigits || strings.Trim(s, "0123456789") != "" {
		return 0, false
	}
	n, err := strconv.Atoi(s)
	return n, err == nil
}

// answer composes what a client says to a greeting. Its list of digests is rsync's, whatever the server's: one that has
// none of them says so when it wants a password.
func (g greeting) answer() string {
	version := min(max(g.version, oldestVersion), newestVersion)
	line := prefixTalk + " " + strconv.Itoa(version)
	if version >= subVersion {
		line += ".0"
		if version >= newestVersion || len(g.digests) > 0 {
			line += " sha512 sha256 sha1 md5 md4"
		}
	}
	return line + "\n"
}

// ends reports whether a line ends what a daemon says: all others are the message of the day, or the list.
func ends(line string) bool {
	return line == lineOK || line == lineExit || strings.HasPrefix(line, prefixAuth) || strings.HasPrefix(line, prefixError)
}

// access reads the answer to a module's name. The words are those of all versions of rsync (rsync_module and start_daemon
// in clientserver.c, negotiate_daemon_auth in compat.c) and of other daemons.
func access(line string) Access {
	if line == lineOK {
		return AccessOpen
	}
	if strings.HasPrefix(line, prefixAuth) {
		return AccessAuth
	}
	words, isError := strings.CutPrefix(line, prefixError)
	if !isError {
		return ""
	}
	words = strings.ToLower(strings.TrimLeft(words, ": "))
	for _, w := range errorWords {
		if strings.HasPrefix(words, w.begin) && strings.HasSuffix(words, w.end) {
			return w.access
		}
	}
	return ""
}

var errorWords = []struct {
	begin, end string
	access     Access
}{
	{"unknown module", "", AccessUnknown},
	{"access denied", "", AccessDenied},
	{"max connections (-", "", AccessDenied}, // a negative number disables the module (rsyncd.conf(5))
	{"max connections", "", AccessBusy},
	{"auth failed on module", "", AccessAuth},               // 3.5.0: the digest that was agreed on is below "auth digest"
	{"your client does not support one of", "", AccessAuth}, // the daemon-auth checksums
	{"chdir failed", "", AccessFailed},
	{"chroot failed", "", AccessFailed},
	{"no path setting", "", AccessFailed},
	{"invalid uid", "", AccessFailed},
	{"invalid gid", "", AccessFailed},
	{"setuid failed", "", AccessFailed},
	{"setgid failed", "", AccessFailed},
	{"setgroups failed", "", AccessFailed},
	{"initgroups failed", "", AccessFailed},
	{"getpwuid failed", "", AccessFailed},
	{"early exec ", "", AccessFailed},
	{"pre-xfer exec ", "", AccessFailed},
	{"name-converter exec ", "", AccessFailed},
	{"fork failed", "", AccessFailed},
	{"daemon security issue", "", AccessFailed},
	{"", "is not a valid module", AccessUnknown},       // openrsync
	{"module ", "is currently disabled", AccessDenied}, // openrsync
}

// A message is the message of the day as each connection brings it: whole lines, and the beginning of one that goes on
// with the answer, since not every daemon ends it with a newline.
type message struct {
	lines []string
	begin string
}

// text returns the message without the empty lines that daemons put behind it.
func (m message) text() string {
	return strings.TrimRight(strings.Join(append(m.lines[:len(m.lines):len(m.lines)], m.begin), "\n"), "\n")
}

// glued finds the refusal of a module that doesn't exist in a line that the message of the day begins.
func glued(line, name string) (begin, rest string, ok bool) {
	i := strings.Index(line, prefixError)
	if i <= 0 || !strings.Contains(line[i:], name) {
		return "", "", false
	}
	return line[:i], line[i:], true
}

// strip takes the message's last beginning off line number i.
func (m message) strip(i int, line string) string {
	if i == len(m.lines) {
		return strings.TrimPrefix(line, m.begin)
	}
	return line
}

// cut takes the message off the front of what came before the end of a list. A message that differs between two
// connections, such as one that counts visitors, must be as long and end with the same line.
func (m message) cut(lines []string) (rest []string, ok bool) {
	n := len(m.lines)
	if n == 0 {
		return lines, true
	}
	if len(lines) < n || lines[n-1] != m.lines[n-1] {
		return nil, false
	}
	return lines[n:], true
}

// parseRow parses a row of the list: a name, padded to 15 places by rsync, a tab and a comment (send_listing in
// clientserver.c). Some daemons write the name alone if there is no comment.
func parseRow(line string) (name, comment string, ok bool) {
	name, comment, tab := strings.Cut(line, "\t")
	name = strings.TrimRight(name, " ")
	if name == "" || !tab && strings.Contains(name, " ") {
		return "", "", false
	}
	return name, comment, true
}

// maxName is well below the shortest line that a daemon reads (200 bytes in rsync 2.4.6).
const maxName = 190

// askable reports whether a name can be asked for: commands begin with #, and control bytes would end the line.
func askable(name string) bool {
	if name == "" || len(name) > maxName || name[0] == '#' || name[0] == '@' {
		return false
	}
	for i := range len(name) {
		if name[i] < ' ' || name[i] == 0x7f {
			return false
		}
	}
	return true
}

// releases names the versions of rsync that greet so; empty if none does. Patched ones of before 3.2.7 may list MD5 and
// MD4, as some distributions' do.
func releases(version int, digests []string) string {
	switch {
	case version == 31 && slices.ContainsFunc(digests, longDigest):
		return "rsync 3.2.7 or 3.3.0"
	case version == 31 && len(digests) > 0:
		return "rsync 3.1.0 to 3.3.0"
	case version == 31:
		return "rsync 3.1.0 to 3.2.6"
	case version == 30:
		return "rsync 3.0"
	case version < 30 && version >= oldestVersion:
		return "rsync older than 3.0"
	}
	return ""
}
