package advisory

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"
)

// osvRecord is a record of the Open Source Vulnerability format (https://ossf.github.io/osv-schema/), as far as it is
// read here.
type osvRecord struct {
	ID        string        `json:"id"`
	Modified  time.Time     `json:"modified"`
	Withdrawn string        `json:"withdrawn"`
	Severity  []osvSeverity `json:"severity"`
	Affected  []osvAffected `json:"affected"`
}

type osvSeverity struct {
	Type  string `json:"type"`
	Score string `json:"score"`
}

type osvAffected struct {
	Package struct {
		Ecosystem string `json:"ecosystem"`
		Name      string `json:"name"`
	} `json:"package"`
	Severity []osvSeverity `json:"severity"`
	Ranges   []osvRange    `json:"ranges"`
	Versions []string      `json:"versions"`
	Specific struct {
		Urgency  string `json:"urgency"`         // Debian's
		Priority string `json:"ubuntu_priority"` // Ubuntu's
	} `json:"ecosystem_specific"`
}

type osvRange struct {
	Type   string     `json:"type"`
	Events []osvEvent `json:"events"`
}

type osvEvent struct {
	Introduced   string `json:"introduced"`
	Fixed        string `json:"fixed"`
	LastAffected string `json:"last_affected"`
}

var cveID = regexp.MustCompile(`^(?:[A-Z]+-)?(CVE-\d{4}-\d{4,})$`)

// rating returns the newest CVSS vector among severities, and a distribution's word for them.
func rating(list []osvSeverity) (vector, word string) {
	for _, s := range list {
		switch {
		case strings.HasPrefix(s.Type, "CVSS_"):
			if score(s.Score) > 0 && (vector == "" || newerCVSS(s.Score, vector)) {
				vector = s.Score
			}
		default:
			word = s.Score
		}
	}
	return vector, word
}

// newerCVSS reports whether a is of a newer version of CVSS than b; vectors of version 2 have no version in front.
func newerCVSS(a, b string) bool {
	version := func(v string) string {
		if rest, ok := strings.CutPrefix(v, "CVSS:"); ok {
			return rest[:min(3, len(rest))]
		}
		return ""
	}
	return version(a) > version(b)
}

// A span is a range of versions of a package: from the first one on, up to the end.
type span struct {
	from      string // "0" is before any version
	to        string // empty: no end
	inclusive bool   // to is affected as well
}

// spans returns the versions that are affected: what the ranges say, or else each version that is listed.
func (a *osvAffected) spans() []span {
	var list []span
	for _, r := range a.Ranges {
		if r.Type != "ECOSYSTEM" {
			continue
		}
		open := false
		for _, e := range r.Events {
			switch {
			case e.Introduced != "":
				list, open = append(list, span{from: e.Introduced}), true
			case open && e.Fixed != "":
				list[len(list)-1].to, open = e.Fixed, false
			case open && e.LastAffected != "":
				list[len(list)-1].to, list[len(list)-1].inclusive, open = e.LastAffected, true, false
			}
		}
	}
	if len(list) == 0 {
		for _, v := range a.Versions {
			list = append(list, span{from: v, to: v, inclusive: true})
		}
	}
	return list
}

// An ecosystem is a release of a distribution.
type ecosystem struct {
	key   string // such as "debian:12", "ubuntu:22.04", "ubuntu-pro:22.04", "alpine:3.20"
	order order
}

var osvEcosystem = regexp.MustCompile(`^(Debian:(\d+)|Ubuntu:(Pro:)?(\d+\.\d+)(:LTS)?|Alpine:v(\d+\.\d+))$`)

// parseEcosystem reads the name of a release as OSV writes it. Others than releases of Debian, Ubuntu and Alpine, and
// Ubuntu's certified and real-time builds, aren't told apart by a banner and aren't kept.
func parseEcosystem(name string) (ecosystem, bool) {
	m := osvEcosystem.FindStringSubmatch(name)
	switch {
	case m == nil:
		return ecosystem{}, false
	case m[2] != "":
		return ecosystem{"debian:" + m[2], dpkg}, true
	case m[3] != "":
		return ecosystem{"ubuntu-pro:" + m[4], dpkg}, true
	case m[4] != "":
		return ecosystem{"ubuntu:" + m[4], dpkg}, true
	}
	return ecosystem{"alpine:" + m[6], alpine}, true
}

// orderOf returns the order of versions in an ecosystem, by its key.
func orderOf(key string) order {
	if strings.HasPrefix(key, "alpine:") {
		return alpine
	}
	return dpkg
}

// addOSV adds a record about one vulnerability, as DEBIAN-CVE-2024-6387 is. Records of a distribution's notices, such as
// DSA-5724-1, are left out: one names several vulnerabilities and several releases, and not each of them is in each.
func (b *Builder) addOSV(data []byte) error {
	var r osvRecord
	if err := json.Unmarshal(data, &r); err != nil {
		return fmt.Errorf("OSV record: %w", err)
	}
	if r.ID == "" {
		return errors.New("OSV record: it has no id")
	}
	m := cveID.FindStringSubmatch(r.ID)
	if m == nil || r.Withdrawn != "" {
		return nil
	}
	b.seen(r.Modified)
	for i := range r.Affected {
		if err := b.addAffected(m[1], r.Severity, &r.Affected[i]); err != nil {
			return fmt.Errorf("OSV record %s: %w", r.ID, err)
		}
	}
	return nil
}

func (b *Builder) addAffected(cve string, severity []osvSeverity, a *osvAffected) error {
	eco, ok := parseEcosystem(a.Package.Ecosystem)
	spans := a.spans()
	// Debian calls unimportant what can't be reached in its packages.
	if !ok || len(spans) == 0 || a.Specific.Urgency == "unimportant" {
		return nil
	}
	vector, word := rating(append(slices.Clip(severity), a.Severity...))
	word = cmp.Or(a.Specific.Priority, word, a.Specific.Urgency)
	return b.affects(eco, a.Package.Name, b.vulnerability(cve, vector, word), spans)
}
