package ftp

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/handclasp/handclasp/finding"
	"github.com/handclasp/handclasp/probe"
	"github.com/handclasp/handclasp/probe/probetest"
)

const transcripts = "testdata/transcripts/"

// want says what a conversation must show; what it leaves out isn't looked at, but every conversation is held to the
// promises of requireSafe and requireLasting.
type want struct {
	outcome  probe.Outcome
	findings string // ids without "ftp.", separated by spaces
	check    func(t *testing.T, e *Evidence)
}

var conversations = map[string]want{
	"plain": {outcome: probe.OutcomeOK, findings: "cleartext-login exposed tls-missing", check: func(t *testing.T, e *Evidence) {
		require.Equal(t, []string{"MDTM", "REST STREAM", "SIZE", "UTF8"}, e.Features)
		require.Equal(t, "UNIX Type: L8", e.System)
		require.Equal(t, probe.No, e.AuthTLS)
		require.Equal(t, 502, e.AuthReply.Code, "of AUTH TLS")
		require.Nil(t, e.TLS)
		require.Equal(t, probe.Yes, e.CleartextLogin)
		require.Equal(t, Anonymous{
			Login: probe.No, OverTLS: probe.No,
			UserReply: &probe.Reply{Code: 331, Lines: []string{"Guest login ok, send your email address as password"}},
			PassReply: &probe.Reply{Code: 530, Lines: []string{"Login incorrect"}},
		}, e.Anonymous)
	}},
	"wait-120": {outcome: probe.OutcomeOK, findings: "anonymous exposed tls-missing", check: func(t *testing.T, e *Evidence) {
		require.Equal(t, &probe.Reply{Code: 220, Lines: []string{"Now"}}, e.Greeting)
		require.Equal(t, probe.Yes, e.CleartextLogin)
		require.Equal(t, probe.Yes, e.Anonymous.Login)
		require.Nil(t, e.Anonymous.PassReply)
		require.Equal(t, `/the "public" one`, e.Anonymous.Directory)
	}},
	"multiline": {outcome: probe.OutcomeOK, findings: "cleartext-login exposed tls-missing", check: func(t *testing.T, e *Evidence) {
		require.Equal(t, []string{"Welcome to 220 Main Street", ""}, e.Greeting.Lines)
		require.Equal(t, []string{"AUTH SSL", "230 not the end", "211 neither", "MLST type*;perm*;"}, e.Features)
		require.Equal(t, "UNIX\nType: L8", e.System)
		require.Equal(t, probe.No, e.AuthTLS)
		require.Equal(t, probe.Yes, e.CleartextLogin)
		require.Equal(t, probe.No, e.Anonymous.Login, "it wants an account, which nobody gives it")
	}},
	"lf-only": {outcome: probe.OutcomeOK, findings: "exposed tls-missing", check: func(t *testing.T, e *Evidence) {
		require.Equal(t, []string{"hello", "there"}, e.Greeting.Lines)
		require.Equal(t, []string{"UTF8"}, e.Features)
		require.Equal(t, probe.No, e.CleartextLogin)
	}},
	"telnet": {outcome: probe.OutcomeOK, findings: "exposed tls-missing", check: func(t *testing.T, e *Evidence) {
		require.True(t, e.Greeting.Lossy)
		require.Equal(t, "� �\x00!", e.Greeting.Text())
		require.Equal(t, []string{"�"}, e.Features)
		require.Equal(t, probe.No, e.CleartextLogin)
	}},
	"greeting-421":  {outcome: probe.OutcomeBusy, findings: "exposed", check: nothingAsked},
	"greeting-530":  {outcome: probe.OutcomeDenied, findings: "exposed", check: nothingAsked},
	"greeting-only": {outcome: probe.OutcomeOK, findings: "exposed", check: nothingAsked},
	"greeting-cut": {outcome: probe.OutcomeClosed, findings: "exposed", check: func(t *testing.T, e *Evidence) {
		require.Equal(t, []string{"hello", "th"}, e.Greeting.Lines)
	}},
	"silence":      {outcome: probe.OutcomeTimeout, check: func(t *testing.T, e *Evidence) { require.Nil(t, e.Greeting) }},
	"mail":         {outcome: probe.OutcomeNotProtocol, check: nothingAsked},
	"mail-unnamed": {outcome: probe.OutcomeNotProtocol, check: nothingAsked},
	"news":         {outcome: probe.OutcomeNotProtocol, check: nothingAsked},
	"ssh":          {outcome: probe.OutcomeNotProtocol, check: nothingAsked},
	"cleartext-refused-421": {
		outcome: probe.OutcomeOK, findings: "anonymous anonymous-listing anonymous-writable exposed passive-address-leak",
		check: func(t *testing.T, e *Evidence) {
			require.Equal(t, probe.No, e.CleartextLogin)
			require.Equal(t, probe.Yes, e.ProtectsData)
			require.Equal(t, []string{"AUTH TLS", "MLST type*;size*;perm*;modify*;"}, e.FeaturesAfterTLS)
			require.Equal(t, probe.Yes, e.Anonymous.Login)
			require.Equal(t, probe.Yes, e.Anonymous.OverTLS)
			require.Equal(t, "10.0.0.5", e.Anonymous.PassiveAddress)
			size := int64(12)
			require.Equal(t, &Listing{Entries: []Entry{
				{Name: "two  words; and more", Type: TypeFile, Size: &size, Modified: "2026-01-02T03:04:05Z", Permissions: "r", Writable: probe.No},
				{Name: "link", Type: TypeLink},
				{Name: "dir", Type: TypeDirectory, Permissions: "0755"},
				{Name: "caf�", Lossy: true, Type: TypeFile},
			}, Unparsed: 1, UnparsedSample: []string{"not a line of MLSD"}, Current: &Entry{
				Name: "/", Type: TypeCurrent, Modified: "2026-01-01T00:00:00Z", Permissions: "flcdmpe", Writable: probe.Yes,
			}}, e.Anonymous.Listing)
		},
	},
	"one-connection": {outcome: probe.OutcomeOK, findings: "anonymous cleartext-login exposed", check: func(t *testing.T, e *Evidence) {
		require.Equal(t, probe.Yes, e.CleartextLogin)
		require.Equal(t, probe.No, e.ProtectsData, "asked again behind the login")
		require.Equal(t, probe.Yes, e.Anonymous.Login, "the refusal in cleartext doesn't replace it")
		require.Equal(t, probe.Yes, e.Anonymous.OverTLS)
		require.Empty(t, e.Anonymous.Directory)
		require.Empty(t, e.Features)
	}},
	"no-more-connections": {outcome: probe.OutcomeBusy, findings: "exposed", check: func(t *testing.T, e *Evidence) {
		require.Equal(t, probe.Unknown, e.CleartextLogin)
		require.Equal(t, probe.No, e.Anonymous.Login)
	}},
	"auth-ssl": {outcome: probe.OutcomeTLS, findings: "cleartext-login exposed", check: func(t *testing.T, e *Evidence) {
		require.Equal(t, probe.Yes, e.AuthTLS)
		require.Equal(t, 334, e.AuthReply.Code)
		require.NotEmpty(t, e.TLS.Error)
		require.Equal(t, probe.Yes, e.CleartextLogin)
		require.Equal(t, probe.Unknown, e.Anonymous.Login, "inside TLS it may be otherwise")
	}},
	"leftover": {outcome: probe.OutcomeTLS, findings: "exposed", check: func(t *testing.T, e *Evidence) {
		require.Equal(t, "230 Logged in\r\n", string(e.TLS.LeftoverPlaintext))
		require.Equal(t, probe.Unknown, e.Anonymous.Login)
	}},
	"hang-up-at-auth": {outcome: probe.OutcomeClosed, findings: "exposed", check: func(t *testing.T, e *Evidence) {
		require.Equal(t, probe.Unknown, e.AuthTLS)
		require.Equal(t, probe.Unknown, e.CleartextLogin)
		require.Equal(t, Anonymous{}, e.Anonymous)
	}},
	"hang-up-behind-no": {outcome: probe.OutcomeBusy, findings: "exposed tls-missing", check: func(t *testing.T, e *Evidence) {
		require.Equal(t, probe.Unknown, e.Anonymous.Login, "421 is no answer")
	}},
	"implicit": {outcome: probe.OutcomeBusy, findings: "exposed", check: func(t *testing.T, e *Evidence) {
		require.Equal(t, probe.Yes, e.ImplicitTLS)
		require.Equal(t, []string{"PBSZ", "PROT"}, e.FeaturesAfterTLS)
		require.Equal(t, probe.Yes, e.ProtectsData)
		require.Equal(t, probe.Unknown, e.AuthTLS)
		require.Nil(t, e.CleartextReply)
		require.Equal(t, probe.Unknown, e.Anonymous.Login)
		require.Equal(t, 430, e.Anonymous.UserReply.Code)
	}},
	"implicit-greeting": {outcome: probe.OutcomeOK, findings: "exposed", check: func(t *testing.T, e *Evidence) {
		require.Equal(t, "implicit", e.TLS.Mode)
		require.Zero(t, e.Anonymous)
	}},
	"implicit-plain": {outcome: probe.OutcomeTLS, findings: "exposed", check: func(t *testing.T, e *Evidence) {
		require.Equal(t, &probe.Reply{Code: 220, Lines: []string{"ready"}}, e.Greeting)
		require.Equal(t, probe.No, e.ImplicitTLS)
	}},
	"list-unix": {
		outcome: probe.OutcomeOK, findings: "anonymous anonymous-listing anonymous-writable cleartext-login exposed tls-missing",
		check: func(t *testing.T, e *Evidence) {
			size, seven := int64(1234), int64(7)
			require.Equal(t, &Listing{Entries: []Entry{
				{Name: "two  words", Type: TypeFile, Size: &size, Modified: "Jan 2 03:04", Permissions: "-r--r--r--", Writable: probe.No},
				{Name: "incoming", Type: TypeDirectory, Modified: "Jan 2 03:04", Permissions: "drwxrwxrwt", Writable: probe.Yes},
				{Name: "link", Type: TypeLink, Modified: "Jan 2 03:04", Permissions: "lrwxrwxrwx"},
				{Name: "sda", Type: TypeOther, Modified: "Jan 2 03:04", Permissions: "brw-rw-rw-"},
				{Name: "caf�", Lossy: true, Type: TypeFile, Size: &seven, Modified: "Jan 2 03:04", Permissions: "-rw-r--r--"},
			}, UnparsedSample: []string{}, Current: &Entry{Name: ".", Type: TypeCurrent, Modified: "Jan 2 2019", Permissions: "drwxr-xr-x"}}, e.Anonymous.Listing)
			require.Equal(t, "192.0.2.7", e.Anonymous.PassiveAddress)
		},
	},
	"list-dos": {
		outcome: probe.OutcomeOK, findings: "anonymous anonymous-listing cleartext-login exposed passive-address-leak tls-missing",
		check: func(t *testing.T, e *Evidence) {
			size := int64(1234)
			require.Equal(t, &Listing{Entries: []Entry{
				{Name: "pub", Type: TypeDirectory, Modified: "01-02-19 03:04PM"},
				{Name: "read me.txt", Type: TypeFile, Size: &size, Modified: "01-02-2019 03:04PM"},
			}, UnparsedSample: []string{}}, e.Anonymous.Listing)
		},
	},
	"list-brackets":   {outcome: probe.OutcomeOK, findings: oneListed, check: whole("a.txt")},
	"list-250":        {outcome: probe.OutcomeOK, findings: oneListed, check: whole("a.txt")},
	"list-at-once":    {outcome: probe.OutcomeOK, findings: oneListed, check: whole("a.txt")},
	"list-done-early": {outcome: probe.OutcomeOK, findings: oneListed, check: whole("a.txt")},
	"list-epsv": {outcome: probe.OutcomeOK, findings: oneListed, check: func(t *testing.T, e *Evidence) {
		require.Empty(t, e.Anonymous.PassiveAddress)
		require.Equal(t, []string{"a.txt"}, names(e.Anonymous.Listing))
	}},
	"list-pasv-ipv6": {outcome: probe.OutcomeOK, findings: oneListed, check: func(t *testing.T, e *Evidence) {
		require.Equal(t, "0.0.0.0", e.Anonymous.PassiveAddress)
		require.Equal(t, []string{"a.txt"}, names(e.Anonymous.Listing))
	}},
	"list-machines-not-there": {
		outcome: probe.OutcomeOK, findings: "anonymous anonymous-listing anonymous-writable cleartext-login exposed tls-missing", check: whole("incoming"),
	},
	"list-machines-failed": {outcome: probe.OutcomeOK, findings: oneListed, check: whole("a.txt")},
	"list-mainframes": {outcome: probe.OutcomeOK, findings: oneListed, check: func(t *testing.T, e *Evidence) {
		require.Equal(t, &Listing{Entries: []Entry{
			{Name: "A.B.C", Type: TypeOther},
			{Name: "DATA.SET", Type: TypeFile},
			{Name: "FILE123.DAT;1", Type: TypeFile, Modified: "4-MAR-2019 00:04", Permissions: "(RWED,RWED,RWED,R)"},
			{Name: "QOpenSys", Type: TypeDirectory, Modified: "02/23/00 15:09:55"},
			file("a.txt", 3050, "01/02/24 10:00:00", ""),
		}, Unparsed: 1, UnparsedSample: []string{"who knows"}}, e.Anonymous.Listing)
	}},
	"list-unread": {outcome: probe.OutcomeOK, findings: oneListed, check: func(t *testing.T, e *Evidence) {
		require.Equal(t, &Listing{Entries: []Entry{}, Unparsed: 4, UnparsedSample: []string{"one", "two", "three"}}, e.Anonymous.Listing)
	}},
	"list-hang-up": {outcome: probe.OutcomeClosed, findings: oneListed, check: cut("a.txt")},

	"list-refused":          {outcome: probe.OutcomeOK, findings: noListing, check: listingError("550")},
	"list-refused-late":     {outcome: probe.OutcomeBusy, findings: noListing, check: listingError("451")},
	"list-pasv-refused":     {outcome: probe.OutcomeOK, findings: noListing, check: listingError("502")},
	"list-no-data":          {outcome: probe.OutcomeRefused, findings: noListing, check: listingError("refused")},
	"list-garbled":          {outcome: probe.OutcomeMalformed, findings: noListing, check: listingError("227")},
	"list-low-port":         {outcome: probe.OutcomeOK, findings: noListing, check: listingError("below 1024")},
	"list-machines-refused": {outcome: probe.OutcomeOK, findings: noListing, check: listingError("550 No such thing")},
	"list-machines-busy":    {outcome: probe.OutcomeBusy, findings: noListing, check: listingError("421")},
	"list-machines-garbled": {outcome: probe.OutcomeMalformed, findings: noListing, check: listingError("227 300")},
	"list-machines-no-data": {outcome: probe.OutcomeTimeout, findings: noListing, check: listingError("no connection within")},
	"list-reset":            {outcome: probe.OutcomeBusy, findings: "anonymous anonymous-listing cleartext-login exposed tls-missing", check: cut("one")},
	"list-machines-aborted": {outcome: probe.OutcomeBusy, findings: "anonymous anonymous-listing anonymous-writable cleartext-login exposed tls-missing", check: cut("a")},
	"list-ipv6": {
		outcome: probe.OutcomeOK, findings: "anonymous anonymous-listing cleartext-login exposed tls-missing",
		check: func(t *testing.T, e *Evidence) {
			require.Empty(t, e.Anonymous.PassiveAddress)
			require.Len(t, e.Anonymous.Listing.Entries, 1)
			require.False(t, e.Anonymous.Listing.Truncated)
		},
	},
}

