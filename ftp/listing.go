package ftp

import (
	"errors"
	"io"

	"github.com/handclasp/handclasp/internal/textline"
	"github.com/handclasp/handclasp/probe"
)

// A declined listing is the server's answer, or its firewall's, and no failure of the probe.
type declined struct {
	error
	reply *probe.Reply // that declined; nil if it was none
}

func (d declined) Unwrap() error { return d.error }

// refused reports whether a command was declined by a server that goes on listening.
func refused(err error) bool {
	var d declined
	return errors.As(err, &d) && d.reply != nil && !d.reply.Is(421)
}

// list lists the working directory: by MLSD if the server offers it, since only that tells what the visitor may do,
// and by LIST if it doesn't, or refuses it.
func (t *talk) list(c *textline.Conn, a *Anonymous) error {
	features := t.e.Features
	if c.Secure() {
		features = t.e.FeaturesAfterTLS
	}
	machine := hasFeature(features, "MLST") // announces MLSD as well (RFC 3659 §7.8)
	err := t.listBy(c, a, machine)
	if machine && a.Listing == nil && refused(err) {
		err = t.listBy(c, a, false)
	}
	if err == nil {
		return nil
	}
	a.ListingError, _ = probe.UTF8([]byte(err.Error()))
	if a.Listing != nil {
		a.Listing.Truncated = true
	}
	var d declined
	isDeclined := errors.As(err, &d)
	if d.reply == nil || d.reply.Code < 500 { // else it is an answer
		t.Lost("anonymous/listing", err)
	}
	if isDeclined {
		return nil
	}
	return err
}

// listBy asks for a listing and takes it from a data connection. The two run side by side: servers begin the transfer,
// or its TLS handshake, before they answer or behind it, and answer before its end or behind that.
func (t *talk) listBy(c *textline.Conn, a *Anonymous, machine bool) error {
	a.ListingReply = nil
	port, err := t.passive(c, a)
	if err != nil {
		return err
	}
	data, err := t.s.OpenPort(t.ctx, port)
	if err != nil {
		return softened(err)
	}
	defer data.Close()
	command := "LIST"
	if machine {
		command = "MLSD"
	}
	if err := c.Send(command); err != nil {
		return err
	}
	var d declined
	if a.Listing, err = t.transfer(c, data, newRows(machine)); a.Listing == nil && errors.As(err, &d) {
		a.ListingReply = d.reply
	}
	return err
}

// transfer returns the listing if it came, in part beside an error.
func (t *talk) transfer(c *textline.Conn, data *probe.Conn, rows *rows) (*Listing, error) {
	end := data.Beside(func() error { return t.receive(data, c, rows) })
	defer end(true)
	reply, err := c.Next()
	if err == nil && !reply.Is(125, 150, 226, 250) {
		return nil, refusal(reply)
	}
	// A server that hangs up may have sent all before. From one that fell silent no more is awaited.
	received := end(err != nil && !errors.Is(err, probe.OutcomeClosed))
	if err == nil && reply.Code < 200 && (received == nil || errors.As(received, new(declined))) {
		data.Close()
		reply, err = c.Reply()
	}
	switch {
	case err != nil:
	case received != nil:
		err = received
	case !reply.Is(226, 250) && !rows.l.Truncated:
		err = refusal(reply)
	}
	if err != nil && len(rows.l.Entries) == 0 && rows.l.Unparsed == 0 {
		return nil, err
	}
	return rows.l, err
}

// receive reads a data connection to its end, or up to the last row that is wanted.
func (t *talk) receive(data *probe.Conn, c *textline.Conn, rows *rows) error {
	if c.Secure() && t.e.ProtectsData == probe.Yes {
		if _, err := data.StartTLS(t.ctx); err != nil {
			return softened(err)
		}
	}
	for {
		line, err := data.ReadLine()
		ended := errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) // many servers end TLS by closing
		if err == nil || ended && len(line) > 0 {
			if !rows.add(line) {
				return nil
			}
		}
		if err != nil {
			rows.end()
		}
		switch {
		case ended:
			return nil
		case err != nil:
			return softened(err)
		}
	}
}

// passive asks for a port to fetch data from: by PASV over IPv4, whose reply shows an address, by EPSV over IPv6, and by
// the other if that is refused. The port's host is this server, whatever address it names.
func (t *talk) passive(c *textline.Conn, a *Anonymous) (port uint16, err error) {
	first, second := t.pasv, t.epsv
	if t.s.Target().Addr.Addr().Is6() {
		first, second = second, first
	}
	if port, err = first(c, a); !refused(err) {
		return port, err
	}
	port, again := second(c, a)
	if errors.As(again, new(declined)) {
		return 0, err // what was asked first
	}
	return port, again
}

func (t *talk) epsv(c *textline.Conn, _ *Anonymous) (port uint16, err error) {
	reply, err := t.ask(c, "", "EPSV", 229)
	if err != nil {
		return 0, err
	}
	if port, ok := parseExtendedPassive(reply.Text()); ok && reply.Is(229) {
		return port, nil
	}
	return 0, refusal(reply)
}

func (t *talk) pasv(c *textline.Conn, a *Anonymous) (port uint16, err error) {
	reply, err := t.ask(c, "", "PASV", 227)
	if err != nil {
		return 0, err
	}
	addr, ok := parsePassive(reply.Text())
	if !ok || !reply.Is(227) {
		return 0, refusal(reply)
	}
	a.PassiveAddress = addr.Addr().String()
	return addr.Port(), nil
}

// refusal is what a reply in place of a listing means.
func refusal(r *probe.Reply) error {
	if r.Code >= 400 {
		o := probe.OutcomeBusy
		if r.Code >= 500 {
			o = probe.OutcomeRefused
		}
		return declined{probe.Errorf("listing", o, "%d %s", r.Code, clip([]byte(r.Text()))), r}
	}
	return probe.Errorf("listing", probe.OutcomeMalformed, "%d %s", r.Code, clip([]byte(r.Text())))
}

// softened declares the failures of a data connection that stand in its way and not in that of the probe, such as a
// firewall's. What was cut by a limit or a caller, and a server that fell silent, stay as they are.
func softened(err error) error {
	var e *probe.Error
	if !errors.As(err, &e) {
		return err
	}
	switch e.Outcome {
	case probe.OutcomeRefused, probe.OutcomeUnreachable, probe.OutcomeClosed, probe.OutcomeTLS, probe.OutcomeForbidden:
		return declined{error: err}
	case probe.OutcomeTimeout:
		if e.Op == "dial" {
			return declined{error: err}
		}
	}
	return err
}
