package advisory_test

import (
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/handclasp/handclasp/advisory"
	"github.com/handclasp/handclasp/finding"
	"github.com/handclasp/handclasp/probe"
)

// ends returns what is said to have ended, at the beginning of a day.
func ends(t testing.TB, l *advisory.LifeCycle, day string, software ...probe.Software) (list []advisory.Verdict) {
	at, err := time.Parse(time.DateOnly, day)
	require.NoError(t, err)
	for _, v := range (advisory.Judge{LifeCycle: l}).Judge(advisory.Subject{Software: software, Time: at}) {
		if v.Kind == advisory.EndOfLife {
			list = append(list, v)
		}
	}
	return list
}

func is(product, version string) probe.Software {
	return probe.Software{Product: product, Version: version}
}

func TestEndOfLife(t *testing.T) {
	const none = finding.Severity(0)
	for _, test := range []struct {
		software probe.Software
		day      string
		want     finding.Severity
	}{
		// The day after the end counts, and the result's own time.
		{is("Debian Linux", "11"), "2026-08-31", none},
		{is("Debian Linux", "11"), "2026-09-01", finding.Medium}, // sold until 2031
		{is("Debian Linux", "8"), "2026-11-27", finding.High},
		{is("Debian Linux", "12"), "2026-11-27", none},
		{is("Debian Linux", "99"), "2026-11-27", none},
		{is("Raspberry Pi OS", "10"), "2026-11-27", finding.Medium},
		{is("Ubuntu Linux", "20.04"), "2026-11-27", finding.Medium},
		{is("Ubuntu Linux", "20.04"), "2025-05-30", none},
		{is("Ubuntu Linux", "23.10"), "2026-11-27", finding.High},
		{is("Ubuntu Linux", "22.04"), "2026-11-27", none},
		{is("FreeBSD", "13.2"), "2026-11-27", finding.High},
		{is("FreeBSD", "14.4"), "2026-11-27", none},

		// Of a family of one build, the youngest member counts.
		{is("Windows Server 2019 or 10 1809", "10.0.17763"), "2026-11-27", none},
		{is("Windows 10 or Server 1909", "10.0.18363"), "2021-05-12", none},
		{is("Windows 10 or Server 1909", "10.0.18363"), "2026-11-27", finding.High},
		{is("Windows Server 2012 R2 or 8.1", "6.3.9600"), "2024-01-01", finding.Medium},
		{is("Windows Server 2012 R2 or 8.1", "6.3.9600"), "2026-11-27", finding.High},
		{is("Windows Server 2016 or 10 1607", "10.0.14393"), "2026-11-27", none},
		{is("Windows 10 or Server 1903 to 1909", "10.0.18362"), "2021-05-12", none},
		{is("Windows 10 or Server 1903 to 1909", "10.0.18362"), "2026-11-27", finding.High},
		{is("Windows 10 or Server 2004 to 22H2", "10.0.19041"), "2025-01-01", none},
		{is("Windows 10 or Server 2004 to 22H2", "10.0.19041"), "2026-11-27", finding.Medium},
		{is("Windows 11 22H2 to 23H2", "10.0.22621"), "2026-11-10", none},
		{is("Windows 11 22H2 to 23H2", "10.0.22621"), "2026-11-27", finding.High},
		{is("Windows Server 2025 or 11 24H2 to 26H2", "10.0.26100"), "2026-11-27", none},
		{is("Windows 10 22H2", "10.0.19045"), "2026-11-27", finding.Medium},
		{is("Windows Server 2025 or 11 24H2", "10.0.26100"), "2026-11-27", none},
		{is("Windows Server 2008", "6.0.6003"), "2026-11-27", finding.High},
		{is("Windows XP", "5.1.2600"), "2026-11-27", finding.High},
		{is("Windows", "10.0.27842"), "2026-11-27", none},
		{is("Windows", ""), "2026-11-27", none},

		// Builds of Exchange.
		{is("Exchange Server", "15.2.2562.17"), "2026-11-27", none},
		{is("Exchange Server", "15.2.1748.10"), "2026-01-01", finding.Medium},
		{is("Exchange Server", "15.2.1118.7"), "2026-11-27", finding.High},
		{is("Exchange Server", "15.1.2507.6"), "2026-11-27", finding.High},
		{is("Exchange Server", "5.5.2653.13"), "2026-11-27", finding.High},
		{is("IIS SMTP Service", "8.5.9600.16384"), "2026-11-27", finding.High},
		{is("IIS SMTP Service", "10.0.17763.1697"), "2026-11-27", none},

		// A version that nobody packages has what the project says; one that a distribution carries has what is said
		// there, be it the youngest of them.
		{is("OpenSSH", "9.7p1"), "2026-11-27", finding.High},
		{is("OpenSSH", "5.2p1"), "2026-11-27", finding.High},
		{is("OpenSSH", "3.9p1"), "2026-11-27", finding.High},
		{is("OpenSSH", "7.4p1"), "2026-11-27", finding.Medium}, // Red Hat sells updates of 7
		{is("OpenSSH", "7.4p1"), "2024-01-01", none},
		{is("OpenSSH", "8.0p1"), "2026-11-27", none}, // Red Hat's 8
		{is("OpenSSH", "9.2p1"), "2026-11-27", none}, // Debian's 12
		{is("OpenSSH", "10.2p1"), "2026-11-27", none},
		{is("OpenSSH", "42.0"), "2026-11-27", none},
		{is("OpenSSH", ""), "2026-11-27", none},
		{is("Exim", "4.91"), "2026-11-27", finding.High},
		{is("Exim", "4.96"), "2026-11-27", none},
		{is("ProFTPD", "1.3.5e"), "2026-11-27", finding.Medium}, // Ubuntu's 18.04
		{is("ProFTPD", "1.3.3c"), "2026-11-27", finding.High},
		{is("ProFTPD", "1.3.8b"), "2026-11-27", none},
		{is("Samba", "3.6.3"), "2026-11-27", finding.High},
		{is("Samba", "4.19.5"), "2026-11-27", none},
		{is("Postfix", "2.9.6"), "2026-11-27", finding.High},
		{is("Pure-FTPd", "1.0.20"), "2026-11-27", finding.High},
		{is("INN", "2.5.4"), "2026-11-27", finding.High},
		{is("Dropbear", "0.52"), "2026-11-27", finding.High},
		{is("Dropbear", "2022.83"), "2026-11-27", none},
		{is("FileZilla Server", "0.9.41"), "2026-11-27", finding.High},
		{is("FileZilla Server", "1.8.0"), "2026-11-27", none},
		{is("FooFTP", "1.0"), "2026-11-27", none},
	} {
		list := ends(t, nil, test.day, test.software)
		if test.want == none {
			assert.Empty(t, list, "%v on %s", test.software, test.day)
			continue
		}
		if assert.Len(t, list, 1, "%v on %s", test.software, test.day) {
			v := list[0]
			assert.Equal(t, test.want, v.Severity, "%v on %s: %s", test.software, test.day, v.Detail)
			assert.Equal(t, finding.Inferred, v.Known)
			assert.Regexp(t, `^https?://`, v.Source)
			assert.Equal(t, "built-in", v.Data.Digest)
			assert.False(t, v.Ended.IsZero())
		}
	}
}