const (
	noListing = "anonymous cleartext-login exposed tls-missing"
	oneListed = "anonymous anonymous-listing cleartext-login exposed tls-missing"
)

func whole(name string) func(t *testing.T, e *Evidence) {
	return func(t *testing.T, e *Evidence) {
		require.Equal(t, []string{name}, names(e.Anonymous.Listing))
		require.False(t, e.Anonymous.Listing.Truncated)
		require.Empty(t, e.Anonymous.ListingError)
		require.Equal(t, "192.0.2.7", e.Anonymous.PassiveAddress)
	}
}

func nothingAsked(t *testing.T, e *Evidence) {
	require.NotNil(t, e.Greeting)
	blank := new(Evidence)
	blank.Greeting, blank.ImplicitTLS = e.Greeting, probe.No
	require.Equal(t, blank, e)
}

func listingError(part string) func(t *testing.T, e *Evidence) {
	return func(t *testing.T, e *Evidence) {
		require.Nil(t, e.Anonymous.Listing)
		require.Contains(t, e.Anonymous.ListingError, part)
		require.Equal(t, "/", e.Anonymous.Directory, "what was learned before is kept")
	}
}

func cut(name string) func(t *testing.T, e *Evidence) {
	return func(t *testing.T, e *Evidence) {
		require.True(t, e.Anonymous.Listing.Truncated)
		require.NotEmpty(t, e.Anonymous.ListingError)
		require.Len(t, e.Anonymous.Listing.Entries, 1)
		require.Equal(t, name, e.Anonymous.Listing.Entries[0].Name)
	}
}

