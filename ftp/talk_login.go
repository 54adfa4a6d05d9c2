package ftp

import (
	"cmp"
	"slices"

	"github.com/handclasp/handclasp/internal/textline"
	"github.com/handclasp/handclasp/probe"
)

// logins asks how the server takes logins, on c or, if that is nil, on a connection of its own. Without TLS it asks first by a
// name that nobody has: the reply to anonymous says nothing of real accounts, for vsftpd takes a password for it if it
// takes none for others.
func (t *talk) logins(c *textline.Conn) (err error) {
	if !t.s.ImplicitTLS() {
		if c, err = t.stranger(c); err != nil {
			return err
		}
	}
	return t.anonymous(c)
}

// loginsBeside asks in cleartext on connections of their own, and inside TLS on secure if anonymous wasn't let in before.
func (t *talk) loginsBeside(secure *textline.Conn) error {
	err := t.logins(nil)
	away := turnedAway(err) && t.e.CleartextReply == nil
	switch {
	case over(err):
		return err
	case t.e.Anonymous.Login == probe.Yes:
		err = cmp.Or(secure.Leave(), err)
	default:
		err = t.anonymous(secure)
	}
	if away && !over(err) { // some servers let a client have one connection at a time
		err = cmp.Or(t.logins(nil), err)
	}
	return err
}

// stranger asks by the made-up name, and returns the connection if the server goes on listening there.
func (t *talk) stranger(c *textline.Conn) (_ *textline.Conn, err error) {
	if c == nil {
		if c, err = t.reconnect(); err != nil {
			return nil, err
		}
	}
	reply, err := t.ask(c, "cleartext_login", t.madeUp(), takenUser...)
	t.e.CleartextReply, t.e.CleartextLogin = reply, takesPassword(reply)
	switch {
	case over(err):
		return nil, err
	case err != nil:
		t.early = cmp.Or(t.early, err)
		_ = c.Close()
		return nil, nil
	case reply.Code < 300: // somebody is logged in already
		return nil, c.Leave()
	}
	return c, nil
}

// anonymous logs in as anybody may, on c or, if that is nil, on a connection of its own, and says goodbye.
func (t *talk) anonymous(c *textline.Conn) (err error) {
	second := c != nil && !c.Secure() // behind the made-up name
	if c == nil {
		if c, err = t.reconnect(); err != nil {
			return err
		}
	}
	a, err := t.logIn(c)
	if over(err) {
		return err
	}
	again := second && t.spoiled(a, err)
	if again {
		a.Login = probe.Unknown
	}
	t.keep(a, err)
	if err == nil {
		err = c.Leave()
	}
	_ = c.Close()
	if again && !over(err) {
		return t.anonymous(nil)
	}
	return err
}

// spoiled reports whether what came of a USER may be due to the one before it on its connection: some servers hang up behind
// that, and some have one name for a connection and refuse a second.
func (t *talk) spoiled(a Anonymous, err error) bool {
	if a.UserReply == nil {
		return err != nil
	}
	return t.e.CleartextReply.Is(331, 332, 336) && a.PassReply == nil && a.UserReply.Code >= 400 && !wantsTLS(a.UserReply.Text())
}

// keep keeps what was learned of an attempt unless one before it told more.
func (t *talk) keep(a Anonymous, err error) {
	before := t.e.Anonymous
	if before == (Anonymous{}) || a.UserReply != nil && certainty(a) >= certainty(before) {
		t.e.Anonymous, t.login = a, err
	}
}

// certainty orders attempts by how far they came: of two refusals the one of a password says more.
func certainty(a Anonymous) int {
	switch {
	case a.Login == probe.Yes:
		return 3
	case a.Login == probe.No && a.PassReply != nil:
		return 2
	case a.Login == probe.No:
		return 1
	}
	return 0
}

// Codes that answer USER and PASS, beside refusals (RFC 959 §5.4, RFC 2228 §5.4).
var (
	takenUser = []int{230, 232, 331, 332, 336}
	takenPass = []int{202, 230, 232, 332}
)

// logIn is the only place from which PASS is sent: behind a 331 to USER anonymous.
func (t *talk) logIn(c *textline.Conn) (a Anonymous, err error) {
	if a.UserReply, err = t.ask(c, "", userAnonymous, takenUser...); a.UserReply != nil {
		a.OverTLS = probe.FactOf(c.Secure())
	}
	last := a.UserReply
	if err == nil && last.Is(331) {
		a.PassReply, err = t.ask(c, "", t.password(), takenPass...)
		last = a.PassReply
	}
	if err != nil {
		return a, err
	}
	if a.Login = admits(last); a.Login == probe.Yes {
		err = t.visit(c, &a)
	}
	return a, err
}

const userAnonymous = "USER anonymous"

// visit looks around as anonymous, and asks again what was refused before the login.
func (t *talk) visit(c *textline.Conn, a *Anonymous) error {
	reply, err := t.ask(c, "anonymous/directory", "PWD", 257)
	a.Directory = parseDirectory(reply)
	features := "features"
	if c.Secure() {
		features = "features_after_tls"
	}
	if err == nil && slices.Contains(t.refused, features) {
		err = t.features(c)
	}
	if err == nil && slices.Contains(t.refused, "system") {
		err = t.system(c)
	}
	if err == nil && c.Secure() && t.e.ProtectsData == probe.Unknown {
		err = t.protect(c)
	}
	if err == nil && t.s.Level() >= probe.LevelAnonymous {
		err = t.list(c, a)
	}
	return err
}

// sum returns what a conversation ended with, by what its logins ended with, and notes what of them stayed unanswered.
func (t *talk) sum(err error) error {
	if over(err) {
		return err
	}
	if t.e.CleartextReply == nil && !t.s.ImplicitTLS() {
		t.Lost("cleartext_login", err)
	}
	if a := &t.e.Anonymous; a.Login == probe.No && a.OverTLS == probe.No && t.e.AuthTLS != probe.No {
		a.Login = probe.Unknown // inside TLS, where that wasn't answered, it may be otherwise
	}
	if t.e.Anonymous.Login == probe.Unknown {
		t.Lost("anonymous", cmp.Or(t.login, err, t.early))
	}
	return cmp.Or(t.early, err)
}
