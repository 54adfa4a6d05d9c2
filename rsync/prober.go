package rsync

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/handclasp/handclasp/probe"
)

// Prober asks rsync daemons. Its zero value is ready for use; the fields go beyond the levels or bound them.
type Prober struct {
	// Modules are names to ask for at [probe.LevelAnonymous] that need not be in the list: those of modules that are
	// hidden by "list = no". They come before the listed ones. A name that no module can have ends the probe with
	// [probe.OutcomeForbidden].
	Modules []string
	// MaxModules is how many modules are asked at [probe.LevelAnonymous], each on a connection of its own; 0 or less
	// means 10. Limits.Conns bounds it too, of which two are used before.
	MaxModules int
	// BusyWait is the time before a module that says that it is busy is asked once more, where the probe may be why:
	// modules share one count of connections unless each has a lock file of its own, and rsync takes 0.1 s to end one
	// that was left. 0 means 0.5 s; a negative time takes the first answer for the last.
	BusyWait time.Duration
	// Versions learns which versions of TLS are accepted on a port for implicit TLS, with one more connection for each:
	// Evidence.TLS.Versions.
	Versions bool
}

const (
	defaultMaxModules = 10
	defaultBusyWait   = 500 * time.Millisecond
)

// Grab probes one daemon, such as "192.0.2.7:873". The evidence is valid, if partial, beside an error.
func Grab(ctx context.Context, addr string, o *probe.Options) (*Evidence, error) {
	return probe.Grab[*Evidence](ctx, Prober{}, addr, o)
}

// Spec implements [probe.Prober].
func (p Prober) Spec() probe.Spec {
	return probe.Spec{
		Protocol: protocol,
		// RFC 5781 has 873; 874 is where rsync-ssl looks for TLS.
		Ports:    []probe.Port{{Network: probe.TCP, Number: 873}, {Network: probe.TCP, Number: 874, ImplicitTLS: true}},
		Guard:    newGuard,
		Evidence: func() probe.Evidence { return newEvidence() },
	}
}

// Probe implements [probe.Prober].
func (p Prober) Probe(ctx context.Context, s *probe.Session) (probe.Evidence, error) {
	e := newEvidence()
	s.Keep(e)
	for _, name := range p.Modules {
		if !askable(name) {
			return e, probe.Errorf("modules", probe.OutcomeForbidden, "no module can have the name %q", name[:min(len(name), 64)])
		}
	}
	k := &talk{s: s, e: e}
	err := k.converse(ctx, p)
	if err == nil && p.Versions && s.ImplicitTLS() {
		err = s.AcceptedVersions(ctx, e.TLS, func() (*probe.Conn, error) { return s.Open(ctx) })
	}
	return e, err
}

// converse asks for the message of the day, the list, and the modules.
func (k *talk) converse(ctx context.Context, p Prober) error {
	goOn, err := k.message(ctx)
	if err != nil || !goOn {
		return err
	}
	if err := k.list(ctx); err != nil || k.s.Level() < probe.LevelAnonymous {
		return err
	}
	return k.modules(ctx, p)
}

// message reads the greeting and, by asking for a module that doesn't exist, the message of the day. It reports whether
// to go on.
func (k *talk) message(ctx context.Context) (goOn bool, err error) {
	c, err := k.open(ctx)
	if err != nil {
		return false, err
	}
	defer c.Close()
	g, refusal, err := k.greeting(c)
	k.e.Error = k.e.text(refusal)
	if err != nil || refusal != "" || k.s.Level() < probe.LevelHandshake {
		return false, err
	}
	random, err := k.s.RandomName(madeUpRandom)
	if err != nil {
		return false, err
	}
	name := madeUpPrefix + random
	var begin string
	a, err := ask(c, g, name+"\n", k.s.Limits().ReplyLines, func(_ int, line string) string {
		if message, rest, ok := glued(line, name); ok {
			begin = message
			return rest
		}
		return line
	})
	if err != nil {
		return false, err
	}
	if a.more {
		return false, &probe.Error{Op: "motd", Outcome: probe.OutcomeLimit, Err: &probe.LimitError{Limit: "ReplyLines", Value: k.s.Limits().ReplyLines}}
	}
	k.motd = message{a.lines, begin}
	k.e.MOTD = k.e.text(k.motd.text())
	k.e.AbsentReply, k.e.AbsentAccess = k.e.text(a.end), access(a.end)
	return true, nil
}

// list reads the list of modules.
func (k *talk) list(ctx context.Context) error {
	c, err := k.open(ctx)
	if err != nil {
		return err
	}
	defer c.Close()
	g, refusal, err := k.greeting(c)
	if err != nil {
		return err
	}
	a := answer{end: refusal}
	if refusal == "" {
		a, err = ask(c, g, requestList, len(k.motd.lines)+k.s.Limits().ReplyLines, k.motd.strip)
	}
	if strings.HasPrefix(a.end, prefixError) {
		k.e.Listing, k.e.Error = probe.No, k.e.text(a.end)
		return err
	}
	rows, ok := k.motd.cut(a.lines)
	k.rows(rows)
	if errors.Is(err, probe.ErrClosed) && g.version < exitVersion {
		err, a.end = nil, lineExit
	}
	switch {
	case err != nil:
		return err
	case !ok:
		return probe.Errorf("list", probe.OutcomeMalformed, "the message of the day changes, so that it can't be told from the list")
	case a.end != lineExit && !a.more:
		return probe.Errorf("list", probe.OutcomeMalformed, "%q is no end of a list", a.end[:min(len(a.end), 64)])
	}
	k.e.Listing, k.e.ModulesTruncated = probe.Yes, a.more
	return nil
}

// rows takes over the rows of the list, each module once.
func (k *talk) rows(rows []string) {
	for _, row := range rows {
		name, comment, ok := parseRow(row)
		if !ok || k.index(name) >= 0 {
			k.e.MalformedRows++
			continue
		}
		k.add(name, comment, probe.Yes)
	}
}
