package advisory

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/handclasp/handclasp/finding"
	"github.com/handclasp/handclasp/probe"
)

// A Judge says what is known of software. The zero value knows what is built in. It is safe for concurrent use.
type Judge struct {
	Index     *Index     // of distributions' advisories; nil if there is none
	LifeCycle *LifeCycle // nil means [BuiltinLifeCycle]
}

// A Subject is what is judged.
type Subject struct {
	Software []probe.Software
	Time     time.Time // of the result; what ended later, hasn't ended
	// SMBCompression says whether the server takes compressed messages of SMB 3.1.1.
	SMBCompression probe.Fact
}

// A Kind is what a verdict is about.
type Kind string

// The kinds.
const (
	EndOfLife  Kind = "end-of-life" // no more security updates
	Vulnerable Kind = "vulnerable"  // known vulnerabilities
)

// A Verdict is what is said of one product.
type Verdict struct {
	Kind     Kind
	Software int // which of the subject's
	Severity finding.Severity
	// Known is Claimed if a package's revision proves it, Inferred if a version suggests it.
	Known  finding.Known
	Detail string // a short phrase, such as "Debian 11 ended 2026-08-31"

	Name        string    // what has ended, such as "Debian 11"; empty unless the kind is EndOfLife, as the next three are
	Ended       time.Time // of security updates for everybody
	PaidUntil   time.Time // of those that are sold; zero if there are none
	Source      string    // where the end is written
	Vulnerables []Vulnerability
	Data        finding.Data // what it rests on: the built-in facts, or files
}

var builtinData = finding.Data{Digest: "built-in", Date: day(builtinDate)}

// day returns the time of a date that the package itself holds.
func day(date string) time.Time {
	t, err := time.Parse(time.DateOnly, date)
	if err != nil {
		panic(err) // a test reads them all
	}
	return t
}

// Judge returns what is said of each product of the subject, the most severe first. What isn't known isn't said.
func (j Judge) Judge(s Subject) []Verdict { return j.of(s, EndOfLife, Vulnerable) }

// of is Judge about some kinds.
func (j Judge) of(s Subject, kinds ...Kind) []Verdict {
	system := systemOf(s.Software)
	var list []Verdict
	for i := range s.Software {
		sw := &s.Software[i]
		if sw.Hint != "" {
			continue // it plays what it isn't
		}
		p := packagingOf(sw, system)
		for _, kind := range kinds {
			var v *Verdict
			switch kind {
			case EndOfLife:
				v = j.endOfLife(&s, sw, &p)
			case Vulnerable:
				v = j.vulnerable(&s, sw, &p)
			}
			if v != nil {
				v.Software = i
				list = append(list, *v)
			}
		}
	}
	slices.SortStableFunc(list, func(a, b Verdict) int {
		return cmp.Or(cmp.Compare(b.Severity, a.Severity), cmp.Compare(a.Kind, b.Kind))
	})
	return list
}

// systemOf returns the operating system or device among software, nil if none is named.
func systemOf(list []probe.Software) *probe.Software {
	for i := range list {
		if isSystem(&list[i]) {
			return &list[i]
		}
	}
	return nil
}

// isSystem reports whether an entry is a system or a device: its CPE says so, or else its name does.
func isSystem(s *probe.Software) bool {
	if s.CPE != "" {
		return strings.HasPrefix(s.CPE, "cpe:2.3:o:") || strings.HasPrefix(s.CPE, "cpe:2.3:h:")
	}
	name, _ := distributionOf(s.Product, "")
	return name != strings.ToLower(s.Product) || strings.HasPrefix(s.Product, "Windows")
}

// endOfLife judges whether a product still gets security updates; nil if that isn't known, or it does.
func (j Judge) endOfLife(s *Subject, sw *probe.Software, p *packaging) *Verdict {
	e, claimed, ok := j.end(s, sw, p)
	if !ok || e.free.Equal(never) || !e.free.Before(s.Time) {
		return nil
	}
	v := &Verdict{
		Kind: EndOfLife, Severity: finding.High, Known: finding.Inferred,
		Name: e.name, Ended: e.free, PaidUntil: e.paid, Source: e.source, Data: e.data,
		Detail: e.name + " ended " + e.free.Format(time.DateOnly),
	}
	if e.free.Unix() == 0 {
		v.Detail = e.name + " ended"
	}
	if e.with != "" {
		v.Detail += " with " + e.with
	}
	if e.paid.After(s.Time) {
		v.Severity = finding.Medium
		v.Detail += ", paid support until " + e.paid.Format(time.DateOnly)
	}
	if claimed {
		v.Known = finding.Claimed
	}
	return v
}

