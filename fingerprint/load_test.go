package fingerprint_test

import (
	"io/fs"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"

	"github.com/handclasp/handclasp/fingerprint"
)

// file is a file of fingerprints of test.banner.
func file(fingerprints ...string) *fstest.MapFile {
	return &fstest.MapFile{Data: []byte(`<?xml version='1.0' encoding='UTF-8'?><fingerprints matches="test.banner">` + "\n" +
		strings.Join(fingerprints, "\n") + "</fingerprints>")}
}

// one is a fingerprint that says what its pattern is called.
func one(pattern, flags, name string) string {
	return `<fingerprint pattern="` + pattern + `" flags="` + flags + `"><description>` + name + `</description>` +
		`<example>x</example><param pos="0" name="service.product" value="` + name + `"/></fingerprint>`
}

func load(t *testing.T, fingerprints ...string) *fingerprint.DB {
	t.Helper()
	db, err := fingerprint.Load(fstest.MapFS{"test.xml": file(fingerprints...)})
	require.NoError(t, err)
	return db
}

func TestFirstMatchWins(t *testing.T) {
	db := load(t, one("^hello world", "", "long"), one("^hello", "", "short"), one("hello", "", "anywhere"))
	for text, want := range map[string]string{
		"hello world": "long", "hello": "short", "oh, hello": "anywhere", "Hello": "", "": "", "oh\nhello": "short",
	} {
		m, ok := db.Match("test.banner", text)
		require.Equal(t, want != "", ok, text)
		require.Equal(t, want, m.Name)
		require.Equal(t, want, m.Params["service.product"])
	}
	_, ok := db.Match("other.banner", "hello")
	require.False(t, ok)
}

// Patterns are Ruby's.
func TestFlags(t *testing.T) {
	for _, c := range []struct {
		pattern, flags string
		yes, no        []string
	}{
		{"^FTP$", "", []string{"FTP", "a\nFTP\nb"}, []string{"ftp", "FTP ", "a FTP"}},
		{"^FTP$", "REG_ICASE", []string{"ftp", "Ftp"}, []string{"ft"}},
		{"^FTP$", "IGNORECASE", []string{"ftp"}, nil},
		{"^FTP.SERVER$", "", []string{"FTP SERVER"}, []string{"FTP\nSERVER"}},
		{"^FTP.SERVER$", "REG_DOT_NEWLINE", []string{"FTP\nSERVER"}, []string{"ftp\nserver"}},
		{"^FTP.SERVER$", "REG_MULTILINE", []string{"FTP\nSERVER"}, nil},
		{"^FTP.SERVER$", "REG_LINE_ANY_CRLF", []string{"FTP\nSERVER"}, nil},
		{"^FTP.SERVER$", "REG_ICASE, REG_MULTILINE", []string{"ftp\nserver"}, nil},
		{"(?m)^FTP.SERVER$", "", []string{"FTP\nSERVER"}, nil},
		{"(?i-m:ftp).SERVER", "", []string{"FTP SERVER"}, []string{"FTP\nSERVER", "FTP server"}},
		{`\(?m FTP[(?m]`, "", []string{"(m FTP?", "m FTPm"}, []string{"(s FTP?", "m FTPs"}},
		{"ſmtp ſervice", "REG_ICASE", []string{"SMTP service", "ſmtp ſervice"}, nil},
		{"kelvin", "REG_ICASE", []string{"KELVIN", "\u212Aelvin"}, nil},
		{"smtp", "", []string{"smtp"}, []string{"ſmtp"}},
	} {
		db := load(t, one(c.pattern, c.flags, "x"))
		for _, text := range c.yes {
			_, ok := db.Match("test.banner", text)
			require.True(t, ok, "%s %s: %q", c.pattern, c.flags, text)
		}
		for _, text := range c.no {
			_, ok := db.Match("test.banner", text)
			require.False(t, ok, "%s %s: %q", c.pattern, c.flags, text)
		}
	}
}

