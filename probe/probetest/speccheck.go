package probetest

import (
	"fmt"
	"reflect"
	"regexp"

	"github.com/handclasp/handclasp/probe"
)

var (
	protocolName = regexp.MustCompile(`^[a-z][a-z0-9_-]*$`)
	schemeName   = regexp.MustCompile(`^([a-z][a-z0-9+.-]*)?$`) // RFC 3986 §3.1, or none
)

func checkSpec(p probe.Prober) (faults []string) {
	add := func(format string, args ...any) { faults = append(faults, fmt.Sprintf(format, args...)) }
	defer func() {
		if v := recover(); v != nil {
			add("Spec panicked: %v", v)
		}
	}()
	spec, again := p.Spec(), p.Spec()
	if spec.Protocol != again.Protocol || !reflect.DeepEqual(spec.Ports, again.Ports) {
		add("Spec returns something else each time")
	}
	if !protocolName.MatchString(spec.Protocol) {
		add("Spec.Protocol is %q: want a lower-case name such as \"ftp\"", spec.Protocol)
	}
	if len(spec.Ports) == 0 {
		add("Spec.Ports is empty: list where the protocol lives by default")
	}
	type endpoint struct {
		network probe.Network
		number  uint16
	}
	seen := map[endpoint]bool{}
	for _, port := range spec.Ports {
		e := endpoint{network(port), port.Number}
		switch {
		case e.network != probe.TCP && e.network != probe.UDP:
			add("Spec.Ports has network %q: use probe.TCP or probe.UDP", port.Network)
		case port.Number == 0:
			add("Spec.Ports has port 0")
		case e.network == probe.UDP && port.ImplicitTLS:
			add("Spec.Ports has TLS over UDP, which sessions don't speak")
		case !schemeName.MatchString(port.Scheme):
			add("Spec.Ports has scheme %q: want lower-case letters, digits, +, - and dots", port.Scheme)
		case seen[e]:
			add("Spec.Ports lists %s %d twice", e.network, e.number)
		}
		seen[e] = true
	}
	for _, p := range spec.Companions {
		if n := network(p); p.Number == 0 || n != probe.TCP && n != probe.UDP || p.ImplicitTLS {
			add("Spec.Companions has %s %d: want a TCP or UDP port, in cleartext", n, p.Number)
		}
	}
	for l := probe.LevelGreeting; l <= probe.LevelAnonymous; l++ {
		if b := spec.Bounds.At(l); b.Conns < 1 || b.Time <= 0 {
			add("Spec.Bounds doesn't say the most connections and the longest time at level %v", l)
		}
	}
	if spec.Evidence == nil {
		return faults
	}
	one, two := spec.Evidence(), spec.Evidence()
	switch {
	case isNil(one):
		add("Spec.Evidence returns nil: want a new, empty struct")
	case reflect.ValueOf(one).Kind() != reflect.Pointer:
		add("Spec.Evidence returns a %T: want a pointer, into which JSON is decoded", one)
	case reflect.TypeOf(one).Elem().Size() > 0 && one == two:
		add("Spec.Evidence returns the same struct each time: want a new one")
	case one.Protocol() != spec.Protocol:
		add("Spec.Evidence makes evidence of protocol %q, Spec.Protocol is %q", one.Protocol(), spec.Protocol)
	case reflect.Zero(reflect.TypeOf(one)).Interface().(probe.Evidence).Protocol() != spec.Protocol:
		add("the evidence's Protocol method says something else on a nil pointer, which probe.As asks")
	}
	return faults
}

// checkGuard tries what no guard may let pass or fall over.
func checkGuard(spec probe.Spec) (faults []string) {
	if spec.Guard == nil {
		return nil // refuses every write
	}
	long := make([]byte, 128<<10)
	for i := range long {
		long[i] = 'A'
	}
	for _, b := range [][]byte{nil, {}, {0}, {0xff}, []byte("\r\n"), []byte("\n"), []byte("\x00\xff\xff\xff"), garbage(64), long} {
		for l := probe.LevelGreeting; l <= probe.LevelAnonymous; l++ {
			if fault := tryGuard(spec.NewGuard(probe.Contact{}), l, b); fault != "" {
				faults = append(faults, fault)
			}
		}
	}
	return faults
}

func tryGuard(guard probe.Guard, l probe.Level, b []byte) (fault string) {
	defer func() {
		if v := recover(); v != nil {
			fault = fmt.Sprintf("the guard panicked on %q: %v", clip(b), v)
		}
	}()
	if label, err := guard(l, b); err == nil && len(b) == 0 {
		return fmt.Sprintf("the guard lets an empty message pass as %q", label)
	}
	return ""
}
