package tlshello

import "strconv"

// A Fact is an observation that may be missing: its values are those of probe.Fact.
type Fact string

// The values of a Fact.
const (
	Unknown Fact = ""
	Yes     Fact = "yes"
	No      Fact = "no"
)

func factOf(b bool) Fact {
	if b {
		return Yes
	}
	return No
}

// A Mode says how much [Enumerate] asks.
type Mode string

// The modes, each asking what the one before does and more.
const (
	// ModeVersions asks for each version from SSL 2.0 on: at most 8 connections.
	ModeVersions Mode = "versions"
	// ModeWeak asks whether suites of each weak class are accepted: at most 15 connections.
	ModeWeak Mode = "weak"
	// ModeFull asks for every suite of every version, and every group: as many connections as there are accepted suites
	// and groups, one for each version, and at most 8.
	ModeFull Mode = "full"
)

// Offers is what a server accepts. Facts are unknown, and lists nil, if they weren't asked for in this mode, or if the
// server didn't answer; a list that is empty was asked for.
type Offers struct {
	Mode Mode `json:"mode"`
	// Connections is how many ClientHellos were asked for, each on a connection of its own.
	Connections int `json:"connections"`

	// SSL2 to TLS13 say whether a hello of just this version gets a ServerHello of it.
	SSL2  Fact `json:"ssl2"`
	SSL3  Fact `json:"ssl3"`
	TLS10 Fact `json:"tls10"`
	TLS11 Fact `json:"tls11"`
	TLS12 Fact `json:"tls12"`
	TLS13 Fact `json:"tls13"`
	// Versions are the accepted ones, oldest first; nil if none of the six is known.
	Versions []VersionOffer `json:"versions"`

	// Weak is nil in mode "versions".
	Weak *WeakOffers `json:"weak"`
	// DH are the groups that the server brought for Diffie-Hellman over integers before TLS 1.3; nil in mode "versions".
	// Mode "weak" sees the one that a server has for most suites, beside those for export and anonymous ones.
	DH []DHGroup `json:"dh"`
	// PostQuantum says whether a post-quantum group is accepted, which takes TLS 1.3; unknown in mode "versions".
	PostQuantum Fact `json:"post_quantum"`
	// PostQuantumGroup is the one seen, such as X25519MLKEM768.
	PostQuantumGroup string `json:"post_quantum_group"`

	// SecureRenegotiation (RFC 5746) and ExtendedMasterSecret (RFC 7627) are those of the highest version before TLS 1.3,
	// which has no need of either; the latter is unknown for SSL 3.0, which can't have it.
	SecureRenegotiation  Fact `json:"secure_renegotiation"`
	ExtendedMasterSecret Fact `json:"extended_master_secret"`
	// Compression says whether any version before TLS 1.3 chose DEFLATE (RFC 3749; CVE-2012-4929).
	Compression Fact `json:"compression"`
	// FallbackSCSV says whether a second try with a lower version is told from a first (RFC 7507); unknown if there is
	// only one version from SSL 3.0 on.
	FallbackSCSV Fact `json:"fallback_scsv"`
	// ClientCertificate says whether the highest version before TLS 1.3 asks for one.
	ClientCertificate Fact `json:"client_certificate_requested"`

	// Chains are the chains seen before TLS 1.3, one for each certificate of the server's own, in DER.
	Chains [][][]byte `json:"-"`
}

// A VersionOffer is what a server accepts by one version.
type VersionOffer struct {
	// Version is "SSLv2", "SSLv3", or "1.0" to "1.3".
	Version string `json:"version"`
	// Suite is the one chosen from a hello that offered what is usual, by IANA's name; empty for SSLv2.
	Suite string `json:"suite"`
	// Suites are all that are accepted, by IANA's name, in mode "full", and for SSLv2, whose server lists them. They are in
	// the server's order, or, if it takes the first of the client's that it knows, the strongest first.
	Suites []string `json:"suites"`
	// ServerOrder says whether the order is the server's; unknown if there are fewer than two suites, or it wasn't asked.
	ServerOrder Fact `json:"server_order"`
	// Groups are all that are accepted by TLS 1.3, and by the highest version before it, by IANA's name and in the order
	// of choice, in mode "full". Before TLS 1.3 they are curves: for Diffie-Hellman over integers see [Offers.DH]. There,
	// a server that has no certificate but an ECDSA one and likes its curve best may have more than are found, since a
	// hello without that curve is refused whatever else it offers (RFC 8422 §4).
	Groups []string `json:"groups"`
}

// A Class says whether a suite of a weak class is accepted, and names the version and the suite that proves it.
type Class struct {
	Accepted Fact   `json:"accepted"`
	Version  string `json:"version"`
	Suite    string `json:"suite"`
}

