package rsync

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/handclasp/handclasp/probe"
)

// index returns the place of a module in the evidence, -1 if it has none.
func (k *talk) index(name string) int {
	if i, ok := k.places[name]; ok {
		return i
	}
	return -1
}

// add puts a module behind the others.
func (k *talk) add(name, comment string, listed probe.Fact) {
	m := Module{Listed: listed}
	m.Name, m.Comment = m.text(name), m.text(comment)
	k.e.Modules = append(k.e.Modules, m)
	k.places[name] = len(k.names)
	k.names = append(k.names, name)
}

// text takes a text of the server's over, and notes if it isn't UTF-8.
func (m *Module) text(s string) string {
	clean, lossy := probe.UTF8([]byte(s))
	m.Lossy = m.Lossy || lossy
	return clean
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

// modules asks for each module by its name, as many as there may be, those that the caller named first.
func (k *talk) modules(ctx context.Context, p Prober) error {
	asked := 0
	shared := false // modules share a count of connections, of which ours is one
	order := k.order(p.Modules)
	for n, i := range order {
		if asked >= p.maxModules() || k.connsLeft() <= 0 || !askable(k.names[i]) {
			k.e.ModulesUnasked++
			continue
		}
		asked++
		if shared {
			p.wait(ctx)
		}
		err := k.module(ctx, i)
		if errors.Is(err, probe.OutcomeBusy) && k.entered && p.BusyWait >= 0 && k.connsLeft() > 0 {
			p.wait(ctx)
			err = k.module(ctx, i)
			shared = shared || !errors.Is(err, probe.OutcomeBusy)
		}
		switch {
		case err == nil:
		case noMoreConns(err): // some were used before the prober got the session
			if k.e.Modules[i].Access == "" {
				k.e.ModulesUnasked++
			}
		case errors.Is(err, probe.OutcomeClosed), errors.Is(err, probe.OutcomeBusy):
			k.lost(err, pointer(i)) // the daemon's process for this module ended, and others may do better
		case probe.OutcomeOf(err).Answered():
			return err
		default: // nor would it answer for the next
			for _, i := range order[n:] {
				k.lost(err, pointer(i))
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
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done(): // which the next connection tells
	}
}

// order returns the modules' places, those of the caller's names first, which are added if they weren't listed.
func (k *talk) order(wanted []string) (order []int) {
	unlisted := probe.Unknown
	if k.e.Listing == probe.Yes && !k.e.ModulesTruncated {
		unlisted = probe.No
	}
	first := map[int]bool{}
	for _, name := range wanted {
		if k.index(name) < 0 {
			k.add(name, "", unlisted)
		}
		if i := k.index(name); !first[i] {
			first[i] = true
			order = append(order, i)
		}
	}
	for i := range k.names {
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
func (k *talk) connsLeft() int { return k.s.Limits().Conns - k.opened }

// module asks for one module, and leaves whatever the daemon says.
func (k *talk) module(ctx context.Context, i int) error {
	_, a, asked, err := k.request(ctx, k.names[i]+"\n")
	if !asked {
		return err
	}
	m := &k.e.Modules[i]
	m.Reply, m.Access = m.text(a.end), access(a.end)
	k.entered = k.entered || m.Access == AccessOpen || m.Access == AccessAuth
	if err == nil && m.Access == AccessBusy {
		err = turnedAway("module", a.end)
	}
	return err
}