func TestParams(t *testing.T) {
	db := load(t, `<fingerprint pattern="^(\w+) server(?: (\d+)\.(\d+))? \{(.*)\}">
		<description>  A
			server </description>
		<param pos="0" name="service.vendor" value="{service.product} Inc. {} {a b} }{"/>
		<param pos="1" name="service.product"/>
		<param pos="0" name="service.version" value="{_tmp.major}.{_tmp.minor}"/>
		<param name="os.product" value="plain"/>
		<param pos="2" name="_tmp.major"/>
		<param pos="3" name="_tmp.minor"/>
		<param pos="4" name="x.rest"/>
		<param pos="0" name="x.loop" value="{x.loop}"/>
		<param pos="0" name="x.unknown" value="{x.nothing}"/>
		<param pos="1" name="x.twice"/><param pos="0" name="x.twice" value="later"/>
		<param pos="0" name="service.cpe23" value="cpe:/a:{service.product}:server:{service.version}"/>
		<param pos="0" name="hw.cpe23" value="cpe:/h:{x.nothing}:server"/>
	</fingerprint>`)
	m, ok := db.Match("test.banner", "My server 1.2 {{service.product}}")
	require.True(t, ok)
	require.Equal(t, fingerprint.Match{Name: "A server", Params: map[string]string{
		"service.vendor": "My Inc. {} {a b} }{", "service.product": "My", "service.version": "1.2", "os.product": "plain",
		"x.rest": "{service.product}", "x.twice": "later", "service.cpe23": "cpe:2.3:a:my:server:1.2:*:*:*:*:*:*:*",
	}}, m, "what a text holds is no template")
	m, ok = db.Match("test.banner", "My server {}")
	require.True(t, ok)
	require.NotContains(t, m.Params, "service.version")
	require.Equal(t, "", m.Params["x.rest"])
	require.Equal(t, "cpe:2.3:a:my:server:*:*:*:*:*:*:*:*", m.Params["service.cpe23"])
}

// A fingerprint that can't be used is named, and the others are kept.
func TestLoadErrors(t *testing.T) {
	param := func(p string) string { return `<fingerprint pattern="x">` + p + `</fingerprint>` }
	for bad, want := range map[string]string{
		one("a(?=b)", "", "x"):                  `b.xml:2: pattern "a(?=b)": error parsing regexp: invalid or unsupported Perl syntax`,
		one("a", "REG_SPECIAL", "x"):            `b.xml:2: pattern "a": unknown flag "REG_SPECIAL"`,
		one("", "", "x"):                        "b.xml:2: no pattern",
		one(strings.Repeat("a", 5000), "", "x"): "b.xml:2: a pattern of 5000 bytes: at most 4096 are taken",
		param(`<param pos="1" name="y"/>`):      `b.xml:2: pattern "x": param y: there is no group 1`,
		param(`<param pos="-1" name="y"/>`):     `b.xml:2: pattern "x": param y: there is no group -1`,
		`<fingerprint pattern="(x)"><param pos="1" name="y" value="z"/></fingerprint>`: "param y: both a value and group 1",
		param(`<param pos="0" value="z"/>`):                                            "a param has no name",
		param(`<param pos="one" name="y"/>`):                                           `b.xml: fingerprint in line 2: strconv.ParseInt: parsing "one": invalid syntax`,
		param(`<param name="os.cpe23" value="cpe"/>`):                                  `param os.cpe23: CPE "cpe": a name begins with cpe:/ or cpe:2.3`,
		param(`<param name="os.cpe23" value="cpe:/x:a:b"/>`):                           "the part is a, o or h",
		param(`<param name="os.cpe23" value="cpe:/o:a"/>`):                             "it names no product",
		param(`<param name="os.cpe23" value="cpe:/o:a:%zz"/>`):                         "invalid URL escape",
		param(`<param name="os.cpe23" value="cpe:/o:a:b:c:d:e:f:g"/>`):                 "a URI has at most 7",
		param(`<param name="os.cpe23" value="cpe:2.3:o:a:b:c:d:e:f:g:h:i:j:k"/>`):      "at most 11 are defined",
		param(strings.Repeat(`<param name="y" value="z"/>`, 2) + func() string {
			var b strings.Builder
			for i := range 80 {
				b.WriteString(`<param name="y` + strings.Repeat("y", i) + `"/>`)
			}
			return b.String()
		}()): "more than 64 params",
		param(`<param name="y" value="` + strings.Repeat("a{y}", 9) + `"/>`): "param y: a value of more than 16 pieces",
		"</oops>": "b.xml: XML syntax error on line 2",
		"":        "",
	} {
		db, err := fingerprint.Load(fstest.MapFS{"a.xml": file(one("a", "", "a")), "b.xml": file(bad), "c.xml": file(one("c", "", "c"))})
		if want == "" {
			require.NoError(t, err)
		} else {
			require.ErrorContains(t, err, want)
		}
		require.Equal(t, 2, db.Len())
		require.Equal(t, []string{"test.banner"}, db.Kinds())
	}
}