// TestEndOfAPackage: a package ends with the release that it is of, which its revision proves, and that is said once.
func TestEndOfAPackage(t *testing.T) {
	packaged := func(product, version, distribution, revision string) probe.Software {
		return probe.Software{Product: product, Version: version, Distribution: distribution, PackageRevision: revision}
	}
	for name, test := range map[string]struct {
		software []probe.Software
		detail   string
		known    finding.Known
	}{
		"by its revision": {
			[]probe.Software{packaged("OpenSSH", "8.4p1", "Debian", "5+deb11u3")},
			"Debian 11 ended 2026-08-31, paid support until 2031-06-30", finding.Claimed,
		},
		"by the system's entry": {
			[]probe.Software{packaged("OpenSSH", "8.4p1", "Debian", "5+deb11u3"), is("Debian Linux", "11")},
			"Debian Linux 11 ended 2026-08-31, paid support until 2031-06-30", finding.Claimed,
		},
		"without a revision": {
			[]probe.Software{is("Debian Linux", "11")},
			"Debian Linux 11 ended 2026-08-31, paid support until 2031-06-30", finding.Inferred,
		},
		"by the release that carries it": {
			[]probe.Software{packaged("OpenSSH", "6.6.1p1", "Ubuntu", "2ubuntu2.13")},
			"Ubuntu 14.04 ended 2019-04-30", finding.Claimed,
		},
		"by the youngest release that carries it": {
			[]probe.Software{packaged("ProFTPD", "1.3.5b", "Debian", "")},
			"Debian 9 ended 2022-06-30, paid support until 2027-06-30", finding.Inferred,
		},
		"by Red Hat's suffix": {
			[]probe.Software{packaged("Cyrus IMAP", "2.3.16", "Red Hat", "6.el6_1.4")},
			"Red Hat Enterprise Linux 6 ended 2020-11-30", finding.Claimed,
		},
		"of a version alone, with the last release that carries it": {
			[]probe.Software{is("ProFTPD", "1.3.5e")},
			"ProFTPD 1.3.5 ended 2023-05-31 with Ubuntu 18.04, paid support until 2028-04-01", finding.Inferred,
		},
		"of a version alone, by itself": {
			[]probe.Software{is("Exim", "4.91")}, "Exim 4.91 ended 2019-02-10", finding.Inferred,
		},
		"not of a maintained release":       {[]probe.Software{packaged("OpenSSH", "9.2p1", "Debian", "2+deb12u3")}, "", ""},
		"not of a release that is not told": {[]probe.Software{packaged("OpenSSH", "9.0p1", "Ubuntu", "1ubuntu7")}, "", ""},
		"not of FreeBSD's own":              {[]probe.Software{packaged("OpenSSH", "9.7", "FreeBSD", "20240806")}, "", ""},
		"not beside Windows":                {[]probe.Software{is("OpenSSH", "7.7"), is("Windows", "")}, "", ""},
	} {
		list := ends(t, nil, "2026-11-27", test.software...)
		if test.detail == "" {
			assert.Empty(t, list, name)
			continue
		}
		if assert.Len(t, list, 1, name) {
			assert.Equal(t, test.detail, list[0].Detail, name)
			assert.Equal(t, test.known, list[0].Known, name)
		}
	}
}

