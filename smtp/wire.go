package smtp

import (
	"bytes"
	"cmp"
	"encoding/base64"
	"slices"
	"strconv"
	"strings"

	"github.com/handclasp/handclasp/internal/lazy"
	"github.com/handclasp/handclasp/internal/ntlmssp"
	"github.com/handclasp/handclasp/internal/textline"
	"github.com/handclasp/handclasp/probe"
)

// Reply codes (RFC 5321 §4.2.3; RFC 3207 §4; RFC 4954 §4 and §6).
const (
	codeReady          = 220
	codeClosing        = 221
	codeLoggedIn       = 235
	codeOK             = 250
	codeChallenge      = 334
	codeNotAvailable   = 421 // and closes the connection
	codeUnknown        = 500
	codeSyntax         = 501
	codeNotImplemented = 502
	codeNotNow         = 530 // wants TLS, or a login, first
)

// What is sent, without CRLF.
const (
	starttls = "STARTTLS"
	authNTLM = "AUTH NTLM"
	cancel   = "*" // RFC 4954 §4

	// starttlsNoop is the check for CVE-2011-0411: a server that keeps what it read answers NOOP inside TLS.
	starttlsNoop = "STARTTLS\r\nNOOP"
)

// negotiate asks for the challenge.
var negotiate = base64.StdEncoding.EncodeToString(ntlmssp.Negotiate())

const ntlm = "NTLM" // the mechanism

// ownName is the argument of EHLO: the name that the visitor gave itself, or the address literal (RFC 5321 §4.1.3) for clients
// without one.
func ownName(s *probe.Session) string { return cmp.Or(s.Contact().Host, "[127.0.0.1]") }

func ehlo(s *probe.Session) string { return "EHLO " + ownName(s) }

func clip(text string) string { return text[:min(len(text), 64)] }

// maxMechanisms bounds the mechanisms that are kept: IANA has registered fewer than 50.
const maxMechanisms = 64

// maxMechanismName is the length of a mechanism's name (RFC 4422 §3.1).
const maxMechanismName = 20

// An offer is what an EHLO reply advertises.
type offer struct {
	extensions []string
	mechanisms []string
	size       *uint64
	keywords   []string // the extensions' keywords in upper case
}

// parseEHLO reads the lines of a reply to EHLO (RFC 5321 §4.1.1.1): the first holds the server's name, the others one
// extension each.
func parseEHLO(lines []string) offer {
	o := offer{extensions: make([]string, 0, len(lines)), mechanisms: []string{}, keywords: make([]string, 0, len(lines))}
	for _, line := range lines[min(1, len(lines)):] {
		line = strings.TrimSpace(line)
		if line == "" || strings.EqualFold(line, "OK") { // some end with a word that is no extension
			continue
		}
		o.extensions = append(o.extensions, line)
		keyword, params := splitExtension(line)
		o.keywords = append(o.keywords, keyword)
		switch keyword {
		case "AUTH":
			o.addMechanisms(params)
		case "SIZE":
			if n, err := strconv.ParseUint(strings.TrimSpace(params), 10, 64); err == nil {
				o.size = &n
			}
		}
	}
	return o
}

// splitExtension returns an extension's keyword in upper case and its parameters.
func splitExtension(line string) (keyword, params string) {
	end := strings.IndexAny(line, " \t")
	if end < 0 {
		end = len(line)
	}
	keyword, params = strings.ToUpper(line[:end]), line[end:]
	// AUTH=LOGIN is how servers of before RFC 2554 spell it, and servers for the clients of that time.
	if first, isAuth := strings.CutPrefix(keyword, "AUTH="); isAuth {
		return "AUTH", first + params
	}
	return keyword, params
}

func (o *offer) addMechanisms(params string) {
	for name := range strings.FieldsSeq(params) {
		name = strings.ToUpper(name)
		if len(o.mechanisms) < maxMechanisms && isMechanism(name) && !slices.Contains(o.mechanisms, name) {
			o.mechanisms = append(o.mechanisms, name)
		}
	}
}

