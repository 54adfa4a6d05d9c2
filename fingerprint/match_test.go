package fingerprint_test

import (
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"

	"github.com/handclasp/handclasp/fingerprint"
	"github.com/handclasp/handclasp/probe"
)

// talker is evidence with banners and an NTLM challenge.
type talker struct {
	banners []probe.Banner
	ntlm    *probe.NTLM
}

func (*talker) Protocol() string             { return "test" }
func (e *talker) Banners() []probe.Banner    { return e.banners }
func (e *talker) NTLMChallenge() *probe.NTLM { return e.ntlm }

func software(db *fingerprint.DB, e probe.Evidence) []probe.Software {
	return db.Software(&probe.Result{Evidence: e})
}

func says(kind, source, text string) probe.Banner {
	return probe.Banner{Kind: kind, Source: source, Text: text}
}

func TestSoftware(t *testing.T) {
	db := fingerprint.Builtin()
	windows := func(name, version, cpe, source string) probe.Software {
		return probe.Software{Vendor: "Microsoft", Product: name, Version: version, CPE: "cpe:2.3:o:microsoft:" + cpe + ":*:*:*:*:*:*:*", Source: source}
	}
	iis := probe.Software{Vendor: "Microsoft", Product: "IIS", CPE: "cpe:2.3:a:microsoft:internet_information_services:*:*:*:*:*:*:*:*", Source: "greeting"}
	server := windows("Windows Server 2022", "10.0.20348", "windows_server_2022:10.0.20348", "ntlm")

	got := software(db, &talker{banners: []probe.Banner{
		says("ftp.banner", "greeting", "Microsoft FTP Service"), says("ftp.syst", "system", "Windows_NT"), says("ftp.syst", "again", "Windows_NT"),
		says("ftp.feat", "features", ""), says("unknown", "x", "Microsoft FTP Service"),
	}})
	require.Equal(t, []probe.Software{iis, windows("Windows", "", "windows:*", "greeting")}, got, "once each")

	got = software(db, &talker{banners: []probe.Banner{says("ftp.banner", "greeting", "Microsoft FTP Service")}, ntlm: &probe.NTLM{OSVersion: "Windows 10.0 build 20348"}})
	require.Equal(t, []probe.Software{iis, server}, got, "what says more takes the place of what says less")
	got = software(db, &talker{ntlm: &probe.NTLM{OSVersion: "Windows 10.0 build 20348"}, banners: []probe.Banner{says("smb.native_lm", "lm", "Windows 2000 LAN Manager")}})
	require.Equal(t, []probe.Software{server}, got, "in whichever order")

	got = software(db, &talker{banners: []probe.Banner{
		says("nntp.banner", "greeting", "news InterNetNews ready"), says("nntp.implementation", "implementation", "INN 2.7.1"),
		says("nntp.banner", "mode_reader", "news InterNetNews NNRP server INN 2.6.0 ready"),
	}})
	require.Equal(t, []probe.Software{{
		Vendor: "ISC", Product: "INN", Version: "2.7.1", CPE: "cpe:2.3:a:isc:inn:2.7.1:*:*:*:*:*:*:*", Source: "implementation",
	}}, got)

	// Another set's spelling of the same product.
	other, err := fingerprint.Load(fstest.MapFS{"test.xml": file(`<fingerprint pattern="^a"><param name="service.vendor" value="ISC Inc."/>
		<param name="service.product" value="InterNetNews"/><param name="service.cpe23" value="cpe:/a:isc:inn"/></fingerprint>`,
		`<fingerprint pattern="^b"><param name="service.vendor" value="ISC Inc."/><param name="service.product" value="inn"/></fingerprint>`)})
	require.NoError(t, err)
	for _, text := range []string{"a", "b"} {
		got = software(other.Then(db), &talker{banners: []probe.Banner{
			says("test.banner", "greeting", text), says("nntp.implementation", "implementation", "INN 2.7.1"),
		}})
		require.Len(t, got, 1)
		require.Equal(t, "2.7.1", got[0].Version)
	}

	got = software(db, &talker{ntlm: &probe.NTLM{OSVersion: "Windows 6.1 build 0"}})
	require.Equal(t, "Samba", got[0].Product)
	require.Len(t, got, 1)
}

