package nntp

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/handclasp/handclasp/probe"
)

// Reply codes (RFC 3977 §3.2, RFC 4642 §2.2.1, RFC 4643 §2.3.1).
const (
	codeCapabilities  = 101
	codeDate          = 111
	codePosting       = 200
	codeNoPosting     = 201
	codeExtensions    = 202 // LIST EXTENSIONS, of drafts before RFC 3977
	codeQuit          = 205
	codeGroup         = 211
	codeList          = 215 // LIST, of EXTENSIONS too with some
	codeContinueTLS   = 382
	codeDiscontinued  = 400 // the server closes the connection
	codeNoSuchGroup   = 411
	codeWantsLogin    = 480
	codeLoginRejected = 481
	codeWantsTLS      = 483
	codeUnknown       = 500
	codeSyntax        = 501
	codeNotPermitted  = 502
	codeNotSupported  = 503
	codeNoTLS         = 580 // for any reason, such as a lack of resources (RFC 4642 §2.2.2)
)

// greets judges a greeting (RFC 3977 §5.1.1). Servers that want TLS or a login for everything say so here already. FTP and
// SMTP open with none of these.
func greets(r *probe.Reply) probe.Outcome {
	switch r.Code {
	case codePosting, codeNoPosting, codeWantsLogin, codeWantsTLS:
		return probe.OutcomeOK
	case codeDiscontinued:
		return probe.OutcomeBusy
	case codeNotPermitted:
		return probe.OutcomeDenied
	}
	return probe.OutcomeNotProtocol
}

// posting reads what 200 and 201 say, in greetings and replies to MODE READER.
func posting(r *probe.Reply) probe.Fact {
	switch {
	case r.Is(codePosting):
		return probe.Yes
	case r.Is(codeNoPosting):
		return probe.No
	}
	return probe.Unknown
}

// unknownCommand reports whether a server doesn't know what it was asked (RFC 3977 §3.2.1): with 503, and with 501
// for a MODE or LIST with an argument that it doesn't know.
func unknownCommand(r *probe.Reply) bool { return r.Is(codeUnknown, codeSyntax, codeNotSupported) }

// readAccess reads the reply to GROUP. It is unknown for faults (403, 503) and for what doesn't fit.
func readAccess(r *probe.Reply) probe.Fact {
	switch {
	case r.Is(codeNoSuchGroup, codeGroup):
		return probe.Yes
	case r.Is(codeWantsLogin, codeLoginRejected, codeWantsTLS, codeUnknown, codeNotPermitted):
		return probe.No
	}
	return probe.Unknown
}

// goAhead reads the reply to STARTTLS. It is unknown if the server has a fault, takes leave, or says what is no
// answer to it.
func goAhead(r *probe.Reply) probe.Fact {
	switch {
	case r.Is(codeContinueTLS):
		return probe.Yes
	case r.Is(codeWantsLogin, codeLoginRejected, codeWantsTLS), r != nil && r.Code >= 500:
		return probe.No // with some, codeNoTLS
	}
	return probe.Unknown
}

// hasCapability returns the index of the line with a label (RFC 3977 §5.2.2), and -1 if there is none.
func hasCapability(lines []string, label string) int {
	return slices.IndexFunc(lines, func(line string) bool { return strings.EqualFold(firstWord(line), label) })
}

func firstWord(line string) string {
	for word := range strings.FieldsSeq(line) {
		return word
	}
	return ""
}

// maxArgs bounds the arguments that are kept: the SASL mechanisms that IANA lists are fewer.
const maxArgs = 64

// capabilityArgs returns the arguments of all lines with a label, in upper case, each once; never nil.
func capabilityArgs(lines []string, label string) []string {
	args := []string{}
	for _, line := range lines {
		if !strings.EqualFold(firstWord(line), label) {
			continue
		}
		for _, arg := range strings.Fields(line)[1:] {
			if arg = strings.ToUpper(arg); len(args) < maxArgs && !slices.Contains(args, arg) {
				args = append(args, arg)
			}
		}
	}
	return args
}

// implementation returns the text behind IMPLEMENTATION.
func implementation(lines []string) string {
	i := hasCapability(lines, "IMPLEMENTATION")
	if i < 0 {
		return ""
	}
	line := strings.TrimSpace(lines[i])
	return strings.TrimSpace(strings.TrimPrefix(line, firstWord(line)))
}

// parseDate parses the text of a reply to DATE, yyyymmddhhmmss (RFC 3977 §7.1.2). Text behind it is ignored.
func parseDate(text string) (time.Time, bool) {
	const layout = "20060102150405"
	digits, _, _ := strings.Cut(strings.TrimSpace(text), " ")
	if len(digits) != len(layout) || strings.Trim(digits, "0123456789") != "" {
		return time.Time{}, false
	}
	t, err := time.Parse(layout, digits)
	return t, err == nil
}

// parseGroup parses a line of LIST ACTIVE: name, high, low and status (RFC 3977 §7.6.3). Numbers may have leading
// zeros.
func parseGroup(line string) (Group, bool) {
	fields := strings.Fields(line)
	if len(fields) != 4 {
		return Group{}, false
	}
	high, err1 := strconv.ParseUint(fields[1], 10, 64)
	low, err2 := strconv.ParseUint(fields[2], 10, 64)
	if err1 != nil || err2 != nil {
		return Group{}, false
	}
	return Group{Name: fields[0], High: high, Low: low, Status: fields[3]}, true
}

// parseGroups parses the lines of LIST ACTIVE.
func parseGroups(lines []string, truncated bool) *Groups {
	g := &Groups{Entries: []Group{}, Truncated: truncated}
	for _, line := range lines {
		if entry, ok := parseGroup(line); ok {
			g.Entries = append(g.Entries, entry)
		} else {
			g.Malformed++
		}
	}
	return g
}

// Commands, all of them; what they say is for the guard to judge.
const (
	cmdCapabilities = "CAPABILITIES"
	cmdModeReader   = "MODE READER"
	cmdExtensions   = "LIST EXTENSIONS"
	cmdDate         = "DATE"
	cmdGroup        = "GROUP " // and a name
	cmdStartTLS     = "STARTTLS"
	cmdListActive   = "LIST ACTIVE"
	cmdQuit         = "QUIT"
)

// madeUpBy stands before the random part of a group's name, and tells an operator who asked, if there is no Contact to say it.
const madeUpBy = "handclasp"

// groupLetters is the number of random letters behind it: 75 bits, so that no group has the name.
const groupLetters = 16