// isMechanism reports whether s is spelled as RFC 4422 §3.1 wants it.
func isMechanism(s string) bool {
	return s != "" && len(s) <= maxMechanismName && strings.Trim(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_") == ""
}

func (o *offer) has(keyword string) bool { return slices.Contains(o.keywords, keyword) }

// available says whether what a keyword stands for is there, behind what is known of it; see [Evidence.advertise].
func (o *offer) available(keyword string, known probe.Fact, last bool) probe.Fact {
	switch {
	case o.has(keyword):
		return probe.Yes
	case last && known == probe.Unknown:
		return probe.No
	}
	return known
}

// stripped says whether STARTTLS was overwritten on the way. Firewalls keep a keyword's length, since they rewrite in
// place, and some number those that they overwrite by a last letter: XXXXXXXA, XXXXXXXB. CHUNKING has the same length, and
// goes with BINARYMIME (RFC 3030 §3).
func (o *offer) stripped() probe.Fact {
	f, alike := probe.No, 0
	for _, k := range o.keywords {
		switch {
		case k == "STARTTLS":
			return probe.No
		case !masked(k):
			continue
		case len(k) == len("STARTTLS"):
			alike++
		}
		f = probe.Unknown
	}
	if o.has("BINARYMIME") && !o.has("CHUNKING") {
		alike--
	}
	if alike > 0 {
		return probe.Yes
	}
	return f
}

// masked reports whether s is Xs, the last of which may be another letter. Keywords of three letters may be real.
func masked(s string) bool {
	return len(s) > 3 && strings.Trim(s[:len(s)-1], "X") == "" && s[len(s)-1] >= 'A' && s[len(s)-1] <= 'Z'
}

// greets judges a greeting: a mail server opens by 220 or by a refusal, for now or for good (RFC 5321 §3.1, §4.3.2).
func greets(r *probe.Reply) probe.Outcome {
	switch {
	case r.Code == codeReady:
		return probe.OutcomeOK
	case r.Code >= 500:
		return probe.OutcomeDenied
	case r.Code >= 400:
		return probe.OutcomeBusy
	}
	return probe.OutcomeNotProtocol
}

// greetingWords are in greetings of mail servers and of those that greet by the same codes.
var greetingWords = []string{"SMTP", "LMTP", "FTP"}

// greetingWord returns which of them a greeting has first; empty for none.
func greetingWord(greeting *probe.Reply) string {
	return textline.Word([]byte(greeting.Text()+"\n"), greetingWords...)
}

// isMail reports whether a greeting alone tells a mail server: by "ESMTP", or by "SMTP" behind the name (RFC 5321 §4.2). SMTP
// elsewhere may be a product's: aiosmtpd greets as "Python SMTP" for LMTP, too.
func isMail(greeting *probe.Reply) bool {
	if !greeting.Is(codeReady) || greetingWord(greeting) != "SMTP" {
		return false
	}
	words := strings.Fields(greeting.Lines[0])
	return textline.Word([]byte(greeting.Text()+"\n"), "ESMTP") != "" || len(words) > 1 && strings.EqualFold(words[1], "SMTP")
}

// foreign reports whether somebody else than a mail server refused both EHLO and HELO: an LMTP server, say, or one of FTP.
func (e *Evidence) foreign() bool {
	if e.EHLO == nil || e.EHLO.Code < 500 || e.HELO == nil || e.HELO.Code < 500 {
		return false
	}
	word := greetingWord(e.Greeting)
	return word != "" && word != "SMTP" || unknown(e.EHLO) && unknown(e.HELO) && !isMail(e.Greeting)
}

// refusesAsMail reports whether EHLO was refused, for another reason than that it isn't known, by a server that greeted as SMTP or
// with a status code such as "5.7.1" (RFC 3463 §2), which only mail servers send.
func (e *Evidence) refusesAsMail() bool {
	if e.EHLO == nil || e.EHLO.Code < 500 || unknown(e.EHLO) {
		return false
	}
	status, _, _ := strings.Cut(e.EHLO.Text(), " ")
	return greetingWord(e.Greeting) == "SMTP" || statusCode().MatchString(status)
}

var statusCode = lazy.Pattern(`^[45]\.\d{1,3}\.\d{1,3}$`)

// unknown reports whether a command wasn't understood, in the words of SMTP or of FTP before a login.
func unknown(r *probe.Reply) bool { return r.Is(codeUnknown, codeNotImplemented, codeNotNow) }

// helloName finds the server's name in a reply to EHLO or HELO, which begins with it (RFC 5321 §4.1.1.1).
func helloName(r *probe.Reply) string {
	if !r.Is(codeOK) {
		return ""
	}
	name, _, _ := strings.Cut(r.Lines[0], " ")
	if !strings.ContainsAny(name, ".:") || !isHost(name) {
		return "" // a word, such as "Hello"
	}
	return name
}

// parseHostname finds the server's name in a greeting. It is the first word (RFC 5321 §4.2); if that of the first line is
// none, as in some teasers, another line's may be.
func parseHostname(greeting *probe.Reply) string {
	if greeting == nil || greeting.Code == 0 {
		return ""
	}
	for _, line := range greeting.Lines {
		words := strings.Fields(line)
		if len(words) == 0 || !isHost(words[0]) {
			continue
		}
		// "mail ESMTP" has a name, "Welcome to" has none.
		named := len(words) > 1 && (strings.EqualFold(words[1], "ESMTP") || strings.EqualFold(words[1], "SMTP"))
		if named || strings.ContainsAny(words[0], ".:") {
			return words[0]
		}
	}
	return ""
}

// isHost reports whether s may be a domain or an address literal (RFC 5321 §4.1.2, §4.1.3).
func isHost(s string) bool {
	if len(s) > 255 {
		return false
	}
	if strings.HasPrefix(s, "[") && strings.HasSuffix(s, "]") {
		inner := s[1 : len(s)-1]
		return inner != "" && strings.IndexFunc(inner, func(r rune) bool {
			return !isLetterOrDigit(r) && r != '.' && r != ':' && r != '-'
		}) < 0
	}
	last := ""
	for label := range strings.SplitSeq(strings.TrimSuffix(s, "."), ".") {
		if label == "" || strings.IndexFunc(label, func(r rune) bool {
			return !isLetterOrDigit(r) && r != '-' && r != '_'
		}) >= 0 {
			return false
		}
		last = label
	}
	return strings.Trim(last, "0123456789") != "" // else it is an enhanced status code (RFC 3463)
}

// isDomain reports whether s is spelled as RFC 5321 §4.1.2 wants a domain.
func isDomain(s string) bool {
	for label := range strings.SplitSeq(s, ".") {
		if strings.Trim(label, "-") != label || strings.Contains(label, "_") {
			return false
		}
	}
	return isHost(s) && !strings.HasSuffix(s, ".") && s[0] != '['
}

func isLetterOrDigit(r rune) bool {
	return 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9'
}

// unteased gives a greeting that broke off with another code the code of its last line: postscreen sends its refusal
// behind a teaser with 220. It reports whether the greeting was one.
func unteased(r *probe.Reply) bool {
	if r == nil || r.Code != 220 || len(r.Lines) < 2 {
		return false
	}
	last := len(r.Lines) - 1
	code, text, more := textline.ParseLine([]byte(r.Lines[last]))
	if code < 400 || more {
		return false
	}
	r.Code = code
	r.Lines[last] = string(text)
	return true
}

// parseChallenge reads the text of a 334 reply (RFC 4954 §4). It returns nil if that holds no NTLM challenge; a
// challenge that is broken further down gives what it has.
func parseChallenge(text string) *probe.NTLM {
	b := bytes.TrimRight([]byte(strings.TrimSpace(text)), "=")
	raw := make([]byte, base64.RawStdEncoding.DecodedLen(len(b)))
	n, err := base64.RawStdEncoding.Decode(raw, b)
	if err != nil {
		return nil
	}
	challenge, _ := ntlmssp.Challenge(raw[:n])
	return challenge
}

// verifies judges the reply to VRFY of a name that nobody has (RFC 5321 §3.5.3, §4.2.2).
func verifies(r *probe.Reply) probe.Fact {
	switch {
	case r.Is(550) && !strings.HasPrefix(r.Text(), "5.7."): // 5.7 is policy (RFC 3463 §3.8), not a name unknown
		return probe.Yes
	case r.Is(250, 251, 252, 500, 502, 550):
		return probe.No // it knows even this one, won't say, or doesn't have the command
	}
	return probe.Unknown
}
