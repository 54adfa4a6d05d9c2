package smb

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/handclasp/handclasp/internal/dtyp"
	"github.com/handclasp/handclasp/probe"
)

// preferred learns from the answer to an offer of all dialects of SMB 2 and 3.
func (e *Evidence) preferred(a answer) {
	if a.reply == nil {
		return
	}
	r := a.reply
	e.NegotiateStatus = statusName(r.status)
	switch r.status {
	case statusNotSupported: // a refusal of all is one of each
		for _, d := range dialects {
			e.alone(d, a)
		}
	case statusSuccess:
		e.PreferredDialect = dialectNames[r.dialect]
		e.SigningEnabled, e.SigningRequired = r.signing()
		e.ServerGUID = dtyp.GUID(r.guid)
		e.Capabilities = capabilityList(r.capabilities)
		e.SystemTime, e.BootTime = r.systemTime, r.bootTime
		e.MaxTransactSize, e.MaxReadSize, e.MaxWriteSize = r.maxTransact, r.maxRead, r.maxWrite
		e.Encryption = r.encryption()
		if e.contexts(r.contexts); r.broken {
			e.Ciphers, e.Compression, e.SigningAlgorithms = learned(e.Ciphers), learned(e.Compression), learned(e.SigningAlgorithms)
		}
		e.login(a)
	}
}

func (e *Evidence) contexts(c contexts) {
	if len(c.hashes) > 0 {
		e.PreauthHash = nameOf(c.hashes[0], hashNames)
	}
	e.Ciphers = names(c.ciphers, cipherNames)
	e.SigningAlgorithms = names(c.signing, signingNames)
	e.Compression = names(c.compression, compressionNames)
	if len(c.compression) > 0 {
		e.CompressionChained = probe.FactOf(c.chained)
	}
}

// alone learns from the answer to one dialect.
func (e *Evidence) alone(dialect uint16, a answer) {
	n := Negotiation{Dialect: dialectNames[dialect], Outcome: probe.OutcomeOf(a.err)}
	if r := a.reply; r != nil {
		n.Status = statusName(r.status)
		switch r.status {
		case statusSuccess:
			if !a.foreign {
				n.Spoken = probe.Yes
				e.Dialects, e.DialectsRefused = append(e.Dialects, n.Dialect), asked(e.DialectsRefused)
			}
			n.SigningEnabled, n.SigningRequired = r.signing()
			n.Encryption = r.encryption()
			n.Capabilities = capabilityList(r.capabilities)
			n.MaxTransactSize, n.MaxReadSize, n.MaxWriteSize = r.maxTransact, r.maxRead, r.maxWrite
		case statusInvalidParam:
			// No dialect in common, as some servers say it; or the contexts of 3.1.1, unless they were taken before.
			if dialect != dialect311 || e.PreferredDialect != "" {
				e.refused(&n)
			}
		case statusNotSupported:
			e.refused(&n)
		}
	}
	e.Matrix = append(e.Matrix, n)
}

func (e *Evidence) refused(n *Negotiation) {
	n.Spoken = probe.No
	e.Dialects, e.DialectsRefused = asked(e.Dialects), append(e.DialectsRefused, n.Dialect)
}

// asked returns a list that isn't nil, since its server was asked.
func asked(list []string) []string {
	if list == nil {
		return []string{}
	}
	return list
}

// learned returns a list, or nil if it may be empty for other reasons than that there is nothing to put in.
func learned(list []string) []string {
	if len(list) == 0 {
		return nil
	}
	return list
}

// signing says what the SecurityMode says.
func (n *negotiateReply) signing() (enabled, required probe.Fact) {
	return probe.FactOf(n.securityMode&modeSigningEnabled != 0), probe.FactOf(n.securityMode&modeSigningRequired != 0)
}

// algorithms adds what the server took of an offer: only that, since a server that takes none of it may name another.
func (e *Evidence) algorithms(offered offer, a answer) {
	if a.reply == nil || a.reply.status != statusSuccess {
		return
	}
	chosen := a.reply.contexts
	e.Ciphers = union(e.Ciphers, names(common(offered.ciphers, chosen.ciphers), cipherNames))
	e.SigningAlgorithms = union(e.SigningAlgorithms, names(common(offered.signing, chosen.signing), signingNames))
}

