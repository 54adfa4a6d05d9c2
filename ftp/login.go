package ftp

import (
	"errors"

	"github.com/handclasp/handclasp/probe"
)

// logins asks how the server takes logins: in cleartext on plain, or on a connection of its own where that is nil,
// and then, where anonymous was not let in, inside TLS on inside. Both are said goodbye to.
func (v *visit) logins(plain, inside *control) error {
	err := v.cleartext(plain)
	if inside == nil {
		return err
	}
	defer inside.Close()
	away := v.away
	if err == nil || away || hungUp(err) {
		if v.e.Anonymous == nil || v.e.Anonymous.Login != probe.Yes {
			_, err = v.anonymous(inside)
		}
		inside.quit()
	}
	if err == nil && away {
		// Some servers let a client have one connection at a time.
		err = v.cleartext(nil)
	}
	return err
}

// cleartext asks without TLS, first by a name that nobody has: the reply to anonymous says nothing of real accounts,
// for vsftpd takes a password for it where it takes none for others. Then it asks for anonymous.
func (v *visit) cleartext(c *control) (err error) {
	fresh := c == nil
	if fresh {
		if c, err = v.reconnect(); err != nil {
			return err
		}
	}
	if !v.asked {
		v.asked, fresh = true, false
		v.e.CleartextReply, err = c.ask(userMadeUp)
		v.e.CleartextLogin = takesPassword(v.e.CleartextReply)
		switch {
		case err != nil && !hungUp(err):
			c.Close()
			return err
		case err != nil, v.e.CleartextReply.Code < 300:
			c.quit() // it is over, or, with 230, somebody is logged in already
			if c, err = v.reconnect(); err != nil {
				return err
			}
			fresh = true
		}
	}
	a, err := v.anonymous(c)
	if !fresh && hungUp(err) && a.UserReply == nil {
		// The server hung up behind its reply to the made-up name.
		c.Close()
		if c, err = v.reconnect(); err != nil {
			return err
		}
		_, err = v.anonymous(c)
	}
	c.quit()
	return err
}

func hungUp(err error) bool { return errors.Is(err, probe.ErrClosed) }

// anonymous logs in as anybody may, and keeps what was learned unless an attempt before it told more.
func (v *visit) anonymous(c *control) (*Anonymous, error) {
	a := &Anonymous{OverTLS: probe.FactOf(c.Secure())}
	before := v.e.Anonymous
	v.e.Anonymous = a
	err := v.logIn(c, a)
	if before != nil && (certainty(before) > certainty(a) || a.UserReply == nil) {
		v.e.Anonymous = before
	}
	return a, err
}

// certainty orders attempts by how far they came: of two refusals the one of a password says more.
func certainty(a *Anonymous) int {
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

// logIn is the only place from which PASS is sent: behind a 331 to USER anonymous.
func (v *visit) logIn(c *control, a *Anonymous) (err error) {
	a.UserReply, err = c.ask(userAnonymous)
	last := a.UserReply
	if err == nil && last.Is(331) {
		a.PassReply, err = c.ask(v.pass)
		last = a.PassReply
	}
	if err != nil {
		return err
	}
	if a.Login = admits(last); a.Login != probe.Yes {
		return nil
	}
	reply, err := c.ask("PWD")
	a.Directory = parseDirectory(reply)
	if err == nil && v.reserved {
		err = v.system(c)
	}
	if err == nil && c.Secure() && v.e.ProtectsData == probe.Unknown {
		err = v.protect(c)
	}
	if err == nil && v.s.Level() >= probe.LevelAnonymous {
		err = v.list(c, a)
	}
	return err
}
