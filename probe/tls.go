package probe

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
)

// TLS is what was seen of a TLS handshake (RFC 8446), a failed one included. Fields that the handshake didn't get to
// are empty.
type TLS struct {
	// Mode is "implicit" (TLS from the first byte) or "starttls".
	Mode string `json:"mode"`
	// Version is the negotiated version: "1.0" to "1.3".
	Version string `json:"version" diff:"identifying"`
	// CipherSuite is the IANA name, such as TLS_AES_128_GCM_SHA256.
	CipherSuite string `json:"cipher_suite"`
	// KeyExchange is the group, such as X25519; empty for RSA key transport.
	KeyExchange string `json:"key_exchange"`
	// ALPN is the protocol the server chose; empty since none is offered.
	ALPN string `json:"alpn"`
	// LeftoverPlaintext is what came in cleartext when the handshake was due, at most 1 KiB: behind the go-ahead, whose
	// upgrade it stops (RFC 3207 §6), or in place of an implicit handshake. TLS records out of place are none.
	LeftoverPlaintext []byte `json:"leftover_plaintext"`
	// ClientCertificateRequested says whether the server asked for a certificate of ours (RFC 8446 §4.3.2). None is sent, so
	// that a server that insists ends the connection. It is Unknown if the handshake didn't get so far.
	ClientCertificateRequested Fact `json:"client_certificate_requested"`
	// OCSPStapled says whether the server stapled an OCSP response (RFC 6066 §8), and SCTs whether it sent timestamps of
	// Certificate Transparency beside the certificate (RFC 6962 §3.3.1). Both are asked for, and Unknown if the handshake failed.
	OCSPStapled Fact `json:"ocsp_stapled"`
	SCTs        Fact `json:"scts"`
	// Error says why the handshake failed; empty if it succeeded.
	Error string `json:"error"`
	// Chain is what the server sent, its own certificate first; null if no certificate was seen.
	Chain []Certificate `json:"chain"`
	// Trusted says whether the chain leads to a root of Options.RootCAs or the system's. An expired certificate is
	// judged at the last moment of its validity: that it expired is visible on its own. Unknown if the system has no
	// roots.
	Trusted Fact `json:"trusted"`
	// TrustError says why not, or why that is unknown.
	TrustError string `json:"trust_error"`
	// NameMatches says whether the certificate is for the target's name (RFC 9525); Unknown if it has none.
	NameMatches Fact `json:"name_matches"`
	// Versions lists the versions from TLS 1.0 on that the server accepts; null unless Options.TLS asked for them, and all were
	// learned.
	Versions []string `json:"versions" diff:"identifying"`
	// Offers is what else the server accepts; null unless Options.TLS asked for it.
	Offers *TLSOffers `json:"offers"`
}

// The values of TLS.Mode.
const (
	modeImplicit = "implicit"
	modeSTARTTLS = "starttls"
)

var versionNames = map[uint16]string{
	tls.VersionTLS10: "1.0", tls.VersionTLS11: "1.1", tls.VersionTLS12: "1.2", tls.VersionTLS13: "1.3",
}

// StartTLS performs a TLS handshake: an implicit one on a connection on which nothing was said yet, else one behind
// the server's go-ahead, whose reply the caller has read. The evidence is never nil and is valid beside an error, a
// failed handshake's chain included. After an error the connection is of no more use.
//
// Any version from 1.0 and any cipher suite is accepted, and no certificate is refused: those are findings.
func (c *Conn) StartTLS(ctx context.Context) (*TLS, error) {
	if t := c.handshaken; t != nil {
		c.handshaken = nil
		return t, nil
	}
	return c.startTLS(ctx)
}

func newTLS() *TLS {
	return &TLS{Mode: modeSTARTTLS, LeftoverPlaintext: []byte{}}
}

func (c *Conn) startTLS(ctx context.Context) (*TLS, error) {
	t := newTLS()
	if !c.talked.Load() {
		t.Mode = modeImplicit
	} else {
		c.s.mu.Lock()
		c.s.beforeTLS = c.label
		c.s.mu.Unlock()
	}
	err := c.handshake(ctx, t)
	c.logTLS(t, err)
	return t, asError(err)
}

