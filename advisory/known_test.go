package advisory

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/handclasp/handclasp/finding"
	"github.com/handclasp/handclasp/probe"
)

// TestBuiltinTable: each entry is whole, and its facts can be read.
func TestBuiltinTable(t *testing.T) {
	seen := map[string]bool{}
	for _, k := range builtinTable() {
		assert.Regexp(t, `^CVE-\d{4}-\d{4,}$`, k.id)
		assert.False(t, seen[k.id], "%s is there twice", k.id)
		seen[k.id] = true
		assert.NotEmpty(t, k.products, k.id)
		assert.NotEmpty(t, k.affected, k.id)
		for i, b := range k.affected {
			require.NotEmpty(t, b.to, k.id)
			assert.Negative(t, compareUpstream(b.from, b.to), k.id)
			assert.True(t, i == 0 || compareUpstream(k.affected[i-1].to, b.from) <= 0, "%s: ranges in order", k.id)
		}
		for ecosystem, fixed := range k.packages {
			assert.True(t, orderOf(ecosystem).valid(fixed), "%s: %s", k.id, fixed)
			for _, p := range k.products {
				assert.Contains(t, packages, p, k.id)
			}
		}
		v := k.vulnerability("")
		if k.cvss != "" {
			assert.Positive(t, v.Score, k.id)
		}
		if k.kev != "" {
			assert.GreaterOrEqual(t, v.Severity, finding.High, k.id)
			assert.True(t, v.KEV.After(day("2021-11-02")), "%s: before the catalogue began", k.id)
		}
		for _, ref := range v.References {
			assert.Regexp(t, `^https?://\S+$`, ref, k.id)
		}
		assert.False(t, slices.Contains(k.cwe, 0), k.id)
	}
}

// TestScores holds vectors to the scores that their CVE records have.
func TestScores(t *testing.T) {
	for vector, want := range map[string]float64{
		anybodyAll: 9.8, anybodyRoot: 10, raceAll: 8.1, anybodyRead: 7.5, anybodyHint: 5.3, anybodyForge: 5.3, userAll: 8.8, anybodyAll2: 10,
		"CVSS:3.0/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:N":                    9.1,
		"CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N": 9.3,
		"": 0, "CVSS:3.1/AV:N": 0, "CVSS:9.9/AV:N": 0, "AV:": 0,
	} {
		assert.InDelta(t, want, score(vector), 1e-9, vector)
	}
}