// TestLoadLifeCycle: both editions of endoflife.date's files, in place of what is built in.
func TestLoadLifeCycle(t *testing.T) {
	written := time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)
	l, err := advisory.LoadLifeCycle(fstest.MapFS{
		"debian.json": {ModTime: written, Data: []byte(`[{"cycle":"13","eol":"2028-08-09","extendedSupport":"2030-06-30"},
			{"cycle":"12","eol":"2026-07-11","extendedSupport":"2028-06-30","latest":"12.15"},{"cycle":"10","eol":"2022-09-10","extendedSupport":"2024-06-30"}]`)},
		"exim.json": {Data: []byte(`{"schema_version":"1.2.0","last_modified":"2026-10-30T00:00:00Z","result":{"releases":[
			{"name":"4.99","isEol":false,"eolFrom":null},{"name":"4.85","isEol":true,"eolFrom":"2015-07-26"},{"name":"3","isEol":true}]}}`)},
		"proftpd.json": {Data: []byte(`[{"cycle":1.4,"eol":true},{"cycle":"1.3","eol":false}]`)},
		"index.json":   {Data: []byte(`{"schema_version":"1.2.0","result":[{"name":"debian"}]}`)},
		"all.json":     {Data: []byte(`["debian","exim"]`)},
		"README":       {Data: []byte("no JSON")},
	})
	require.NoError(t, err)

	assert.Empty(t, ends(t, l, "2026-11-27", is("Debian Linux", "12")), "its extended support is for everybody")
	list := ends(t, l, "2026-11-27", is("Debian Linux", "10"))
	require.Len(t, list, 1)
	assert.Equal(t, finding.High, list[0].Severity)
	assert.Equal(t, "2024-06-30", list[0].Ended.Format(time.DateOnly))
	assert.Equal(t, "https://endoflife.date/debian", list[0].Source)
	assert.Equal(t, written, list[0].Data.Date)
	assert.Regexp(t, `^sha256:[0-9a-f]{64}$`, list[0].Data.Digest)

	list = ends(t, l, "2026-11-27", is("Exim", "4.85"))
	require.Len(t, list, 1)
	assert.Equal(t, "2026-10-30", list[0].Data.Date.Format(time.DateOnly))
	assert.Empty(t, ends(t, l, "2026-11-27", is("Exim", "4.99.1")))
	list = ends(t, l, "2026-11-27", is("ProFTPD", "1.4.2"))
	require.Len(t, list, 1)
	assert.Equal(t, "ProFTPD 1.4 ended", list[0].Detail)
	assert.NotEmpty(t, ends(t, l, "2026-11-27", is("Ubuntu Linux", "20.04")), "a product that isn't there is built in")
}

