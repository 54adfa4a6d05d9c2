package advisory

import (
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/handclasp/handclasp/probe"
)

// A carrier is a distribution's release that carries a product in a version.
type carrier struct {
	product      string
	distribution string // as in a life cycle
	release      string
	version      string // its first parts
	pkg          string // the package's version, if the server says another one
}

// builtinCarriers returns the releases that carry products, by product.
var builtinCarriers = sync.OnceValue(func() map[string][]carrier {
	text, err := builtinFiles.ReadFile("builtin/carriers.txt")
	if err != nil {
		panic(err) // a test reads it
	}
	list := map[string][]carrier{}
	for line := range strings.Lines(string(text)) {
		f := strings.Split(strings.TrimSpace(line), "\t")
		if strings.HasPrefix(line, "#") || len(f) < 3 {
			continue
		}
		distribution, release, _ := strings.Cut(f[1], ":")
		c := carrier{product: f[0], distribution: distribution, release: release, version: f[2]}
		if len(f) > 3 {
			c.pkg = f[3]
		}
		list[c.product] = append(list[c.product], c)
	}
	return list
})

// carriersOf returns the releases that carry the version of a product, of one distribution unless it is empty.
func carriersOf(product, version, distribution string) (list []carrier) {
	for _, c := range builtinCarriers()[product] {
		if (distribution == "" || c.distribution == distribution) && within(version, c.version) {
			list = append(list, c)
		}
	}
	return list
}

// packages are the source packages of the products that distributions carry, by the name that package fingerprint
// gives them: Debian's, which Ubuntu's are as well, and Alpine's.
var packages = map[string]struct{ debian, alpine string }{
	"AsyncSSH":       {"python-asyncssh", ""},
	"Cyrus IMAP":     {"cyrus-imapd", "cyrus-imapd"},
	"Dovecot":        {"dovecot", "dovecot"},
	"Dropbear":       {"dropbear", "dropbear"},
	"Erlang/OTP SSH": {"erlang", "erlang"},
	"Exim":           {"exim4", "exim"},
	"INN":            {"inn2", ""},
	"Leafnode":       {"leafnode", ""},
	"libssh":         {"libssh", "libssh"},
	"OpenSMTPD":      {"opensmtpd", "opensmtpd"},
	"OpenSSH":        {"openssh", "openssh"},
	"Paramiko":       {"paramiko", "py3-paramiko"},
	"Postfix":        {"postfix", "postfix"},
	"ProFTPD":        {"proftpd-dfsg", "proftpd"},
	"Pure-FTPd":      {"pure-ftpd", "pure-ftpd"},
	"rsync":          {"rsync", "rsync"},
	"Samba":          {"samba", "samba"},
	"Sendmail":       {"sendmail", ""},
	"TinySSH":        {"tinyssh", "tinyssh"},
	"vsftpd":         {"vsftpd", "vsftpd"},
}

// A packaging is what is told of the package that a product comes from.
type packaging struct {
	distribution string // as in a life cycle, or another word; empty if none is told
	release      string // empty if it isn't known
	revision     string // empty if it isn't told
	upstream     string // the package's version without its revision
}

var (
	debianUpdate = regexp.MustCompile(`[+~]deb(\d+)u\d`)
	redHatUpdate = regexp.MustCompile(`\.el(\d+)(?:[._]|$)`)
)

// packagingOf returns what is told of the package: by the product's own entry, by the operating system's beside it, and
// by the revision, which names the release, or at least goes with one release's version alone.
func packagingOf(s *probe.Software, system *probe.Software) packaging {
	p := packaging{revision: s.PackageRevision, upstream: s.Version}
	p.distribution, p.release = distributionOf(s.Distribution, "")
	if system != nil {
		if name, release := distributionOf(system.Product, system.Version); p.distribution == "" || p.distribution == name {
			p.distribution = name
			if p.release == "" {
				p.release = release
			}
		}
	}
	if m := redHatUpdate.FindStringSubmatch(s.PackageRevision); m != nil && p.distribution != "debian" && p.distribution != "ubuntu" {
		p.distribution, p.release = "rhel", m[1]
	}
	if m := debianUpdate.FindStringSubmatch(s.PackageRevision); m != nil && p.distribution == "debian" && p.release == "" {
		p.release = m[1]
	}
	if strings.Contains(p.revision, "fips") || strings.Contains(p.revision, "~bpo") {
		p.distribution, p.release = "another build of "+p.distribution, "" // which a release's data isn't about
	}
	if p.distribution == "" {
		return p
	}
	if p.release == "" {
		p.release = onlyRelease(carriersOf(s.Product, s.Version, p.distribution), s.PackageRevision)
	}
	for _, c := range carriersOf(s.Product, s.Version, p.distribution) {
		if c.release == p.release && c.pkg != "" {
			p.upstream = c.pkg
		}
	}
	return p
}

// onlyRelease returns the one release that carries a version or, of several, the one that the revision names, as
// 0ubuntu0.22.04.7 does. A revision alone isn't enough: Ubuntu 20.04 has had a Samba 0ubuntu0.21.04.1.
func onlyRelease(carriers []carrier, revision string) string {
	if len(carriers) > 1 {
		carriers = slices.DeleteFunc(carriers, func(c carrier) bool { return !strings.Contains(revision, "ubuntu0."+c.release+".") })
	}
	if len(carriers) != 1 {
		return ""
	}
	return carriers[0].release
}

var firstNumber = regexp.MustCompile(`\d+(?:\.\d+)?`)

// distributionOf returns the name by which life cycles know a distribution, or another lower-case word for one that
// they don't, and its release if it is told, be it behind the name.
func distributionOf(name, release string) (string, string) {
	lower := strings.ToLower(name)
	for _, d := range distributions {
		if strings.HasPrefix(lower, d.begins) {
			if release == "" {
				release = firstNumber.FindString(name)
			}
			return d.is, release
		}
	}
	return lower, release
}

// distributions are the names by which life cycles know them.
var distributions = []struct{ begins, is string }{
	{"debian", "debian"}, {"raspbian", "debian"}, {"raspberry pi os", "debian"}, {"ubuntu", "ubuntu"}, {"alpine", "alpine"},
	{"red hat", "rhel"}, {"rhel", "rhel"}, {"enterprise linux", "rhel"}, {"centos", "rhel"}, {"alma", "rhel"}, {"rocky", "rhel"}, {"oracle linux", "rhel"},
	{"freebsd", "freebsd"}, {"amazon linux", "amazon-linux"}, {"suse linux enterprise", "sles"}, {"sles", "sles"},
}