// lifeCycles are the names in life cycles of products that aren't named alike.
var lifeCycles = map[string]string{
	"Exchange Server":  "msexchange",
	"FileZilla Server": "filezilla-server",
	"IIS":              "iis",
	"IIS SMTP Service": "iis",
}

// end returns when updates for a product end, and whether a package's revision says which release it is of. A product
// that a distribution carries ends with the distribution's release: the system's entry says that, if there is one.
func (j Judge) end(s *Subject, sw *probe.Software, p *packaging) (e end, claimed, ok bool) {
	l := j.LifeCycle
	if l == nil {
		l = BuiltinLifeCycle()
	}
	if isSystem(sw) {
		return j.systemEnd(l, s, sw)
	}
	_, carried := packages[sw.Product]
	if !carried || p.distribution == "" {
		name := cmp.Or(lifeCycles[sw.Product], strings.ToLower(sw.Product))
		if e, ok = l.of(name, sw.Version); !ok {
			return e, false, false
		}
		e.name = sw.Product + " " + e.name
		if carried {
			e = l.youngest(e, carriersOf(sw.Product, sw.Version, ""))
		}
		return e, false, true
	}
	if system := systemOf(s.Software); system != nil && system.Version != "" {
		return e, false, false
	}
	carriers := carriersOf(sw.Product, sw.Version, p.distribution)
	if p.release != "" {
		carriers = []carrier{{distribution: p.distribution, release: p.release}}
	}
	if len(carriers) == 0 {
		return e, false, false
	}
	e = l.youngest(end{free: time.Unix(0, 0).UTC()}, carriers)
	return e, p.revision != "" && p.release != "", e.name != ""
}

// youngest returns the last end among e and those of the releases. A product that has a name keeps it.
func (l *LifeCycle) youngest(e end, carriers []carrier) end {
	product := e.name
	for _, c := range carriers {
		if o, ok := l.of(c.distribution, c.release); ok {
			if o.name = title(c.distribution) + " " + o.name; product != "" {
				o.name, o.with = product, o.name
			}
			e = e.later(o)
		}
	}
	return e
}

// systemEnd judges an operating system. A Windows that has two names is judged by the younger.
func (j Judge) systemEnd(l *LifeCycle, s *Subject, sw *probe.Software) (e end, claimed, ok bool) {
	if name, isWindows := strings.CutPrefix(sw.Product, "Windows"); isWindows {
		e, ok = l.windowsEnd(name, sw.Version)
		e.name = sw.Product
		return e, false, ok
	}
	name, release := distributionOf(sw.Product, sw.Version)
	if e, ok = l.of(name, release); !ok {
		return e, false, false
	}
	e.name = sw.Product + " " + e.name
	claimed = slices.ContainsFunc(s.Software, func(o probe.Software) bool {
		p := packagingOf(&o, sw)
		return p.revision != "" && p.distribution == name && p.release == release
	})
	return e, claimed, true
}

// windowsEnd returns when a Windows of that build ends; name is what follows the word Windows. Of a name that may be of a
// server or a desktop, as " Server 2019 or 10 1809" may, and of one that goes on, as " 10 or Server 2004 to 22H2" does
// since later versions tell the same build, the youngest counts.
func (l *LifeCycle) windowsEnd(name, build string) (last end, ok bool) {
	either := strings.Contains(name, " or ") || name == ""
	isServer := strings.HasPrefix(name, " Server")
	_, youngest, goesOn := strings.Cut(strings.ToLower(name), " to ")
	for family, counts := range map[string]bool{"windows-server": isServer || either, "windows": !isServer || either} {
		if !counts {
			continue
		}
		ends := []string{build}
		if goesOn {
			ends = append(ends, l.buildsOf(family, youngest)...)
		}
		for _, build := range ends {
			if e, found := l.of(family, build); found && !ok {
				last, ok = e, true
			} else if found {
				last = last.later(e)
			}
		}
	}
	return last, ok
}