func common(offered, chosen []uint16) []uint16 {
	return slices.DeleteFunc(slices.Clone(chosen), func(id uint16) bool { return !slices.Contains(offered, id) })
}

func union(list, more []string) []string {
	for _, name := range more {
		if !slices.Contains(list, name) {
			list = append(list, name)
		}
	}
	return list
}

// smb1 learns from the answer to an offer of SMB1 only.
func (e *Evidence) smb1(a answer) {
	s := &e.SMB1
	s.Outcome = probe.OutcomeOf(a.err)
	r := a.smb1
	if r == nil {
		return
	}
	s.Outcome = probe.OutcomeOK // a login that broke off behind it doesn't matter here
	if r.dialect == "" {
		if r.refused {
			s.Supported, s.Dialects = probe.No, []string{}
		}
		return
	}
	s.Supported, s.Dialect, s.Dialects = probe.Yes, r.dialect, []string{r.dialect}
	s.UserSecurity = probe.FactOf(r.securityMode&mode1User != 0)
	s.ChallengeResponse = probe.FactOf(r.securityMode&mode1Challenge != 0)
	if r.signing {
		s.SigningEnabled = probe.FactOf(r.securityMode&mode1Signing != 0)
		s.SigningRequired = probe.FactOf(r.securityMode&mode1Required != 0)
	}
	s.SystemTime = r.systemTime
	s.Domain, s.ServerName = r.domain, r.serverName
	if a.setup != nil {
		s.native(a.setup)
	}
	switch {
	case r.capabilities&cap1ExtendedSecurity == 0:
	case e.PreferredDialect == "":
		e.login(a)
	case e.NTLM == nil && a.challenge != nil: // SMB 2 gave none
		e.NTLM, e.NTLMAccepted = a.challenge, probe.Yes
	}
}

// native learns how the server names its system and itself, and where it is at home.
func (s *SMB1) native(r *setupReply) {
	s.NativeOS, s.NativeLM = cmp.Or(s.NativeOS, r.nativeOS), cmp.Or(s.NativeLM, r.nativeLM)
	s.Domain = cmp.Or(s.Domain, r.domain)
}

// hungUp reports whether the server hung up on a question, twice, for what it asks: on SMB1 when it answered to each dialect
// of SMB 2, which means no; on all of SMB 2 when it answered to SMB1, which some do that never heard of SMB 2, and which is no
// answer. One that answers to some dialects only may have had enough of connections.
func (e *Evidence) hungUp(q *question, a *answer) bool {
	if !a.hungUp() {
		return false
	}
	if len(q.smb1) == 0 {
		answered := slices.ContainsFunc(e.Matrix, func(n Negotiation) bool { return n.Status != "" })
		return e.PreferredDialect == "" && e.SMB1.Outcome == probe.OutcomeOK && !answered
	}
	if e.PreferredDialect == "" || slices.ContainsFunc(e.Matrix, func(n Negotiation) bool { return n.Spoken == probe.Unknown }) {
		return false
	}
	e.SMB1.Supported, e.SMB1.Dialects = probe.No, []string{}
	return true
}

// smb1Login points to what a login by SMB1 would have told.
func (e *Evidence) smb1Login() []string {
	list := []string{"/evidence/smb1/native_os", "/evidence/smb1/native_lm"}
	if e.NTLM == nil {
		list = append(list, "/evidence/ntlm")
	}
	return list
}

// smb1Detail adds what another offer of SMB1 showed.
func (e *Evidence) smb1Detail(a answer) {
	r := a.smb1
	if r == nil || r.dialect == "" {
		return
	}
	e.SMB1.Dialects = union(e.SMB1.Dialects, []string{r.dialect})
	if r.domain != "" {
		e.SMB1.Domain, e.SMB1.ServerName = r.domain, r.serverName
	}
}