// A file server that speaks SMB1 names its system twice. If both say the same, the more exact one stays.
func TestSystemNamedTwice(t *testing.T) {
	for _, c := range []struct {
		lm, os, ntlm string
		want         []string
	}{
		{"Windows Server 2008 R2 Standard 6.1", "Windows Server 2008 R2 Standard 7601 Service Pack 1", "6.1 build 7601", []string{"Windows Server 2008 R2 7601"}},
		{"Windows 7 Professional 6.1", "Windows 7 Professional 7601 Service Pack 1", "6.1 build 7601", []string{"Windows 7 7601"}},
		{"Windows Server 2003 5.2", "Windows Server 2003 3790 Service Pack 2", "5.2 build 3790", []string{"Windows Server 2003 3790"}},
		{"Windows 2000 LAN Manager", "Windows 5.1", "5.1 build 2600", []string{"Windows XP 5.1.2600"}},
		{"Windows Server 2016 Standard 6.3", "Windows Server 2016 Standard 14393", "10.0 build 14393", []string{"Windows Server 2016 14393"}},
		{"Windows 10 Pro 6.3", "Windows 10 Pro 17763", "10.0 build 17763", []string{"Windows 10 17763"}},
		{"Windows 10 Pro 6.3", "Windows 10 Pro 19045", "10.0 build 19045", []string{"Windows 10 22H2 10.0.19045"}},
		// The challenge tells the first build of a family.
		{"Windows 10 Pro 6.3", "Windows 10 Pro 19045", "10.0 build 19041", []string{"Windows 10 19045"}},
		{"Windows 10 Pro 6.3", "Windows 10 Pro 18363", "10.0 build 18362", []string{"Windows 10 18363"}},
		{"Windows 10 Pro 6.3", "Windows 11 Pro 22631", "10.0 build 22621", []string{"Windows 11 22631"}},
		{"Windows 10 Pro 6.3", "Windows 11 Pro 26200", "10.0 build 26100", []string{"Windows 11 26200"}},
		{"Windows 10 Pro 6.3", "Windows 11 Pro 26100", "10.0 build 26100", []string{"Windows 11 26100"}},
		{"", "Windows Server 2025 Standard 26100", "10.0 build 26100", []string{"Windows Server 2025 26100"}},
		{"Windows 10 Home 6.3", "Windows 10 Home 15063", "10.0 build 15063", []string{"Windows 10 1703 10.0.15063"}},
		{`Windows (TM) Code Name "Longhorn" Ultimate 6.0`, `Windows (TM) Code Name "Longhorn" Ultimate 5231`, "6.0 build 5231", []string{"Windows Vista 5231"}},
		// They contradict each other.
		{"", "Windows Server 2016 Standard 14393", "10.0 build 17763", []string{"Windows Server 2016 14393", "Windows Server 2019 or 10 1809 10.0.17763"}},
		{"", "Windows Server 2012 R2 Standard 9600", "10.0 build 14393", []string{"Windows Server 2012 R2 9600", "Windows Server 2016 or 10 1607 10.0.14393"}},
		// Samba claims versions of Windows.
		{"Samba 4.17.12-Debian", "Windows 6.1", "6.1 build 0", []string{"Samba 4.17.12", "Debian Linux "}},
		{"Samba 3.6.3", "Unix", "6.1 build 0", []string{"Samba 3.6.3"}},
		{"", "", "6.1 build 0", []string{"Samba "}},
	} {
		banners := []probe.Banner{says("smb.native_lm", "lm", c.lm), says("smb.native_os", "os", c.os), says("ntlm.os_version", "ntlm", "Windows "+c.ntlm)}
		var got []string
		for _, s := range software(fingerprint.Builtin(), &talker{banners: banners}) {
			got = append(got, s.Product+" "+s.Version)
		}
		require.Equal(t, c.want, got, "%q %q %q", c.lm, c.os, c.ntlm)
		slices.Reverse(banners)
		require.Len(t, software(fingerprint.Builtin(), &talker{banners: banners}), len(c.want), "in whichever order")
	}
}

