package ftp

import (
	"errors"
	"io"

	"github.com/handclasp/handclasp/internal/textline"
	"github.com/handclasp/handclasp/probe"
)

// maxEntries is how much of a listing is kept: enough to show what an anonymous visitor finds.
const maxEntries = 1000

// A declined listing is the server's answer, or its firewall's, and no failure of the probe.
type declined struct{ error }

// list lists the working directory: for machines where the server offers it, since only that tells what the visitor
// may do, and else by the library, which knows the dialects of LIST.
func (v *visit) list(c *control, a *Anonymous) error {
	features := v.e.Features
	if c.Secure() {
		features = v.e.FeaturesAfterTLS
	}
	var err error
	if hasFeature(features, "MLST") { // announces MLSD as well (RFC 3659 §7.8)
		err = v.listForMachines(c, a)
	} else {
		err = v.listForPeople(c, a)
	}
	if err == nil {
		return nil
	}
	a.ListingError, _ = probe.UTF8([]byte(err.Error()))
	if a.Listing != nil {
		a.Listing.Truncated = true
	}
	if errors.As(err, new(declined)) {
		return nil
	}
	c.broken = true
	return err
}

// protected reports whether data connections are encrypted.
func (v *visit) protected(c *control) bool { return c.Secure() && v.e.ProtectsData == probe.Yes }

// listForMachines reads what MLSD gives (RFC 3659 §7).
func (v *visit) listForMachines(c *control, a *Anonymous) error {
	port, err := v.passive(c, a)
	if err != nil {
		return err
	}
	data, err := v.s.OpenPort(v.ctx, port)
	if err != nil {
		return softened(err)
	}
	defer data.Close()
	if err := c.send("MLSD"); err != nil {
		return err
	}
	reply, err := textline.ReadReply(c, textline.FirstAndLast, c.maxLines)
	if err != nil {
		return err
	}
	if !reply.Is(125, 150) {
		return refusal(reply)
	}
	a.Listing = &Listing{Entries: []Entry{}}
	err = v.receive(data, v.protected(c), a.Listing)
	data.Close()
	if err != nil && !errors.As(err, new(declined)) {
		return err
	}
	end, endErr := c.reply()
	switch {
	case endErr != nil:
		return endErr
	case err == nil && !end.Is(226, 250) && !a.Listing.Truncated:
		err = refusal(end)
	}
	return err
}

// receive reads a data connection to its end, or up to the last entry that is kept.
func (v *visit) receive(data *probe.Conn, protected bool, l *Listing) error {
	if protected {
		if _, err := data.StartTLS(v.ctx); err != nil {
			return softened(err)
		}
	}
	for {
		line, err := data.ReadLine()
		if entry, ok := parseMachineLine(line); ok {
			if len(l.Entries) == maxEntries {
				l.Truncated = true
				return nil
			}
			l.Entries = append(l.Entries, entry)
		}
		switch {
		case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF): // many servers end TLS by closing
			return nil
		case err != nil:
			return softened(err)
		}
	}
}

// passive asks for a port to fetch data from. Its host is this server, whatever address it names.
func (v *visit) passive(c *control, a *Anonymous) (port uint16, err error) {
	if v.s.Target().Addr.Addr().Is6() {
		reply, err := c.ask("EPSV")
		if err != nil {
			return 0, err
		}
		if port, ok := parseExtendedPassive(reply.Text()); ok && reply.Is(229) {
			return port, nil
		}
		return 0, refusal(reply)
	}
	reply, err := c.ask("PASV")
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
		return declined{probe.Errorf("listing", probe.OutcomeRefused, "%d %s", r.Code, clip([]byte(r.Text())))}
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
		return declined{err}
	case probe.OutcomeTimeout:
		if e.Op == "dial" {
			return declined{err}
		}
	}
	return err
}
