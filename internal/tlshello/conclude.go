package tlshello

import "slices"

// conclude turns what was learned into the offers.
func (e *enumeration) conclude() {
	o := e.o
	known := false
	for _, v := range append([]Version{SSL2}, versions...) {
		known = known || o.Version(v) != Unknown
		if o.Version(v) == Yes {
			o.Versions = append(o.Versions, e.versionOffer(v))
		}
	}
	if known && o.Versions == nil {
		o.Versions = []VersionOffer{}
	}
	e.extensions()
	switch o.Mode {
	case ModeWeak:
		e.classesOfSSL2()
		if o.Weak.DHE.Accepted == No && o.DH == nil {
			o.DH = []DHGroup{}
		}
		if o.newest(TLS13) == 0 && e.knownUpTo(TLS12) {
			o.DH = []DHGroup{}
			e.noClasses()
		}
		if o.TLS13 == No {
			o.PostQuantum = No
		}
	case ModeFull:
		o.Weak = new(WeakOffers)
		e.classesOfSuites()
		e.classesOfSSL2()
		e.postQuantumOfGroups()
	}
}

func (e *enumeration) versionOffer(v Version) VersionOffer {
	offer := VersionOffer{Version: v.String()}
	if v == SSL2 {
		offer.Suites = []string{}
		for _, s := range e.first[v].Hello2.Suites {
			offer.Suites = append(offer.Suites, s.Name)
		}
		return offer
	}
	offer.Suite = e.first[v].Hello.Suite.Name
	if c := e.chains[v]; c != nil {
		offer.Suites, offer.ServerOrder = c.names(), e.ordered[v]
		if c.yielded == 1 && !c.offeredFirst() {
			offer.ServerOrder = Yes
		}
	}
	offer.Groups = e.groups[v].names()
	return offer
}

// extensions takes over what the first hello of the highest version before TLS 1.3 was answered, and compression.
func (e *enumeration) extensions() {
	o := e.o
	if v := o.newest(TLS13); v != 0 {
		a := e.first[v]
		o.SecureRenegotiation = factOf(a.Hello.SecureRenegotiation)
		if v > SSL3 {
			o.ExtendedMasterSecret = factOf(a.Hello.ExtendedMasterSecret)
		}
		if a.Complete || a.CertificateRequested {
			o.ClientCertificate = factOf(a.CertificateRequested)
		}
	}
	if e.knownUpTo(TLS12) {
		o.Compression = No
	}
	for v, a := range e.first {
		if v != SSL2 && v < TLS13 && a.Hello.Compressed {
			o.Compression = Yes
		}
	}
}

// knownUpTo reports whether it is known of each version from SSL 3.0 on whether it is accepted.
func (e *enumeration) knownUpTo(last Version) bool {
	for _, v := range versions {
		if v <= last && e.o.Version(v) == Unknown {
			return false
		}
	}
	return true
}

func (e *enumeration) noClasses() {
	for _, class := range e.o.Weak.classes() {
		if class.Accepted == Unknown {
			class.Accepted = No
		}
	}
}

// classesOfSSL2 adds what SSL 2.0's list proves.
func (e *enumeration) classesOfSSL2() {
	if e.o.SSL2 != Yes {
		return
	}
	for _, s := range e.first[SSL2].Hello2.Suites {
		for _, class := range e.o.Weak.classes() {
			if class.Accepted != Yes && class.has(s) {
				*class.Class = Class{Yes, SSL2.String(), s.Name}
			}
		}
	}
}

// classesOfSuites finds the weak classes in the lists of suites.
func (e *enumeration) classesOfSuites() {
	o, complete := e.o, e.knownUpTo(TLS12)
	for _, v := range versions {
		if o.Version(v) != Yes || v == TLS13 {
			continue
		}
		complete = complete && e.chains[v].names() != nil
		for _, s := range slices.Concat(e.chains[v].got, e.chains[v].more) {
			for _, class := range o.Weak.classes() {
				if class.has(s) && (class.Accepted != Yes || class.Version != v.String()) {
					*class.Class = Class{Yes, v.String(), s.Name} // the highest version remains
				}
			}
		}
	}
	if complete {
		e.noClasses()
		if o.DH == nil {
			o.DH = []DHGroup{}
		}
	}
}

func (e *enumeration) postQuantumOfGroups() {
	o := e.o
	if o.TLS13 == No {
		o.PostQuantum = No
	}
	c := e.groups[TLS13]
	if c == nil {
		return
	}
	if c.names() != nil {
		o.PostQuantum = No
	}
	for _, g := range c.got {
		if g.PostQuantum() && o.PostQuantum != Yes {
			o.PostQuantum, o.PostQuantumGroup = Yes, g.String()
		}
	}
}