// Builds from the first Windows 10 on have names; what no Windows says has none.
func TestWindowsBuilds(t *testing.T) {
	for version, want := range map[string]string{
		"Windows 10.0 build 10240": "Windows 10 1507", "Windows 10.0 build 10586": "Windows 10 1511",
		"Windows 10.0 build 14393": "Windows Server 2016 or 10 1607", "Windows 10.0 build 15063": "Windows 10 1703",
		"Windows 10.0 build 18362": "Windows 10 or Server 1903 to 1909", "Windows 10.0 build 19041": "Windows 10 or Server 2004 to 22H2",
		"Windows 10.0 build 20348": "Windows Server 2022", "Windows 10.0 build 22621": "Windows 11 22H2 to 23H2",
		"Windows 10.0 build 26100": "Windows Server 2025 or 11 24H2 to 26H2", "Windows 10.0 build 26200": "Windows 11 25H2",
		"Windows 10.0 build 28000": "Windows 11 26H1", "Windows 10.0 build 27842": "Windows",
		"255.255 build 65535 revision 255": "", "10.0 build 17763 revision 0": "", "0.0 build 0 revision 15": "",
	} {
		list := software(fingerprint.Builtin(), &talker{ntlm: &probe.NTLM{OSVersion: version}})
		if want == "" {
			require.Empty(t, list, version)
			continue
		}
		require.Len(t, list, 1, version)
		require.Equal(t, want, list[0].Product, version)
	}
}

// A version older than the dialect allows is another system's.
func TestDialectRefutesVersion(t *testing.T) {
	for _, c := range []struct{ dialect, version, want string }{
		{"3.0.2", "6.1 build 7600", ""}, {"2.0.2", "5.2 build 3790", ""}, {"2.1", "6.0 build 6002", ""}, {"3.1.1", "6.3 build 9600", ""},
		{"2.1", "6.1 build 7601", "Windows Server 2008 R2 or 7 SP1"}, {"2.0.2", "6.0 build 6001", "Windows Server 2008 or Vista SP1"},
		{"3.0", "6.2 build 9200", "Windows Server 2012 or 8"}, {"3.0.2", "6.3 build 9600", "Windows Server 2012 R2 or 8.1"},
		{"2.0.2", "10.0 build 20348", "Windows Server 2022"}, {"3.1.1", "10.0 build 20348", "Windows Server 2022"},
		{"3.1.1", "6.1 build 0", "Samba"},
	} {
		list := software(fingerprint.Builtin(), &talker{
			ntlm: &probe.NTLM{OSVersion: "Windows " + c.version}, banners: []probe.Banner{says("smb.dialect", "preferred_dialect", c.dialect)},
		})
		if c.want == "" {
			require.Empty(t, list, "%s %s", c.dialect, c.version)
			continue
		}
		require.Equal(t, c.want, list[0].Product, "%s %s", c.dialect, c.version)
	}
	// Which other one, its mechanisms say.
	list := software(fingerprint.Builtin(), &talker{ntlm: &probe.NTLM{OSVersion: "Windows 6.1 build 7600"}, banners: []probe.Banner{
		says("smb.dialect", "preferred_dialect", "3.0.2"), says("smb.mechanisms", "auth_mechanisms", "KRB5\nMS-KRB5\n1.2.752.43.14.3\nNTLM"),
	}})
	require.Equal(t, []probe.Software{{Vendor: "Apple", Product: "macOS", CPE: "cpe:2.3:o:apple:macos:*:*:*:*:*:*:*:*", Source: "auth_mechanisms"}}, list)
}

func TestNothingToRecognise(t *testing.T) {
	var none *fingerprint.DB
	for _, r := range []*probe.Result{nil, {}, {Evidence: &probe.RawEvidence{}}, {Evidence: &talker{}}, {Evidence: &talker{ntlm: &probe.NTLM{}}}} {
		for _, db := range []*fingerprint.DB{none, fingerprint.Builtin()} {
			list := db.Software(r)
			require.NotNil(t, list)
			require.Empty(t, list)
		}
	}
	_, ok := none.Match("ftp.banner", "(vsFTPd 3.0.3)")
	require.False(t, ok)
	require.Zero(t, none.Len())
	require.Empty(t, none.Kinds())
}