// logTLS takes down how a handshake ended.
func (c *Conn) logTLS(t *TLS, err *Error) {
	e := Event{Conn: c.id, Dir: DirTLS}
	if err != nil {
		t.Error, _ = UTF8([]byte(err.Error()))
		e.Outcome = err.Outcome
		c.err, c.spoiled = err, true
	}
	if err == nil || !c.hungUp.Load() {
		seen := *t // the prober may add to its own
		e.TLS = &seen
		c.s.log.add(e)
	}
	c.secure = err == nil
}

func (c *Conn) handshake(ctx context.Context, t *TLS) *Error {
	if err := c.usable("tls"); err != nil {
		return err
	}
	switch {
	case c.secure:
		return Errorf("tls", OutcomeInternal, "TLS is already spoken")
	case c.datagrams():
		return Errorf("tls", OutcomeInternal, "TLS over UDP is not supported")
	case len(c.Buffered()) > 0:
		return t.leftover(c.Buffered()[:min(len(c.Buffered()), headSize)])
	}
	if rec, ok := c.raw.Conn.(interface{ ReplayTLS() (*TLS, error) }); ok {
		return c.replayed(t, rec.ReplayTLS)
	}

	defer c.until(ctx)()
	c.raw.keep = true
	c.release() // it is empty, and a server takes long to sign
	conn := tls.Client(&c.raw, c.s.tlsConfig(t, c.receiveOnly))
	err := aside(func() error { return t.shake(conn, c.s) })
	return c.handshook(conn, t, err)
}

// shake performs a handshake and takes down what it showed.
func (t *TLS) shake(conn *tls.Conn, s *Session) error {
	err := conn.Handshake() // the context's end comes as a deadline
	state := conn.ConnectionState()
	t.describe(state, err == nil)
	t.judge(state.PeerCertificates, s)
	return err
}

// handshook says how a handshake ended.
func (c *Conn) handshook(conn *tls.Conn, t *TLS, err error) *Error {
	head := c.raw.head
	c.raw.keep, c.raw.head = false, nil

	c.wanted = t.ClientCertificateRequested == Yes
	if err == nil {
		t.ClientCertificateRequested = FactOf(c.wanted)
		c.rw = conn
		return nil
	}
	var notTLS tls.RecordHeaderError
	if errors.As(err, &notTLS) && t.Version == "" && len(head) > 0 {
		// It was still on its way when the go-ahead was read, or the server doesn't speak implicit TLS.
		return t.leftover(head)
	}
	e := c.ioError("tls", err, OutcomeTLS)
	if e.Outcome == OutcomeClosed {
		e.Outcome = OutcomeTLS // the server ended the handshake, which is its answer to it
	}
	return e.unwelcome(c.wanted)
}

// leftover says what came when a handshake was due. Only plaintext is kept.
func (t *TLS) leftover(head []byte) *Error {
	if isRecord(head) {
		return Errorf("tls", OutcomeTLS, "a TLS record of type %d came where a handshake was due", head[0])
	}
	t.LeftoverPlaintext = append(t.LeftoverPlaintext, head...)
	return Errorf("tls", OutcomeTLS, "plaintext came where TLS was due")
}

// isRecord reports whether bytes begin as a TLS record does.
func isRecord(b []byte) bool {
	return len(b) > 1 && changeCipherSpec <= b[0] && b[0] <= heartbeat && b[1] == tls.VersionTLS10>>8
}

// The types of TLS records (RFC 8446 §5.1, RFC 6520 §3), all that lie between these. Neither is a letter.
const (
	changeCipherSpec = 20
	heartbeat        = 24
)

// unwelcome tells an end behind a request for a certificate from others: the server that insists on one ends the connection
// once it sees that there is none, in TLS 1.3 only when the handshake is over for us.
func (e *Error) unwelcome(wanted bool) *Error {
	switch {
	case !wanted || e.Outcome != OutcomeTLS && e.Outcome != OutcomeClosed:
	case e.Op == "tls":
		e.Outcome, e.Err = OutcomeTLS, fmt.Errorf("%w (the server asked for a client certificate)", e.cause())
	default: // how it shows is chance: by an alert, an end, or a reset that took the alert along
		*e = Error{Op: "tls", Outcome: OutcomeTLS, Err: errUnwelcome}
	}
	return e
}

