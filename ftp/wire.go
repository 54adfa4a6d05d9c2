package ftp

import (
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/handclasp/handclasp/internal/textline"
	"github.com/handclasp/handclasp/probe"
)

// Telnet's command bytes (RFC 854).
const (
	telnetSE   = 240 // the first of them
	telnetWILL = 251 // this one and those after it, up to DONT, name an option
	telnetIAC  = 255
)

// skipTelnet returns a line without the Telnet commands and NULs that may stand before a reply: the control connection
// follows the Telnet protocol (RFC 959 §2.3), and some servers begin with an option. Within a line they stay, since
// the byte of IAC is a letter in several character sets.
func skipTelnet(line []byte) []byte {
	for {
		switch {
		case len(line) > 0 && line[0] == 0:
			line = line[1:]
		case len(line) > 2 && line[0] == telnetIAC && line[1] >= telnetWILL && line[1] < telnetIAC:
			line = line[3:]
		case len(line) > 1 && line[0] == telnetIAC && line[1] >= telnetSE && line[1] < telnetWILL:
			line = line[2:]
		default:
			return line
		}
	}
}

// parseFeatures returns the lines between the first and the last of a 211 reply to FEAT (RFC 2389 §3.2). A server that
// doesn't know the command has none; nil if it wants a login first, or can't tell now.
func parseFeatures(r *probe.Reply) []string {
	switch {
	case r == nil, r.Code < 500 && r.Code != 211, r.Is(503, 530):
		return nil
	case len(r.Lines) < 3, r.Code >= 500:
		return []string{}
	}
	features := make([]string, 0, len(r.Lines)-2)
	for _, line := range r.Lines[1 : len(r.Lines)-1] {
		if f := strings.TrimSpace(line); f != "" {
			features = append(features, f)
		}
	}
	return features
}

// hasFeature reports whether one of the features begins with the word.
func hasFeature(features []string, word string) bool {
	for _, f := range features {
		if first, _, _ := strings.Cut(f, " "); strings.EqualFold(first, word) {
			return true
		}
	}
	return false
}

// parseDirectory returns the name that a 257 reply quotes, in which a quote is written twice (RFC 959 App. II); empty
// if it quotes none.
func parseDirectory(r *probe.Reply) string {
	if !r.Is(257) {
		return ""
	}
	_, rest, _ := strings.Cut(r.Text(), `"`)
	var name strings.Builder
	for {
		part, after, found := strings.Cut(rest, `"`)
		if !found {
			return "" // never closed
		}
		name.WriteString(part)
		if !strings.HasPrefix(after, `"`) {
			return name.String()
		}
		name.WriteByte('"')
		rest = after[1:]
	}
}

// parsePassive finds the six numbers of a 227 reply. No two servers agree on what stands around them, so that they are
// looked for from the first digit on (RFC 1123 §4.1.2.6); some write blanks between them.
func parsePassive(text string) (addr netip.AddrPort, ok bool) {
	for !ok {
		i := strings.IndexAny(text, digits)
		if i < 0 {
			break
		}
		var words []string
		words, text = commaSeparated(text[i:])
		addr, ok = sixNumbers(words)
	}
	return addr, ok
}

const digits = "0123456789"

// commaSeparated returns the numbers that text begins with, and what follows them.
func commaSeparated(text string) (words []string, rest string) {
	for {
		number := text[:len(text)-len(strings.TrimLeft(text, digits))]
		words, rest = append(words, number), text[len(number):]
		next, found := strings.CutPrefix(strings.TrimLeft(rest, " "), ",")
		text = strings.TrimLeft(next, " ")
		if !found || strings.IndexAny(text, digits) != 0 {
			return words, rest
		}
	}
}

func sixNumbers(words []string) (addr netip.AddrPort, ok bool) {
	var b [6]byte
	if len(words) != len(b) {
		return addr, false
	}
	for i, w := range words {
		n, err := strconv.ParseUint(w, 10, 8)
		if err != nil {
			return addr, false
		}
		b[i] = byte(n)
	}
	return netip.AddrPortFrom(netip.AddrFrom4([4]byte(b[:4])), uint16(b[4])<<8|uint16(b[5])), true
}