// buildsOf returns the builds of a family's lines of that version, such as "22h2".
func (l *LifeCycle) buildsOf(family, version string) (builds []string) {
	for _, c := range l.products[family].cycles {
		if slices.Contains(strings.Split(c.name, "-"), version) {
			builds = append(builds, c.latest)
		}
	}
	return builds
}

// title returns a distribution's name as people write it.
func title(distribution string) string {
	switch distribution {
	case "rhel":
		return "Red Hat Enterprise Linux"
	case "sles":
		return "SUSE Linux Enterprise Server"
	case "amazon-linux":
		return "Amazon Linux"
	case "freebsd":
		return "FreeBSD"
	}
	return strings.ToUpper(distribution[:1]) + distribution[1:]
}

// vulnerable judges which vulnerabilities a product has. If a distribution carries it, the distribution's data decides,
// with the package's revision, and without one nothing is said. Nil is nothing.
func (j Judge) vulnerable(s *Subject, sw *probe.Software, p *packaging) *Verdict {
	_, carried := packages[sw.Product]
	v := Verdict{Kind: Vulnerable}
	switch {
	case carried && p.distribution != "" && p.revision != "" && p.release != "":
		v.Known, v.Data = finding.Claimed, builtinData
		v.Vulnerables = j.ofPackage(sw, p)
		if j.Index != nil {
			v.Data = j.Index.data()
		}
	case carried && p.distribution != "":
		return nil
	default:
		v.Known, v.Data = finding.Inferred, builtinData
		v.Vulnerables = builtinOfVersion(s, sw)
		if j.enrich(v.Vulnerables) {
			v.Data = j.Index.data()
		}
	}
	if len(v.Vulnerables) == 0 {
		return nil
	}
	worstFirst(v.Vulnerables)
	for _, x := range v.Vulnerables {
		severity := x.Severity
		switch {
		case v.Known != finding.Inferred:
		case !x.KEV.IsZero():
			severity = finding.High
		default:
			severity = min(severity, finding.Medium)
		}
		v.Severity = max(v.Severity, severity)
	}
	v.Detail = detail(v.Vulnerables)
	told := v // what most products have nothing of isn't made for all
	return &told
}

// detail names the first of a list, how many others there are, and since when the first is known to be exploited.
func detail(list []Vulnerability) string {
	text := list[0].ID
	if list[0].Name != "" {
		text += " (" + list[0].Name + ")"
	}
	if n := len(list) - 1; n > 0 {
		text += fmt.Sprintf(" and %d more", n)
	}
	if first := list[0]; !first.KEV.IsZero() {
		text += ", exploited: in CISA's catalogue since " + first.KEV.Format(time.DateOnly)
	}
	return text
}

// ofPackage returns the vulnerabilities of a package: what the index says if it knows the package, or else the built-in
// table.
func (j Judge) ofPackage(sw *probe.Software, p *packaging) []Vulnerability {
	version := p.upstream + "-" + p.revision
	ecosystem := p.distribution + ":" + p.release
	list, known := j.Index.find(ecosystem, packageOf(sw.Product, p.distribution), version)
	if !known {
		list = builtinOfPackage(sw.Product, ecosystem, version)
		j.enrich(list)
	}
	for i := range list {
		list[i].References = append(list[i].References, trackers(p.distribution, list[i].ID)...)
	}
	return list
}

func packageOf(product, distribution string) string {
	if distribution == "alpine" {
		return packages[product].alpine
	}
	return packages[product].debian
}

// trackers returns where a distribution writes about a vulnerability.
func trackers(distribution, id string) []string {
	switch distribution {
	case "debian":
		return []string{"https://security-tracker.debian.org/tracker/" + id}
	case "ubuntu":
		return []string{"https://ubuntu.com/security/" + id}
	case "alpine":
		return []string{"https://security.alpinelinux.org/vuln/" + id}
	}
	return nil
}

// enrich adds what the index knows of how vulnerabilities of the built-in table are exploited, and reports whether it knows any.
func (j Judge) enrich(list []Vulnerability) (known bool) {
	for i := range list {
		if j.Index != nil && j.Index.enrich(&list[i]) {
			known = true
		}
		list[i].rate()
	}
	return known
}