var errUnwelcome = errors.New("the server asked for a client certificate, and ended the connection without one")

// replayed takes the evidence of a recorded handshake.
func (c *Conn) replayed(t *TLS, replay func() (*TLS, error)) *Error {
	seen, err := replay()
	if seen != nil {
		*t = *seen
		if len(t.Chain) == 0 { // recordings of before version 0.1 have empty lists for what wasn't learned
			t.Chain = nil
		}
		if len(t.Versions) == 0 {
			t.Versions = nil
		}
	}
	if err != nil {
		return c.ioError("tls", err, OutcomeTLS)
	}
	return nil
}

func (c *Conn) closeNotify() {
	conn, ok := c.rw.(*tls.Conn)
	if !ok {
		return
	}
	c.raw.setIdle(closeNotifyTime)
	_ = conn.CloseWrite()
}

// tlsConfig is that of one handshake, which t is told of. Data connections may resume.
func (s *Session) tlsConfig(t *TLS, data bool) *tls.Config {
	name := s.target.Name
	if name == "" {
		name = s.target.Addr.Addr().WithZone("").String() // no SNI is sent for an address; it keys the session cache
	}
	cfg := &tls.Config{
		ServerName:         name,
		InsecureSkipVerify: true, // judged by TLS.judge, as evidence
		MinVersion:         tls.VersionTLS10,
		MaxVersion:         tls.VersionTLS13,
		CipherSuites:       allCipherSuites,
		CurvePreferences:   classicGroups,
		Renegotiation:      tls.RenegotiateNever,
		GetClientCertificate: func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
			t.ClientCertificateRequested = Yes
			return new(tls.Certificate), nil // none
		},
	}
	if s.opts.PostQuantum {
		cfg.CurvePreferences = hybridGroups
	}
	if s.opts.Level >= LevelAnonymous {
		// Some FTP servers take a data connection only if it resumes the control connection's session.
		if cfg.ClientSessionCache = s.resumable(); !data {
			cfg.ClientSessionCache = unresumed{cfg.ClientSessionCache}
		}
	}
	return cfg
}

// resumable is the session's cache.
func (s *Session) resumable() tls.ClientSessionCache {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.tlsSessions == nil {
		s.tlsSessions = tls.NewLRUClientSessionCache(1)
	}
	return s.tlsSessions
}

// unresumed is a cache from which nothing is resumed: what a server does in a whole handshake is evidence.
type unresumed struct{ tls.ClientSessionCache }

func (unresumed) Get(string) (*tls.ClientSessionState, bool) { return nil, false }

var (
	classicGroups   = []tls.CurveID{tls.X25519, tls.CurveP256, tls.CurveP384, tls.CurveP521}
	hybridGroups    = append([]tls.CurveID{tls.X25519MLKEM768}, classicGroups...)
	implemented     = append(tls.CipherSuites(), tls.InsecureCipherSuites()...)
	allCipherSuites = func() (ids []uint16) {
		for _, s := range implemented {
			ids = append(ids, s.ID)
		}
		return ids
	}()
)

// suiteName is [tls.CipherSuiteName], which makes the whole table for each name.
func suiteName(id uint16) string {
	for _, s := range implemented {
		if s.ID == id {
			return s.Name
		}
	}
	return tls.CipherSuiteName(id)
}

// describe takes over what a handshake negotiated. Of one that failed the state holds what was reached.
func (t *TLS) describe(st tls.ConnectionState, complete bool) {
	t.Version = versionNames[st.Version]
	if st.CipherSuite != 0 {
		t.CipherSuite = suiteName(st.CipherSuite)
	}
	if st.CurveID != 0 {
		t.KeyExchange = st.CurveID.String()
	}
	if complete {
		t.ALPN = st.NegotiatedProtocol
		t.OCSPStapled, t.SCTs = FactOf(len(st.OCSPResponse) > 0), FactOf(len(st.SignedCertificateTimestamps) > 0)
	}
}
