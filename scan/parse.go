package scan

import (
	"cmp"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/handclasp/handclasp/detect"
	"github.com/handclasp/handclasp/probe"
)

// A plan is what an input asks for: hosts, each on some endpoints.
type plan struct {
	hosts netip.Prefix // one address, or a range
	span  uint64       // how many addresses from that of hosts on; 0 for those of the prefix
	zone  string       // of one IPv6 address
	name  string       // to be resolved, as written; empty if hosts says it all
	sni   string       // the name as certificates and SNI spell it
	ports []service
}

// A service is a prober and where to point it.
type service struct {
	prober      probe.Prober
	network     probe.Network
	port        uint16
	implicitTLS probe.Fact
	tls         bool // spoken from the first byte on this port, if implicitTLS doesn't say
}

// A parser knows which probers inputs may ask for.
type parser struct {
	probers []probe.Prober
	all     []service            // everywhere
	anybody probe.Prober         // for ports that nobody claims; nil if nothing is detected
	ports   []uint16             // of hosts without one; nil for all
	known   map[uint16][]service // who is asked on a port, as far as it was asked for
}

func newParser(probers []probe.Prober, o *EndpointOptions) parser {
	r := parser{probers: probers, all: everywhere(probers), ports: o.Ports, known: map[uint16][]service{}}
	if !o.NoDetection {
		r.detect(o.GreetingWait)
	}
	return r
}

// detect has ports that nobody claims asked by a [detect.Detector], and those where a server of one protocol is expected to
// speak first, in cleartext: if another does, that costs no connection more.
func (r *parser) detect(wait time.Duration) {
	recognisers := 0
	claims := map[uint16]int{}
	for _, p := range r.probers {
		if _, ok := p.(detect.Recogniser); ok {
			recognisers++
		}
	}
	if recognisers == 0 {
		return
	}
	r.anybody = detect.Detector{Probers: r.probers, Wait: wait}
	for _, s := range r.all {
		claims[s.port]++
	}
	for i, s := range r.all {
		known, ok := s.prober.(detect.Recogniser)
		if ok && s.network == probe.TCP && !s.tls && claims[s.port] == 1 && recognisers > 1 && known.Recognise(nil) != probe.Possible {
			r.all[i].prober = detect.Detector{Probers: r.probers, Expected: s.prober, Wait: wait}
		}
	}
}

// parse understands one input. Nothing is resolved yet.
func (r parser) parse(in Input) (plan, error) {
	p, err := r.target(in.Text)
	if err != nil || in.Name == "" {
		return p, err
	}
	if p.name != "" {
		return p, errors.New("a name beside a name: one with an address is needed")
	}
	var named plan
	if err := named.parseName(in.Name); err != nil {
		return p, fmt.Errorf("%q: %w", in.Name, err)
	}
	p.sni = named.sni
	return p, nil
}

func (r parser) target(text string) (plan, error) {
	var p plan
	var err error
	host, port := text, ""
	if scheme, rest, ok := strings.Cut(text, "://"); ok {
		svc, err := schemeService(scheme, r.probers)
		if err != nil {
			return p, err
		}
		if host, port, err = authority(rest, scheme); err != nil {
			return p, err
		}
		if port != "" {
			if svc.port, err = parsePort(port); err != nil {
				return p, err
			}
		}
		p.ports = []service{svc}
	} else {
		if host, port, err = split(text); err != nil {
			return p, err
		}
		if port == "" {
			if p.ports, err = r.everyPort(host); err != nil {
				return p, err
			}
		} else if p.ports, err = r.claimed(port, host); err != nil {
			return p, err
		}
	}
	return p, p.parseHost(host)
}

// addressCount is how many addresses the plan has, a name counting as one.
func (p plan) addressCount() uint64 {
	if p.name != "" {
		return 1
	}
	if p.span > 0 {
		return p.span
	}
	return 1 << (p.hosts.Addr().BitLen() - p.hosts.Bits())
}

// count is how many slots the plan has.
func (p plan) count() uint64 { return p.addressCount() * uint64(len(p.ports)) }

// sharded is the name by which shards know the plan's host; empty if the address says it.
func (p plan) sharded() string {
	if p.name == "" {
		return ""
	}
	return p.sni
}

