package ftp

import (
	"bytes"
	"errors"
	"io"
	"strings"

	"github.com/jlaffaye/ftp"

	"github.com/handclasp/handclasp/internal/textline"
	"github.com/handclasp/handclasp/probe"
)

// listForPeople has the library send PASV (or EPSV) and LIST, and read the dialect of the answer. It is given a
// connection that is logged in, so that it sends nothing else; the guard lets nothing else pass. It can't be used for
// MLSD, which it asks for only after a login of its own.
func (v *visit) listForPeople(c *control, a *Anonymous) error {
	before := len(v.s.Transcript())
	entries, err := v.libraryList(c)
	said := v.s.Transcript()[before:]

	received := dataReceived(said)
	if addr, ok := passiveReply(said); ok {
		a.PassiveAddress = addr
	}
	if len(received) == 0 && err != nil {
		return err
	}
	a.Listing = &Listing{Entries: []Entry{}, Truncated: len(entries) > maxEntries}
	lines := bytes.Split(received, []byte("\n"))
	for _, e := range entries[:min(len(entries), maxEntries)] {
		if e.Name == ".." {
			continue
		}
		var line []byte
		line, lines = lineOf(e.Name, lines)
		a.Listing.Entries = append(a.Listing.Entries, describe(e, line))
	}
	return err
}

func (v *visit) libraryList(c *control) (entries []*ftp.Entry, err error) {
	defer func() {
		if p := recover(); p != nil {
			// It slices replies by the positions of their brackets, in whichever order these come.
			err = probe.Errorf("listing", probe.OutcomeMalformed, "a reply that the library can't read: %v", p)
		}
	}()
	// The greeting is not the server's; the library must not wait for the one that was read long ago.
	dial := v.s.LibraryDial(v.ctx, c.Conn, "220 logged in\r\n", v.protected(c))
	ipv4 := v.s.Target().Addr.Addr().Is4()
	client, err := ftp.Dial(v.s.Target().Addr.String(), ftp.DialWithDialFunc(dial), ftp.DialWithDisabledEPSV(ipv4))
	if err != nil {
		return nil, libraryError(err)
	}
	entries, err = client.List("")
	return entries, libraryError(err)
}

// libraryError finds out what went wrong in the library, which joins the errors of both connections.
func libraryError(err error) error {
	if err == nil {
		return nil
	}
	errs := []error{err}
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		errs = joined.Unwrap()
	}
	var soft error
	for _, err := range errs {
		switch err := classify(err); {
		case err == nil:
		case !errors.As(err, new(declined)):
			return err
		case soft == nil:
			soft = err
		}
	}
	return soft
}

func classify(err error) error {
	var e *probe.Error
	switch {
	case errors.As(err, &e) && e.Err == io.ErrUnexpectedEOF:
		return nil // many servers end TLS by closing; the reply to LIST says whether all came
	case errors.As(err, &e):
		return softened(e)
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return &probe.Error{Op: "listing", Outcome: probe.OutcomeClosed, Err: err}
	}
	code, _, _ := textline.ParseLine([]byte(err.Error())) // a reply is the library's error
	if code >= 400 {
		return declined{probe.Errorf("listing", probe.OutcomeRefused, "%s", clip([]byte(err.Error())))}
	}
	return probe.Errorf("listing", probe.OutcomeMalformed, "%s", clip([]byte(err.Error())))
}

// dataReceived returns what came on the data connection.
func dataReceived(t probe.Transcript) (data []byte) {
	conn := 0
	for _, e := range t {
		switch {
		case e.Dir == probe.DirOpen && e.Outcome == "":
			conn, data = e.Conn, nil
		case e.Dir == probe.DirRecv && e.Conn == conn:
			data = append(data, e.Data...)
		}
	}
	return data
}

// passiveReply returns the address in the 227 reply.
func passiveReply(t probe.Transcript) (addr string, ok bool) {
	for _, e := range t {
		if e.Dir == probe.DirOpen {
			break
		}
		if text, found := bytes.CutPrefix(e.Data, []byte("227 ")); found && e.Dir == probe.DirRecv {
			if ap, ok := parsePassive(string(text)); ok {
				return ap.Addr().String(), true
			}
		}
	}
	return "", false
}

// lineOf returns the line that names an entry, and those after it. The library keeps their order.
func lineOf(name string, lines [][]byte) (line []byte, rest [][]byte) {
	for i, line := range lines {
		line = bytes.TrimRight(line, "\r")
		if bytes.HasSuffix(line, []byte(name)) || bytes.Contains(line, []byte(name+" -> ")) {
			return line, lines[i+1:]
		}
	}
	return nil, lines
}

func describe(e *ftp.Entry, line []byte) Entry {
	entry := Entry{Type: TypeOther}
	entry.Name, entry.Lossy = probe.UTF8([]byte(e.Name))
	switch e.Type {
	case ftp.EntryTypeFile:
		entry.Type = TypeFile
		if size := int64(e.Size); size >= 0 {
			entry.Size = &size
		}
	case ftp.EntryTypeFolder:
		entry.Type = TypeDirectory
		if strings.Trim(e.Name, "/") == "." {
			entry.Type = TypeCurrent
		}
	case ftp.EntryTypeLink:
		entry.Type = TypeLink
	}
	entry.Permissions, entry.Modified = parseListLine(line)
	entry.Writable = modeWritable(entry.Permissions)
	return entry
}
