package ftp

import (
	"context"

	"github.com/handclasp/handclasp/internal/textline"
	"github.com/handclasp/handclasp/probe"
)

// A visit is the state of one probe.
type visit struct {
	ctx   context.Context
	s     *probe.Session
	e     *Evidence
	pass  string // the command PASS, for anonymous only
	auth  string // the AUTH command that was granted
	asked bool   // whether the made-up name was sent
	away  bool   // whether the server turned away another connection

	reserved bool // whether SYST is for those who logged in
}

// A control is a control connection.
type control struct {
	*probe.Conn
	maxLines int
	broken   bool // an error ended its use
	line     []byte
}

func (v *visit) control(c *probe.Conn) *control {
	return &control{Conn: c, maxLines: v.s.Limits().ReplyLines}
}

// connect opens a connection and reads its greeting, inside TLS where that comes first. The connection is closed
// where an error is returned.
func (v *visit) connect(greeting **probe.Reply) (*control, error) {
	raw, err := v.s.Open(v.ctx)
	if err != nil {
		return nil, err
	}
	if v.s.ImplicitTLS() {
		if v.e.TLS, err = raw.StartTLS(v.ctx); err != nil {
			raw.Close()
			if r := textline.Parse(v.e.TLS.LeftoverPlaintext, textline.FirstAndLast); r.Is(120, 220, 421, 530) && !isForeign(r) {
				*greeting, v.e.ImplicitTLS = r, probe.No // it doesn't speak TLS here, or not now
			}
			return nil, err
		}
		v.e.ImplicitTLS = probe.Yes
	}
	c := v.control(raw)
	if *greeting, err = c.reply(); *greeting != nil && v.e.ImplicitTLS == probe.Unknown {
		v.e.ImplicitTLS = probe.No
	}
	if reply := *greeting; err == nil && (reply.Code < 400 && reply.Code != 220 || isForeign(reply)) {
		err = probe.Errorf("greeting", probe.OutcomeNotProtocol, "%d %s", reply.Code, clip([]byte(reply.Text())))
	}
	if err != nil {
		c.Close()
		return nil, err
	}
	return c, nil
}

// reconnect opens one more connection in cleartext. Where the server doesn't want it, v.away is set.
func (v *visit) reconnect() (*control, error) {
	var greeting *probe.Reply
	c, err := v.connect(&greeting)
	if err == nil && !greeting.Is(220) {
		c.Close()
		err = turnedAway(greeting)
	}
	v.away = err != nil
	return c, err
}

func turnedAway(reply *probe.Reply) error {
	return probe.Errorf("reconnect", probe.OutcomeClosed, "the server turned a further connection away: %d %s", reply.Code, clip([]byte(reply.Text())))
}

// ReadLine is that of the connection, without what Telnet put before the line.
func (c *control) ReadLine() ([]byte, error) {
	line, err := c.Conn.ReadLine()
	return skipTelnet(line), err
}

func (c *control) reply() (*probe.Reply, error) {
	reply, err := readFinal(c, c.maxLines)
	if err != nil {
		c.broken = true
	}
	return reply, err
}

// ask sends a command and reads the reply to it. It may be returned in part beside an error.
func (c *control) ask(command string) (*probe.Reply, error) {
	if err := c.send(command); err != nil {
		return nil, err
	}
	reply, err := c.reply()
	return reply, textline.Malformed(err)
}

func (c *control) send(command string) error {
	c.line = append(append(c.line[:0], command...), "\r\n"...)
	err := c.Send(c.line)
	if err != nil {
		c.broken = true
	}
	return err
}

// quit says goodbye. Nothing is learned from it, so that no failure of it counts.
func (c *control) quit() {
	if !c.broken {
		_, _ = c.ask("QUIT")
	}
	c.Close()
}