// Conversations replay strictly, and with the server's bytes cut anywhere.
func TestConversations(t *testing.T) {
	unseen := make(map[string]bool)
	for name := range conversations {
		unseen[name] = true
	}
	probetest.ReplayAll(t, Prober{}, transcripts+"*.txt", func(t *testing.T, name string, r *probe.Result) {
		requireSafe(t, r)
		requireLasting(t, r)
		name, handwritten := strings.CutPrefix(strings.TrimSuffix(name, ".txt"), "handwritten-")
		if !handwritten {
			return // internal/interop says what captured ones must show
		}
		delete(unseen, name)
		w, ok := conversations[name]
		require.True(t, ok, "nobody says what it must show")
		require.Equal(t, w.outcome, r.Outcome, "%v", r.Err)
		require.Equal(t, w.findings, findingIDs(r))
		e, ok := probe.As[*Evidence](r)
		require.True(t, ok)
		w.check(t, e)
	})
	require.Empty(t, unseen, "no such files")
}

func findingIDs(r *probe.Result) string {
	var ids []string
	for _, f := range finding.Evaluate(r, Rules) {
		ids = append(ids, strings.TrimPrefix(f.ID, "ftp."))
	}
	slices.Sort(ids)
	return strings.Join(ids, " ")
}

// requireSafe holds the order of what was sent: PASS comes behind a 331 to USER anonymous, on the same connection, and
// the made-up name is sent once, and in cleartext.
func requireSafe(t testing.TB, r *probe.Result) {
	t.Helper()
	last := map[int]string{}   // what each connection sent last
	answer := map[int][]byte{} // and what came since
	secured := map[int]bool{}  // whether it speaks TLS
	madeUp := 0
	for _, e := range r.Transcript {
		switch e.Dir {
		case probe.DirTLS:
			secured[e.Conn] = e.Outcome == ""
		case probe.DirRecv:
			answer[e.Conn] = append(answer[e.Conn], e.Data...)
		case probe.DirSend:
			command := string(e.Data)
			require.NotEmpty(t, e.Label, "%q", command)
			if strings.HasPrefix(command, "PASS") {
				require.Equal(t, "USER anonymous\r\n", last[e.Conn])
				require.Regexp(t, `(?m)^331`, string(answer[e.Conn]))
			}
			if command == "USER handclasp-no-such-user\r\n" {
				madeUp++
				require.False(t, secured[e.Conn], "the made-up name inside TLS")
			}
			last[e.Conn], answer[e.Conn] = command, nil
		}
	}
	require.LessOrEqual(t, madeUp, 1)
}

// requireLasting holds that evidence survives being stored, and that findings point into what was stored.
func requireLasting(t testing.TB, r *probe.Result) {
	t.Helper()
	document, err := json.Marshal(r)
	require.NoError(t, err)
	again, err := probe.Decode(document, Prober{})
	require.NoError(t, err)
	require.Equal(t, r.Evidence, again.Evidence)
	for _, f := range finding.Evaluate(r, Rules) {
		require.NotEmpty(t, f.Basis)
		for _, pointer := range f.Basis {
			value, err := finding.Resolve(document, pointer)
			require.NoError(t, err)
			require.NotContains(t, []string{"null", `""`, "[]"}, string(value), pointer)
		}
	}
}
