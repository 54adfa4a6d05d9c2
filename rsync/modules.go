package rsync

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/handclasp/handclasp/probe"
)

// index returns the place of a module in the evidence, -1 if it has none.
func (t *talk) index(name string) int {
	if i, ok := t.places[name]; ok {
		return i
	}
	return -1
}

// add puts a module behind the others.
func (t *talk) add(name, comment string, listed probe.Fact) {
	m := Module{Listed: listed}
	m.Name, m.Comment = m.text(name), m.text(comment)
	t.e.Modules = append(t.e.Modules, m)
	t.places[name] = len(t.names)
	t.names = append(t.names, name)
}

// text takes a text of the server's over, and notes if it isn't UTF-8.
func (m *Module) text(s string) string {
	clean, lossy := probe.UTF8([]byte(s))
	m.Lossy = m.Lossy || lossy
	return clean
}

// rows takes over the rows of the list, each module once.
func (t *talk) rows(rows []string) {
	for _, row := range rows {
		name, comment, ok := parseRow(row)
		if !ok || t.index(name) >= 0 {
			t.e.MalformedRows++
			continue
		}
		t.add(name, comment, probe.Yes)
	}
}

// modules asks for each module by its name, as many as there may be, those that the caller named first.
func (t *talk) modules(ctx context.Context) error {
	asked := 0
	shared := false // modules share a count of connections, of which ours is one
	order := t.order(t.p.Modules)
	for n, i := range order {
		if asked >= t.p.maxModules() || t.connsLeft() <= 0 || !askable(t.names[i]) {
			t.e.ModulesUnasked++
			continue
		}
		asked++
		if shared {
			t.p.wait(ctx)
		}
		err := t.module(ctx, i)
		if errors.Is(err, probe.OutcomeBusy) && t.entered && t.p.BusyWait >= 0 && t.connsLeft() > 0 {
			t.p.wait(ctx)
			err = t.module(ctx, i)
			shared = shared || !errors.Is(err, probe.OutcomeBusy)
		}
		switch {
		case err == nil:
		case noMoreConns(err): // some were used before the prober got the session
			if t.e.Modules[i].Access == "" {
				t.e.ModulesUnasked++
			}
		case errors.Is(err, probe.OutcomeClosed), errors.Is(err, probe.OutcomeBusy):
			t.lost(err, pointer(i)) // the daemon's process for this module ended, and others may do better
		case probe.OutcomeOf(err).Answered():
			return err
		default: // nor would it answer for the next
			for _, i := range order[n:] {
				t.lost(err, pointer(i))
			}
			return err
		}
	}
	return nil
}

// pointer names who may enter a module.
func pointer(i int) string { return fmt.Sprintf("/evidence/modules/%d/access", i) }

func noMoreConns(err error) bool {
	var limit *probe.LimitError
	return errors.As(err, &limit) && limit.Limit == "Conns"
}

// wait lets a daemon notice that a connection has ended.
func (p Prober) wait(ctx context.Context) {
	d := p.BusyWait
	if d == 0 {
		d = defaultBusyWait
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done(): // which the next connection tells
	}
}

// order returns the modules' places, those of the caller's names first, which are added if they weren't listed.
func (t *talk) order(wanted []string) (order []int) {
	unlisted := probe.Unknown
	if t.e.Listing == probe.Yes && !t.e.ModulesTruncated {
		unlisted = probe.No
	}
	first := map[int]bool{}
	for _, name := range wanted {
		if t.index(name) < 0 {
			t.add(name, "", unlisted)
		}
		if i := t.index(name); !first[i] {
			first[i] = true
			order = append(order, i)
		}
	}
	for i := range t.names {
		if !first[i] {
			order = append(order, i)
		}
	}
	return order
}

func (p Prober) maxModules() int {
	if p.MaxModules <= 0 {
		return defaultMaxModules
	}
	return p.MaxModules
}

// connsLeft is how many connections there may still be.
func (t *talk) connsLeft() int { return t.s.Limits().Conns - t.opened }

// module asks for one module, and leaves whatever the daemon says.
func (t *talk) module(ctx context.Context, i int) error {
	_, a, asked, err := t.request(ctx, t.names[i]+"\n")
	if !asked {
		return err
	}
	m := &t.e.Modules[i]
	m.Reply, m.Access = m.text(a.end), access(a.end)
	t.entered = t.entered || m.Access == AccessOpen || m.Access == AccessAuth
	if err == nil && m.Access == AccessBusy {
		err = turnedAway("module", a.end)
	}
	return err
}