// WeakOffers are the weak classes of suites.
type WeakOffers struct {
	Anonymous        Class `json:"anonymous"`          // no certificate (RFC 5246 §F.1.1.1)
	Null             Class `json:"null"`               // no encryption
	Export           Class `json:"export"`             // keys of 40 and 56 bits
	RC4              Class `json:"rc4"`                // RFC 7465
	Block64          Class `json:"block64"`            // 3DES and others with blocks of 64 bits (CVE-2016-2183)
	NoForwardSecrecy Class `json:"no_forward_secrecy"` // RFC 9325 §4.1
	DHE              Class `json:"dhe"`                // not weak in itself: see Offers.DH for the groups
}

// A DHGroup is a group for Diffie-Hellman over integers.
type DHGroup struct {
	Bits          int    `json:"bits"`           // of the prime
	GeneratorBits int    `json:"generator_bits"` // 2 has two
	PrimeSHA256   string `json:"prime_sha256"`   // of the prime's bytes, big-endian without leading zeros; hexadecimal
	// Shared is who published the prime, or ships it as a default; empty for one that isn't known to be shared.
	Shared string `json:"shared"`
	// Version and Suite are what it was seen with first.
	Version string `json:"version"`
	Suite   string `json:"suite"`
}

// Version returns the fact of one version.
func (o *Offers) Version(v Version) Fact {
	if p := o.version(v); p != nil {
		return *p
	}
	return Unknown
}

func (o *Offers) version(v Version) *Fact {
	switch v {
	case SSL2:
		return &o.SSL2
	case SSL3:
		return &o.SSL3
	case TLS10:
		return &o.TLS10
	case TLS11:
		return &o.TLS11
	case TLS12:
		return &o.TLS12
	case TLS13:
		return &o.TLS13
	}
	return nil
}

// newest returns the highest accepted version from SSL 3.0 on that is below the limit; 0 if there is none.
func (o *Offers) newest(below Version) Version {
	for i := len(versions) - 1; i >= 0; i-- {
		if v := versions[i]; v < below && o.Version(v) == Yes {
			return v
		}
	}
	return 0
}

// oldest returns the lowest accepted version from SSL 3.0 on; 0 if there is none.
func (o *Offers) oldest() Version {
	for _, v := range versions {
		if o.Version(v) == Yes {
			return v
		}
	}
	return 0
}

// classes are the weak classes with their JSON names.
func (w *WeakOffers) classes() []namedClass {
	return []namedClass{
		{"anonymous", &w.Anonymous, Suite.Anonymous},
		{"null", &w.Null, Suite.Null},
		{"export", &w.Export, Suite.Export},
		{"rc4", &w.RC4, Suite.RC4},
		{"block64", &w.Block64, Suite.Block64},
		{"no_forward_secrecy", &w.NoForwardSecrecy, func(s Suite) bool { return !s.ForwardSecrecy() }},
		{"dhe", &w.DHE, Suite.DHE},
	}
}

type namedClass struct {
	name string
	*Class
	has func(Suite) bool
}

// Unanswered returns what the mode asked for and the server left unanswered, as JSON pointers into the offers.
func (o *Offers) Unanswered() []string {
	missing := []string{}
	want := func(known bool, pointer string) {
		if !known {
			missing = append(missing, pointer)
		}
	}
	for _, v := range append([]Version{SSL2}, versions...) {
		want(o.Version(v) != Unknown, map[Version]string{
			SSL2: "/ssl2", SSL3: "/ssl3", TLS10: "/tls10", TLS11: "/tls11", TLS12: "/tls12", TLS13: "/tls13"}[v])
	}
	if o.Mode != ModeVersions {
		for _, class := range o.Weak.classes() {
			want(class.Accepted != Unknown, "/weak/"+class.name)
		}
		want(o.DH != nil, "/dh")
		want(o.PostQuantum != Unknown, "/post_quantum")
		want(o.FallbackSCSV != Unknown || o.newest(o.newest(TLS13+1)) == 0, "/fallback_scsv")
	}
	if o.Mode == ModeFull {
		for i, offer := range o.Versions {
			at := "/versions/" + strconv.Itoa(i)
			want(offer.Suites != nil, at+"/suites")
			want(offer.Groups != nil || !o.wantsGroups(offer.Version), at+"/groups")
		}
	}
	return missing
}

// wantsGroups reports whether mode "full" asks for the groups of a version: TLS 1.3's, and those of the highest before.
func (o *Offers) wantsGroups(version string) bool {
	if version == TLS13.String() {
		return true
	}
	v := o.newest(TLS13)
	return v > SSL3 && v.String() == version
}