// parseExtendedPassive returns the port of a 229 reply, such as "Entering Extended Passive Mode (|||6446|)": the first
// byte in the parentheses is the delimiter (RFC 2428 §3).
func parseExtendedPassive(text string) (port uint16, ok bool) {
	_, rest, found := strings.Cut(text, "(")
	if !found || len(rest) < 3 || rest[0] != rest[1] || rest[1] != rest[2] || '0' <= rest[0] && rest[0] <= '9' {
		return 0, false
	}
	number, _, found := strings.Cut(rest[3:], rest[:1])
	if !found {
		return 0, false
	}
	n, err := strconv.ParseUint(number, 10, 16)
	return uint16(n), err == nil && n > 0
}

// takesPassword judges the reply to USER: 331 and 332 ask for more, 230 asks for nothing (RFC 959 §5.4).
func takesPassword(r *probe.Reply) probe.Fact {
	if r.Is(331, 332) {
		return probe.Yes
	}
	return admits(r)
}

// admits judges the last reply of a login: 230 and 232 let in (RFC 959 §5.4, RFC 2228 §3), and 202 says that the
// password wasn't even needed. Transient refusals say nothing of the next client, unless they are the way in which
// pure-ftpd, for one, refuses cleartext for good (421).
func admits(r *probe.Reply) probe.Fact {
	switch {
	case r.Is(202, 230, 232):
		return probe.Yes
	case r == nil, isFull(r):
		return probe.Unknown
	case r.Code == 332, r.Code >= 500, r.Code >= 400 && wantsTLS(r.Text()):
		return probe.No
	}
	return probe.Unknown
}

func wantsTLS(text string) bool {
	text = strings.ToLower(text)
	for _, word := range []string{"tls", "ssl", "encrypt", "cleartext"} {
		if strings.Contains(text, word) {
			return true
		}
	}
	return false
}

// notNow reports whether a reply turns the client away for the moment: 421, which may answer any command, any other of 4yz
// to a login, or 530 in the words of ProFTPD's MaxClients and its like. pure-ftpd, for one, wants TLS by 421.
func notNow(command string, r *probe.Reply) bool {
	switch {
	case wantsTLS(r.Text()):
		return false
	case command == "USER", command == "PASS":
		return r.Code/100 == 4 || isFull(r)
	}
	return r.Is(421)
}

// isFull reports whether a refused login says that others have all the places.
func isFull(r *probe.Reply) bool {
	text := strings.ToLower(r.Text())
	return r.Is(530) && slices.ContainsFunc(fullWords, func(words string) bool { return strings.Contains(text, words) })
}

var fullWords = []string{"too many", "maximum", "limit reached", "limit exceeded", "already connected", "again later"}

// greets judges a greeting: 220 welcomes, and a refusal turns the client away for now (4yz) or for good (5yz).
func greets(r *probe.Reply) probe.Outcome {
	switch {
	case isForeign(r):
	case r.Code == 220:
		return probe.OutcomeOK
	case r.Code >= 500:
		return probe.OutcomeDenied
	case r.Code >= 400:
		return probe.OutcomeBusy
	}
	return probe.OutcomeNotProtocol
}

// isForeign reports whether a greeting or a refusal is that of another protocol with codes of three digits: mail
// servers, which greet by 220 as well, say so, or begin with a status code such as "5.5.2" (RFC 3463 §2), as FTP's never do.
func isForeign(r *probe.Reply) bool {
	text := r.Text()
	if textline.Word([]byte(text+"\n"), "SMTP", "LMTP") != "" && !saysFTP(r) {
		return true
	}
	if r.Code < 400 {
		return false
	}
	status, _, _ := strings.Cut(text, " ")
	parts := strings.Split(status, ".")
	return len(parts) == 3 && (parts[0] == "4" || parts[0] == "5") && isDigits(status, ".")
}

// saysFTP reports whether a reply names the protocol, and not only a host.
func saysFTP(r *probe.Reply) bool { return textline.Word([]byte(r.Text()+"\n"), "FTP") != "" }