func TestLoadFiles(t *testing.T) {
	good := file(one("a", "", "a"))
	_, err := fingerprint.Load(fstest.MapFS{})
	require.ErrorIs(t, err, fingerprint.ErrNoFiles)
	_, err = fingerprint.Load(fstest.MapFS{"readme.txt": good})
	require.ErrorIs(t, err, fingerprint.ErrNoFiles)
	_, err = fingerprint.Load(nowhere{})
	require.ErrorIs(t, err, fs.ErrNotExist)

	// A checkout of Recog has its fingerprints in xml, and other files elsewhere.
	db, err := fingerprint.Load(fstest.MapFS{"xml/a.xml": good, "pom.xml": {Data: []byte("<project/>")}, "features/data/b.xml": good})
	require.NoError(t, err)
	require.Equal(t, 1, db.Len())

	db, err = fingerprint.Load(fstest.MapFS{"a.xml": good, "pom.xml": {Data: []byte("<project/>")}, "empty.xml": {}, "large.xml": {
		Data: []byte("<fingerprints>" + strings.Repeat(" ", 9<<20) + "</fingerprints>"),
	}})
	require.ErrorContains(t, err, "pom.xml: the root is <project>, not <fingerprints>")
	require.ErrorContains(t, err, "empty.xml: no fingerprints")
	require.ErrorContains(t, err, "large.xml: larger than 8388608 bytes")
	require.Equal(t, 1, db.Len())

	// A file that names no kind is for the one that it is called by.
	unnamed := &fstest.MapFile{Data: []byte(strings.Replace(string(good.Data), ` matches="test.banner"`, "", 1))}
	db, err = fingerprint.Load(fstest.MapFS{"smtp_ehlo.xml": unnamed, "smb_native_os.xml": unnamed})
	require.NoError(t, err)
	require.Equal(t, []string{"smb.native_os", "smtp.ehlo"}, db.Kinds())
}

// nowhere is a folder that doesn't exist.
type nowhere struct{}

func (nowhere) Open(name string) (fs.File, error) {
	return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
}

func TestVerify(t *testing.T) {
	verify := func(examples string) (int, error) {
		return fingerprint.Verify(fstest.MapFS{"t/long": {Data: []byte("hello 3")}, "t.xml": file(`<fingerprint pattern="^hello (\d)$">` + examples +
			`<param pos="1" name="service.version"/><param name="service.cpe23" value="cpe:/a:x:y:{service.version}"/></fingerprint>`)})
	}
	n, err := verify(`<example service.version="1">hello 1</example><example _encoding="base64" service.version="2">aGVs
		bG8gMg==</example><example _filename="long" service.version="3"/><example service.cpe23="cpe:/a:x:y:4">hello 4</example>`)
	require.NoError(t, err)
	require.Equal(t, 4, n)
	for example, want := range map[string]string{
		`<example>hi 1</example>`:                                 `holds none of ["hello "]`,
		`<example>hello you</example>`:                            `doesn't match "hello you"`,
		`<example service.version="2">hello 1</example>`:          `gives the service.version "1", not "2"`,
		`<example os.version="">hello 1</example>`:                `gives the os.version "", not ""`,
		`<example service.cpe23="cpe:/a:x:y:2">hello 1</example>`: `not "cpe:2.3:a:x:y:2:*:*:*:*:*:*:*"`,
		`<example _encoding="rot13">uryyb 1</example>`:            `only base64 is known`,
		`<example _encoding="base64">?</example>`:                 `illegal base64`,
		`<example _filename="none"/>`:                             `file does not exist`,
	} {
		_, err := verify(example)
		require.ErrorContains(t, err, want)
		require.ErrorContains(t, err, "t.xml:2")
	}
}
