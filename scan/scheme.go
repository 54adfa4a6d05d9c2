package scan

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/handclasp/handclasp/probe"
)

// A SchemeProber is a prober that speaks in another way if a URL's scheme says so. Without a scheme it goes by the
// target's port.
type SchemeProber interface {
	probe.Prober
	// ForScheme returns a prober that speaks, on any port, as the Spec's port with this Scheme does.
	ForScheme(scheme string) probe.Prober
}

// schemeService finds the prober that a URL's scheme names. A protocol's own name is its scheme, without TLS from the
// first byte; with an s behind it, TLS comes first, if the protocol has a port for that. A port may have a scheme of
// its own.
func schemeService(scheme string, probers []probe.Prober) (service, error) {
	wanted := strings.ToLower(scheme)
	var known []string
	for _, p := range probers {
		spec := p.Spec()
		for _, port := range spec.Ports {
			name := schemeOf(spec, port)
			if name == wanted { // the first such port is the protocol's usual one
				if by, ok := p.(SchemeProber); ok && port.Scheme != "" {
					p = by.ForScheme(name)
				}
				return service{prober: p, network: cmp.Or(port.Network, probe.TCP), port: port.Number, implicitTLS: probe.FactOf(port.ImplicitTLS)}, nil
			}
			if !slices.Contains(known, name) {
				known = append(known, name)
			}
		}
	}
	return service{}, fmt.Errorf("the scheme %q is unknown: use %s", scheme, orList(known))
}

func schemeOf(spec probe.Spec, port probe.Port) string {
	switch {
	case port.Scheme != "":
		return port.Scheme
	case port.ImplicitTLS:
		return spec.Protocol + "s"
	}
	return spec.Protocol
}