// TestKnownByVersion: each famous one fires on the last version that has it, and not on the first that is mended.
func TestKnownByVersion(t *testing.T) {
	for _, test := range []struct {
		id, product    string
		affected, free []string
		severity       finding.Severity // of the verdict on the first that is affected
	}{
		{"CVE-2024-6387", "OpenSSH", []string{"9.7p1", "8.5p1", "4.3p2"}, []string{"9.8p1", "9.8", "8.4p1", "7.4", "10.0p2"}, finding.Medium},
		{"CVE-2025-26466", "OpenSSH", []string{"9.9p1", "9.5p1"}, []string{"9.9p2", "9.4p1"}, finding.Medium},
		{"CVE-2018-15473", "OpenSSH", []string{"7.7p1", "5.3p1"}, []string{"7.8p1", "10.0p1"}, finding.Medium},
		{"CVE-2018-10933", "libssh", []string{"0.8.3", "0.6.0", "0.7.5"}, []string{"0.8.4", "0.7.6", "0.5.2", "0.10.6"}, finding.Medium},
		{"CVE-2025-32433", "Erlang/OTP SSH", []string{"5.2.9", "5.1.4.7", "4.15.3.11", "4.9"}, []string{"5.2.10", "5.1.4.8", "4.15.3.12", "5.3"}, finding.High},
		{"CVE-2016-7406", "Dropbear", []string{"2016.73", "0.52"}, []string{"2016.74", "2022.83"}, finding.Medium},
		{"CVE-2021-35211", "Serv-U", []string{"15.2.3.717", "15.1", "6.4"}, []string{"15.2.3.742", "15.2.3", "15.2", "15.4.2.157"}, finding.High},
		{"CVE-2011-2523", "vsftpd", []string{"2.3.4"}, []string{"2.3.5", "2.3.3", "3.0.3"}, finding.Medium},
		{"CVE-2015-3306", "ProFTPD", []string{"1.3.5", "1.3.5rc3"}, []string{"1.3.5a", "1.3.5e", "1.3.4e", "1.3.6"}, finding.Medium},
		{"CVE-2010-4221", "ProFTPD", []string{"1.3.3a", "1.3.2e"}, []string{"1.3.3c", "1.3.2rc2", "1.3.1"}, finding.Medium},
		{"CVE-2010-20103", "ProFTPD", []string{"1.3.3c"}, []string{"1.3.3b", "1.3.3d"}, finding.Medium},
		{"CVE-2025-47812", "Wing FTP Server", []string{"7.4.3", "4.3.8"}, []string{"7.4.4", "7.4", "8.0"}, finding.High},
		{"CVE-2018-14847", "RouterOS", []string{"6.42", "6.40.7"}, []string{"6.42.1", "6.40.8", "6.49.17", "7.20rc2"}, finding.High},
		{"CVE-2019-10149", "Exim", []string{"4.91", "4.87.1"}, []string{"4.92", "4.86_2", "4.96"}, finding.High},
		{"CVE-2019-15846", "Exim", []string{"4.92.1", "4.92"}, []string{"4.92.2", "4.94.2"}, finding.High},
		{"CVE-2023-42115", "Exim", []string{"4.96", "4.94.2"}, []string{"4.96.1", "4.97"}, finding.Medium},
		{"CVE-2020-7247", "OpenSMTPD", []string{"6.6.1p1", "6.4.0p2"}, []string{"6.6.2p1", "6.0.3p1", "7.4.0p1"}, finding.High},
		{"CVE-2006-0058", "Sendmail", []string{"8.13.5", "8.12.11"}, []string{"8.13.6", "8.18.1"}, finding.Medium},
		{"CVE-2017-7494", "Samba", []string{"4.6.3", "3.5.0", "4.5.9", "4.4.13"}, []string{"4.6.4", "4.5.10", "4.4.14", "3.4.17", "4.17.12"}, finding.High},
		{"CVE-2021-44142", "Samba", []string{"4.15.4", "4.13.16", "4.14.11"}, []string{"4.15.5", "4.13.17", "4.14.12", "4.16.0"}, finding.Medium},
		{"CVE-2007-2447", "Samba", []string{"3.0.20", "3.0.24"}, []string{"3.0.25", "3.0.28a", "2.2.8a"}, finding.Medium},
		{"CVE-2024-12085", "rsync", []string{"3.3.0", "3.1.3"}, []string{"3.4.0", "3.4.1"}, finding.Medium},
	} {
		for _, version := range test.affected {
			v, ids := knownOf(Subject{}, probe.Software{Product: test.product, Version: version})
			assert.Contains(t, ids, test.id, "%s %s", test.product, version)
			assert.Equal(t, finding.Inferred, v.Known)
		}
		for _, version := range test.free {
			_, ids := knownOf(Subject{}, probe.Software{Product: test.product, Version: version})
			assert.NotContains(t, ids, test.id, "%s %s", test.product, version)
		}
		v, _ := knownOf(Subject{}, probe.Software{Product: test.product, Version: test.affected[0]})
		assert.Equal(t, test.severity, v.Severity, test.id)
	}
}

// knownOf returns the verdict of the built-in table, and which vulnerabilities it names.
func knownOf(s Subject, software ...probe.Software) (v Verdict, ids []string) {
	s.Software, s.Time = software, day("2026-11-27")
	for _, v = range (Judge{}).Judge(s) {
		if v.Kind == Vulnerable {
			for _, x := range v.Vulnerables {
				ids = append(ids, x.ID)
			}
			return v, ids
		}
	}
	return Verdict{}, nil
}

// TestOneVerdictAProduct: with its list, those that are exploited first.
func TestOneVerdictAProduct(t *testing.T) {
	verdicts := Judge{}.Judge(Subject{Software: []probe.Software{{Product: "Exim", Version: "4.89"}}, Time: day("2026-11-27")})
	require.Len(t, verdicts, 2)
	assert.Equal(t, []Kind{Vulnerable, EndOfLife}, []Kind{verdicts[0].Kind, verdicts[1].Kind}, "the more severe first")
	v := verdicts[0]
	assert.Equal(t, finding.High, v.Severity)
	assert.Equal(t, builtinData, v.Data)
	assert.Equal(t, "CVE-2019-10149", v.Vulnerables[0].ID)
	assert.Equal(t, "4.92", v.Vulnerables[0].Fixed)
	assert.Equal(t, "2022-01-10", v.Vulnerables[0].KEV.Format(time.DateOnly))
	assert.True(t, strings.HasPrefix(v.Detail, "CVE-2019-10149 (Return of the WIZard) and "), v.Detail)
	assert.Equal(t, "https://nvd.nist.gov/vuln/detail/CVE-2019-10149", v.Vulnerables[0].References[0])
}