func TestDigestOfLifeCycle(t *testing.T) {
	load := func(name, text string) string {
		l, err := advisory.LoadLifeCycle(fstest.MapFS{name: {Data: []byte(text)}})
		require.NoError(t, err)
		return l.Digest()
	}
	const one, other = `[{"cycle":"1","eol":"2026-01-31"}]`, `[{"cycle":"1","eol":"2027-01-31"}]`
	first := load("exim.json", one)
	require.Equal(t, first, load("exim.json", one))
	require.NotEqual(t, first, load("exim.json", other))
	require.NotEqual(t, first, load("postfix.json", one))
	require.NotEqual(t, first, advisory.BuiltinLifeCycle().Digest())
}

func TestNoLifeCycle(t *testing.T) {
	for name, dir := range map[string]fstest.MapFS{
		"empty":     {},
		"half":      {"debian.json": {Data: []byte(`[{"cycle":`)}},
		"no text":   {"debian.json": {Data: []byte(`[{"cycle":"1","latest":3}]`)}},
		"too large": {"debian.json": {Data: []byte(strings.Repeat(" ", 4<<20+1))}},
	} {
		_, err := advisory.LoadLifeCycle(dir)
		assert.Error(t, err, name)
	}
}

// FuzzLifeCycle: no file brings a judgement down.
func FuzzLifeCycle(f *testing.F) {
	f.Add([]byte(`[{"cycle":"12","eol":"2026-07-11","extendedSupport":true,"latest":"10.0.17763"}]`), "12")
	f.Add([]byte(`{"result":{"releases":[{"name":"4.99","isEol":true,"latest":{"name":"15.2.1"}}]}}`), "15.2.1.7")
	f.Fuzz(func(t *testing.T, data []byte, version string) {
		l, err := advisory.LoadLifeCycle(fstest.MapFS{
			"debian.json": {Data: data}, "windows.json": {Data: data}, "msexchange.json": {Data: data}, "openssh.json": {Data: data},
		})
		if err != nil {
			return
		}
		for _, product := range []string{"Debian Linux", "Windows", "Exchange Server", "OpenSSH"} {
			for _, v := range ends(t, l, "2026-11-27", is(product, version)) {
				_, err := v.Ended.MarshalJSON()
				require.NoError(t, err)
			}
		}
	})
}