func TestThen(t *testing.T) {
	first := load(t, one("^vague", "", "nothing"), one("^known", "", "mine"))
	second := load(t, one("^vague", "", "theirs"), one("^known", "", "theirs"), one("^rare", "", "rare"))
	vague, err := fingerprint.Load(fstest.MapFS{"test.xml": file(`<fingerprint pattern="^vague"><param name="service.certainty" value="0.0"/></fingerprint>`)})
	require.NoError(t, err)
	for _, c := range []struct {
		db                 *fingerprint.DB
		vague, known, rare string
	}{
		{first.Then(second), "nothing", "mine", "rare"},
		{second.Then(first), "theirs", "theirs", "rare"},
		{first, "nothing", "mine", ""},
		{first.Then(nil), "nothing", "mine", ""},
		{(*fingerprint.DB)(nil).Then(first), "nothing", "mine", ""},
		// A match that names nothing doesn't keep the next from being asked.
		{vague.Then(first).Then(second), "nothing", "mine", "rare"},
		{vague.Then(first.Then(second)), "nothing", "mine", "rare"},
	} {
		for text, want := range map[string]string{"vague": c.vague, "known": c.known, "rare": c.rare} {
			list := software(c.db, &talker{banners: []probe.Banner{says("test.banner", "greeting", text)}})
			if want == "" {
				require.Empty(t, list)
				continue
			}
			require.Equal(t, want, list[0].Product)
		}
	}
	require.Equal(t, 5, first.Then(second).Len())
}

// Only the beginning of a text counts, however long it is.
func TestLongText(t *testing.T) {
	db := load(t, one("end", "", "end"))
	_, ok := db.Match("test.banner", strings.Repeat("x", 1021)+"end")
	require.True(t, ok)
	_, ok = db.Match("test.banner", strings.Repeat("x", 1022)+"end")
	require.False(t, ok)
	_, ok = db.Match("test.banner", strings.Repeat("ä", 1<<20)+"end")
	require.False(t, ok)
	db = load(t, one("^x+ä?$", "", "whole runes"))
	_, ok = db.Match("test.banner", strings.Repeat("x", 1023)+"ä")
	require.True(t, ok)
}

func TestManyGoroutines(t *testing.T) {
	db := load(t, one("^hello (\\w+)", "", "x"))
	var wait sync.WaitGroup
	for range 8 {
		wait.Go(func() {
			for range 50 {
				_, ok := db.Match("test.banner", "hello world")
				_, lines := db.Match("test.banner", "oh\nhello world")
				if !ok || !lines {
					t.Error("missed")
				}
			}
		})
	}
	wait.Wait()
}

// Whatever a server says.
func FuzzMatch(f *testing.F) {
	db := fingerprint.Builtin()
	for _, l := range lookups {
		f.Add(l.kind, l.text)
	}
	f.Add("smtp.ehlo", "250-mail.example.com\n250-PIPELINING\n250 8BITMIME")
	f.Fuzz(func(t *testing.T, kind, text string) {
		m, ok := db.Match(kind, text)
		list := m.Software("greeting")
		if !ok && list != nil {
			t.Fatal(list)
		}
		for _, s := range list {
			if s.Product == "" || s.CPE != "" && strings.Count(strings.ReplaceAll(s.CPE, `\:`, ""), ":") != 12 {
				t.Fatalf("%q: %+v", text, s)
			}
		}
	})
}

// Whatever a file holds.
func FuzzLoad(f *testing.F) {
	f.Add(file(one("^a(b)?", "REG_ICASE", "x")).Data, "ab")
	f.Add([]byte(`<fingerprints><fingerprint pattern="(?m)(.)"><param pos="1" name="a"/><param name="b" value="{a}{b}{c"/><param name="os.cpe23" value="cpe:/o:{a}:{b}"/>`), "x")
	f.Fuzz(func(t *testing.T, data []byte, text string) {
		if len(data) > 10_000 {
			return
		}
		files := fstest.MapFS{"test_banner.xml": {Data: data}}
		db, err := fingerprint.Load(files)
		if db == nil {
			t.Fatal(err)
		}
		for _, kind := range db.Kinds() {
			db.Match(kind, text)
		}
		_, _ = fingerprint.Verify(files)
	})
}