// TestSilence: what a distribution carries isn't judged by its version, nor what plays another product.
func TestSilence(t *testing.T) {
	for name, software := range map[string][]probe.Software{
		"a distribution without a revision": {{Product: "OpenSSH", Version: "8.9p1", Distribution: "Ubuntu"}},
		"the system beside it":              {{Product: "ProFTPD", Version: "1.3.5"}, {Product: "Debian Linux"}},
		"one that isn't known":              {{Product: "Samba", Version: "4.6.2", Distribution: "Slackware"}},
		"FreeBSD's own":                     {{Product: "OpenSSH", Version: "9.7", Distribution: "FreeBSD", PackageRevision: "20240806"}},
		"Microsoft's own":                   {{Product: "OpenSSH", Version: "9.5"}, {Product: "Windows"}},
		"Ubuntu's certified build":          {{Product: "OpenSSH", Version: "8.9p1", Distribution: "Ubuntu", PackageRevision: "3ubuntu0.fips.0.1"}},
		"a backport":                        {{Product: "OpenSSH", Version: "8.4p1", Distribution: "Debian", PackageRevision: "2~bpo10+1"}},
		"a release that isn't told":         {{Product: "OpenSSH", Version: "9.7p1", Distribution: "Debian", PackageRevision: "5"}},
		"no version":                        {{Product: "OpenSSH"}},
		"a honeypot":                        {{Product: "OpenSSH", Version: "6.0p1", Hint: "honeypot"}},
		"a mended revision":                 {{Product: "OpenSSH", Version: "9.2p1", Distribution: "Debian", PackageRevision: "2+deb12u3"}},
		"an unlisted product":               {{Product: "FooFTP", Version: "0.1"}},
	} {
		_, ids := knownOf(Subject{}, software...)
		assert.Empty(t, ids, name)
	}
	// What no distribution carries is judged on any system.
	_, ids := knownOf(Subject{}, probe.Software{Product: "Serv-U", Version: "6.4"}, probe.Software{Product: "Windows"})
	assert.Contains(t, ids, "CVE-2021-35211")
}

// TestServersOtherVersion: Debian 13's server says 10.0p2, and its package 1:10.0p1-7.
func TestServersOtherVersion(t *testing.T) {
	for said, pkg := range map[probe.Software]packaging{
		{Product: "OpenSSH", Version: "10.0p2", Distribution: "Debian", PackageRevision: "7"}: {
			distribution: "debian", release: "13", revision: "7", upstream: "10.0p1"},
		{Product: "OpenSSH", Version: "6.6.1p1", Distribution: "Ubuntu", PackageRevision: "2ubuntu2.13"}: {
			distribution: "ubuntu", release: "14.04", revision: "2ubuntu2.13", upstream: "6.6p1"},
		{Product: "OpenSSH", Version: "7.9p1", Distribution: "Raspbian", PackageRevision: "10+deb10u2"}: {
			distribution: "debian", release: "10", revision: "10+deb10u2", upstream: "7.9p1"},
		{Product: "rsync", Version: "3.2.7", Distribution: "Ubuntu", PackageRevision: "0ubuntu0.22.04.7"}: {
			distribution: "ubuntu", release: "22.04", revision: "0ubuntu0.22.04.7", upstream: "3.2.7"},
		{Product: "rsync", Version: "3.2.7", Distribution: "Ubuntu", PackageRevision: "1ubuntu1.5"}: {
			distribution: "ubuntu", revision: "1ubuntu1.5", upstream: "3.2.7"},
	} {
		assert.Equal(t, pkg, packagingOf(&said, nil), "%v", said)
	}
}

// TestSMBGhost needs all three: the build, the dialect with its compression, and nothing that says no.
func TestSMBGhost(t *testing.T) {
	windows := func(product, build string) probe.Software { return probe.Software{Product: product, Version: build} }
	v, ids := knownOf(Subject{SMBCompression: probe.Yes}, windows("Windows 10 or Server 1909", "10.0.18363"))
	assert.Equal(t, []string{"CVE-2020-0796"}, ids)
	assert.Equal(t, finding.High, v.Severity)
	for _, compression := range []probe.Fact{probe.No, ""} {
		_, ids = knownOf(Subject{SMBCompression: compression}, windows("Windows 10 or Server 1909", "10.0.18363"))
		assert.Empty(t, ids)
	}
	_, ids = knownOf(Subject{SMBCompression: probe.Yes}, windows("Windows 10 or Server 2004 to 22H2", "10.0.19041"))
	assert.Empty(t, ids)
}