// authority takes a URL apart behind its scheme. A target is a host, or a range, and a port and nothing else.
func authority(rest, scheme string) (host, port string, err error) {
	if host, port, err := split(rest); err == nil {
		if _, err := netip.ParsePrefix(host); err == nil {
			return host, port, nil
		}
	}
	if i := strings.IndexAny(rest, "/?#@"); i >= 0 {
		if strings.Contains(rest, "@") {
			return "", "", fmt.Errorf("a URL with a user name: no credential is ever used; write %s://HOST", scheme)
		}
		if rest[i:] != "/" {
			return "", "", fmt.Errorf("a URL with a path, query or fragment: only %s://HOST and %s://HOST:PORT are understood", scheme, scheme)
		}
		rest = rest[:i]
	}
	if strings.HasPrefix(rest, "[") {
		rest = strings.Replace(rest, "%25", "%", 1) // the zone of an address (RFC 6874 §2)
	}
	return split(rest)
}

// split separates a port from HOST, HOST:PORT, ADDRESS/BITS, ADDRESS/BITS:PORT and, for IPv6, the same in brackets.
func split(text string) (host, port string, err error) {
	switch {
	case text == "":
		return "", "", errors.New("the target is empty: give a host, an address, a range or a URL")
	case strings.HasPrefix(text, "["):
		inner, after, ok := strings.Cut(text[1:], "]")
		if !ok {
			return "", "", errors.New("a bracket isn't closed: write [2001:db8::7] or [2001:db8::7]:21")
		}
		if !strings.Contains(inner, ":") {
			return "", "", errors.New("brackets hold an IPv6 address, as in [2001:db8::7]:21")
		}
		if after == "" {
			return inner, "", nil
		}
		if port, ok = strings.CutPrefix(after, ":"); !ok {
			return "", "", fmt.Errorf("%q follows the bracket: write [2001:db8::7] or [2001:db8::7]:21", after)
		}
		host = inner
	case strings.Count(text, ":") == 1:
		host, port, _ = strings.Cut(text, ":")
	default:
		return text, "", nil // a name, or an IPv6 address without brackets
	}
	if port == "" {
		return "", "", errors.New("the port is missing behind the colon")
	}
	return host, port, nil
}

func parsePort(text string) (uint16, error) {
	n, err := strconv.ParseUint(text, 10, 16)
	if err != nil || n == 0 {
		return 0, fmt.Errorf("port %q: a port is a number from 1 to 65535", text)
	}
	return uint16(n), nil
}

// everywhere is every default port of every prober.
func everywhere(probers []probe.Prober) []service {
	var all []service
	for _, p := range probers {
		for _, port := range p.Spec().Ports {
			all = append(all, service{prober: p, network: cmp.Or(port.Network, probe.TCP), port: port.Number, tls: port.ImplicitTLS})
		}
	}
	return all
}

// everyPort is where a host without a port is asked.
func (r parser) everyPort(host string) ([]service, error) {
	if r.ports == nil {
		return r.all, nil
	}
	var all []service
	for _, port := range r.ports {
		some, err := r.claimed(strconv.Itoa(int(port)), host)
		if err != nil {
			return nil, err
		}
		all = append(all, some...)
	}
	return all, nil
}

// claimed is the probers that live at a port by default, or the one for ports where none does.
func (r parser) claimed(port, host string) ([]service, error) {
	n, err := parsePort(port)
	if err != nil {
		return nil, err
	}
	all := r.known[n]
	if all != nil {
		return all, nil
	}
	for _, s := range r.all {
		if s.port == n {
			all = append(all, s)
		}
	}
	if len(all) == 0 && r.anybody != nil {
		all = []service{{prober: r.anybody, network: probe.TCP, port: n}}
	}
	if len(all) == 0 {
		if strings.Contains(host, ":") {
			host = "[" + host + "]"
		}
		return nil, fmt.Errorf("no protocol lives on port %d by default: name it, as in %s", n, examples(host, n, r.probers))
	}
	r.known[n] = slices.Clip(all)
	return all, nil
}

func examples(host string, port uint16, probers []probe.Prober) string {
	var urls []string
	for _, p := range probers {
		spec := p.Spec()
		if len(spec.Ports) > 0 {
			urls = append(urls, fmt.Sprintf("%s://%s:%d", schemeOf(spec, spec.Ports[0]), host, port))
		}
	}
	return orList(urls)
}

// orList joins "a", "b" and "c" to "a, b or c".
func orList(words []string) string {
	if len(words) < 2 {
		return strings.Join(words, "")
	}
	last := len(words) - 1
	return strings.Join(words[:last], ", ") + " or " + words[last]
}