// login learns from the token of a negotiation, and from what a session setup answered.
func (e *Evidence) login(a answer) {
	if len(a.mechanisms) > 0 {
		e.AuthMechanisms = a.mechanisms
		if !slices.Contains(a.mechanisms, mechanismNTLM) {
			e.NTLMAccepted = probe.No
		}
	}
	if a.setup == nil {
		return
	}
	e.SessionSetupStatus = statusName(a.setup.status)
	if a.setup.status == statusNotSupported {
		e.NTLMAccepted = probe.No
	}
	if e.NTLM = a.challenge; e.NTLM != nil {
		e.NTLMAccepted = probe.Yes
	}
}

// conclude says what only the whole tells.
func (e *Evidence) conclude() {
	if d := e.PreferredDialect; d != "" && !slices.Contains(e.Dialects, d) { // it alone was lost, or refused
		e.Dialects = append(e.Dialects, d)
		slices.Sort(e.Dialects) // as it happens, the names' order is that of the dialects
		e.DialectsRefused = slices.DeleteFunc(e.DialectsRefused, func(other string) bool { return other == d })
	}
	if e.Encryption == probe.Yes {
		return
	}
	// A server that chose an older dialect of all has none that is newer.
	newer := e.PreferredDialect >= dialectNames[dialect300]
	known := e.NegotiateStatus != "" && !(newer && e.Encryption == probe.Unknown)
	for _, n := range e.Matrix {
		if n.Encryption == probe.Yes {
			e.Encryption = probe.Yes
			return
		}
		if n.Spoken != probe.No && n.Encryption == probe.Unknown && newer && n.Dialect >= dialectNames[dialect300] {
			known = false
		}
	}
	e.Encryption = probe.Unknown
	if known && (e.PreferredDialect != "" || len(e.DialectsRefused) == len(dialects)) {
		e.Encryption = probe.No
	}
}

// denials are the statuses that say no to whoever has no name. Others may mean that the server is busy or the
// client old.
var denials = map[string]bool{
	"STATUS_ACCESS_DENIED": true, "STATUS_LOGON_FAILURE": true, "STATUS_LOGON_TYPE_NOT_GRANTED": true,
	"STATUS_ACCOUNT_RESTRICTION": true, "STATUS_ACCOUNT_DISABLED": true, "STATUS_NO_SUCH_USER": true,
	"STATUS_WRONG_PASSWORD": true, "STATUS_NETWORK_ACCESS_DENIED": true, "STATUS_NTLM_BLOCKED": true,
	"STATUS_LOGON_NOT_GRANTED": true, "STATUS_NOT_SUPPORTED": true,
}

// granted is yes for success, no for a denial, and unknown for what is neither.
func granted(status string) probe.Fact {
	switch {
	case status == "STATUS_SUCCESS":
		return probe.Yes
	case denials[status]:
		return probe.No
	}
	return probe.Unknown
}

// facts says whether a null session and one as guest were given that may connect to IPC$. The login had no user, so
// that the session is null if the server doesn't flag it as guest: Windows flags it, Samba doesn't. Whether there are
// guests when such a login doesn't make one isn't known: that would take the name of a user.
func (a *AnonymousSession) facts() (null, guest probe.Fact) {
	isGuest := slices.Contains(a.Flags, "guest")
	login, tree := granted(a.Status), granted(a.TreeStatus)
	switch {
	case login != probe.Yes:
		return login, probe.Unknown
	case isGuest && slices.Contains(a.Flags, "null"):
		return tree, tree
	case isGuest:
		return probe.No, tree
	}
	return tree, probe.Unknown
}

func sessionFlags(flags uint16) []string {
	list := []string{}
	for i := range 16 {
		switch bit := uint16(1) << i; flags & bit {
		case 0:
		case sessionGuest:
			list = append(list, "guest")
		case sessionNull:
			list = append(list, "null")
		case sessionEncrypt:
			list = append(list, "encrypt")
		default:
			list = append(list, fmt.Sprintf("0x%04x", bit))
		}
	}
	return list
}
