package rsync

import (
	"context"
	"errors"
	"slices"

	"github.com/handclasp/handclasp/probe"
)

// index returns where a module stands in the evidence, -1 where it doesn't.
func (k *talk) index(name string) int { return slices.Index(k.names, name) }

// add puts a module behind the others.
func (k *talk) add(name, comment string, listed probe.Fact) {
	m := Module{Listed: listed}
	m.Name, m.Comment = m.text(name), m.text(comment)
	k.e.Modules = append(k.e.Modules, m)
	k.names = append(k.names, name)
}

// text takes a text of the server's over, and notes where it isn't UTF-8.
func (m *Module) text(s string) string {
	clean, lossy := probe.UTF8([]byte(s))
	m.Lossy = m.Lossy || lossy
	return clean
}

// modules asks for each module by its name, as many as there may be, those that the caller named first.
func (k *talk) modules(ctx context.Context, p Prober) error {
	order := k.order(p.Modules)
	most := min(p.maxModules(), k.connsLeft(p))
	var busy []int
	var closed error
	asked := 0
	for _, i := range order {
		if asked >= most || !askable(k.names[i]) {
			k.e.ModulesUnasked++
			continue
		}
		asked++
		if err := k.module(ctx, i); err != nil {
			if !errors.Is(err, probe.ErrClosed) {
				return err
			}
			closed = err // the daemon's child for this one died
		}
		if k.e.Modules[i].Access == AccessBusy {
			busy = append(busy, i)
		}
	}
	for _, i := range busy {
		// Modules may share one count of connections, and ours before was perhaps not over yet.
		if k.connsLeft(p) <= 0 {
			break
		}
		if err := k.module(ctx, i); err != nil {
			return err
		}
	}
	return closed
}

// order returns the modules' places, those of the caller's names first, which are added where they weren't listed.
func (k *talk) order(wanted []string) (order []int) {
	unlisted := probe.Unknown
	if k.e.Listing == probe.Yes && !k.e.ModulesTruncated {
		unlisted = probe.No
	}
	for _, name := range wanted {
		if k.index(name) < 0 {
			k.add(name, "", unlisted)
		}
		if i := k.index(name); !slices.Contains(order, i) {
			order = append(order, i)
		}
	}
	for i := range k.names {
		if !slices.Contains(order, i) {
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

// connsLeft is how many connections there may still be, but for those that learn versions of TLS.
func (k *talk) connsLeft(p Prober) int {
	left := k.s.Limits().Conns - k.opened
	if p.Versions && k.s.ImplicitTLS() {
		left -= len(probe.TLSVersions)
	}
	return left
}

// module asks for one module, and leaves whatever the daemon says.
func (k *talk) module(ctx context.Context, i int) error {
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
		a, err = ask(c, g, k.names[i]+"\n", len(k.motd.lines)+k.s.Limits().ReplyLines, k.motd.strip)
	}
	m := &k.e.Modules[i]
	m.Reply, m.Access = m.text(a.end), access(a.end)
	return err
}
