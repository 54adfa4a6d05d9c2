package interop_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/handclasp/handclasp/finding"
	"github.com/handclasp/handclasp/ftp"
	"github.com/handclasp/handclasp/probe"
	"github.com/handclasp/handclasp/probe/replay"
)

// What each server must show to an outsider. Facts that are left out must be unknown.
var ftpFacts = []struct {
	server, variant  string
	start            func(testing.TB) ftpServer
	implicit         bool
	outcome          probe.Outcome // "" is ok
	system           string
	authTLS          probe.Fact
	tls              bool
	protects         probe.Fact
	cleartext        probe.Fact
	cleartextReply   int
	anonymous        probe.Fact
	within           probe.Fact // TLS
	replies          [2]int     // to USER and PASS
	listing          string     // names, the server's own directory left out
	writable         string
	passive          string
	unwitnessed      bool   // the other client waits for the answer to LIST before it shakes hands on the data connection
	findings, beyond string // at level handshake, and those that level anonymous adds
}{
	{
		server: "vsftpd", variant: "anonymous", start: vsftpdAnonymous, system: "UNIX Type: L8",
		authTLS: probe.No, cleartext: probe.No, cleartextReply: 530,
		anonymous: probe.Yes, within: probe.No, replies: [2]int{331, 230}, listing: "README, pub, two  words", passive: "127.0.0.1",
		findings: "anonymous exposed tls-missing", beyond: "anonymous-listing",
	},
	{
		server: "vsftpd", variant: "anonymous-ipv6", start: vsftpdAnonymousIPv6, system: "UNIX Type: L8",
		authTLS: probe.No, cleartext: probe.No, cleartextReply: 530,
		anonymous: probe.Yes, within: probe.No, replies: [2]int{331, 230}, listing: "README, pub, two  words",
		findings: "anonymous exposed tls-missing", beyond: "anonymous-listing",
	},
	{ // hangs up behind its refusal of the made-up name, and asks anonymous for a password that it never takes; inside TLS it refuses anonymous for the sake of TLS
		server: "vsftpd", variant: "tls-required", start: vsftpdTLSRequired,
		authTLS: probe.Yes, tls: true, protects: probe.Yes, cleartext: probe.No, cleartextReply: 530,
		replies:  [2]int{331, 530},
		findings: "exposed",
	},
	{
		server: "vsftpd", variant: "mixed", start: vsftpdMixed, system: "UNIX Type: L8",
		authTLS: probe.Yes, tls: true, protects: probe.Yes, cleartext: probe.No, cleartextReply: 530,
		anonymous: probe.Yes, within: probe.No, replies: [2]int{331, 230}, listing: "README, pub, two  words", passive: "127.0.0.1",
		findings: "anonymous exposed", beyond: "anonymous-listing",
	},
	{ // inside TLS it answers PASS by plaintext
		server: "vsftpd", variant: "broken-root", start: vsftpdBroken, outcome: probe.OutcomeTLS,
		authTLS: probe.Yes, tls: true, protects: probe.Yes, cleartext: probe.No, cleartextReply: 530,
		replies:  [2]int{331, 500},
		findings: "exposed",
	},
	{ // takes a data connection only if it resumes the TLS session of the control connection
		server: "vsftpd", variant: "implicit-tls", start: vsftpdImplicitTLS, implicit: true, system: "UNIX Type: L8",
		tls: true, protects: probe.Yes,
		anonymous: probe.Yes, within: probe.Yes, replies: [2]int{331, 230}, listing: "README, pub, two  words", passive: "127.0.0.1",
		findings: "anonymous exposed", beyond: "anonymous-listing",
	},
	{
		server: "proftpd", variant: "anonymous-tls", start: proftpd, system: "UNIX Type: L8",
		authTLS: probe.Yes, tls: true, protects: probe.Yes, cleartext: probe.Yes, cleartextReply: 331,
		anonymous: probe.Yes, within: probe.No, replies: [2]int{331, 230}, listing: "README, incoming, pub, two  words", writable: "incoming", passive: "127.0.0.1",
		findings: "anonymous cleartext-login exposed", beyond: "anonymous-listing anonymous-writable",
	},
	{
		server: "pure-ftpd", variant: "anonymous", start: pureFTPd, system: "UNIX Type: L8",
		authTLS: probe.No, cleartext: probe.Yes, cleartextReply: 331,
		anonymous: probe.Yes, within: probe.No, replies: [2]int{230, 0}, listing: "README, pub, two  words", passive: "127.0.0.1",
		// It was built with TLS and says so, and refuses AUTH for want of a certificate.
		findings: "anonymous cleartext-login exposed tls-missing", beyond: "anonymous-listing",
	},
	{ // refuses by 421, and doesn't hang up
		server: "pure-ftpd", variant: "tls-required", start: pureFTPdTLS, system: "UNIX Type: L8",
		authTLS: probe.Yes, tls: true, protects: probe.Yes, cleartext: probe.No, cleartextReply: 421,
		anonymous: probe.Yes, within: probe.Yes, replies: [2]int{230, 0}, listing: "README, pub, two  words", passive: "127.0.0.1",
		findings: "anonymous exposed", beyond: "anonymous-listing",
	},
	{
		server: "pyftpdlib", variant: "anonymous", start: pyftpdlib, system: "UNIX Type: L8",
		authTLS: probe.No, cleartext: probe.Yes, cleartextReply: 331,
		anonymous: probe.Yes, within: probe.No, replies: [2]int{331, 230}, listing: "README, pub, two  words", passive: "127.0.0.1",
		findings: "anonymous cleartext-login exposed tls-missing", beyond: "anonymous-listing",
	},
	{ // refuses by 550
		server: "pyftpdlib", variant: "tls-required", start: pyftpdlibTLS, system: "UNIX Type: L8",
		authTLS: probe.Yes, tls: true, protects: probe.Yes, cleartext: probe.No, cleartextReply: 550,
		anonymous: probe.Yes, within: probe.Yes, replies: [2]int{331, 230}, listing: "README, pub, two  words", passive: "127.0.0.1",
		findings: "anonymous exposed", beyond: "anonymous-listing",
	},
	{ // wants a login even before AUTH, and refuses a second USER
		server: "twisted-ftp", variant: "anonymous", start: twistedFTP, system: "UNIX Type: L8",
		authTLS: probe.No, cleartext: probe.Yes, cleartextReply: 331,
		anonymous: probe.Yes, within: probe.No, replies: [2]int{331, 230}, listing: "README, pub, two  words", passive: "127.0.0.1",
		findings: "anonymous cleartext-login exposed tls-missing", beyond: "anonymous-listing",
	},
	{ // refuses a second USER, and lists AUTH without a certificate
		server: "ftp-srv", variant: "anonymous", start: ftpSrv, system: "UNIX Type: L8",
		authTLS: probe.No, cleartext: probe.Yes, cleartextReply: 331,
		anonymous: probe.Yes, within: probe.No, replies: [2]int{230, 0}, listing: "README, pub, two  words", passive: "127.0.0.1",
		findings: "anonymous cleartext-login exposed tls-missing", beyond: "anonymous-listing",
	},
	{ // shakes hands on the data connection before it answers LIST
		server: "ftp-srv", variant: "implicit-tls", start: ftpSrvImplicitTLS, implicit: true, system: "UNIX Type: L8",
		tls: true, protects: probe.Yes,
		anonymous: probe.Yes, within: probe.Yes, replies: [2]int{230, 0}, listing: "README, pub, two  words", unwitnessed: true, passive: "127.0.0.1",
		findings: "anonymous exposed", beyond: "anonymous-listing",
	},
	{ // admits anonymous alone, by -A
		server: "inetutils-ftpd", variant: "anonymous", start: inetutilsFTPd, system: "UNIX Type: L8 Version: " + kernel(),
		authTLS: probe.No, cleartext: probe.No, cleartextReply: 530,
		anonymous: probe.Yes, within: probe.No, replies: [2]int{331, 230}, listing: "README, pub, two  words", passive: "127.0.0.1",
		findings: "anonymous exposed tls-missing", beyond: "anonymous-listing",
	},
}

func TestFTP(t *testing.T) {
	for _, want := range ftpFacts {
		t.Run(want.server+" "+want.variant, func(t *testing.T) {
			t.Parallel()
			server := want.start(t)
			ask := func(l probe.Level) (*probe.Result, *ftp.Evidence) {
				o := &probe.Options{Level: l, ImplicitTLS: probe.FactOf(want.implicit), Limits: patience}
				r := probe.Run(t.Context(), ftp.Prober{}, probe.Target{Addr: server.Addr}, o)
				e, ok := probe.As[*ftp.Evidence](r)
				require.True(t, ok)
				return r, e
			}

			r, e := ask(probe.LevelGreeting)
			require.Equal(t, probe.OutcomeOK, r.Outcome, "%v", r.Err)
			require.Equal(t, 220, e.Greeting.Code)
			require.Equal(t, want.implicit, e.TLS != nil)
			require.Equal(t, "exposed", ftpFindings(r))

			for _, l := range []probe.Level{probe.LevelHandshake, probe.LevelAnonymous} {
				r, e = ask(l)
				if want.outcome == "" {
					require.NoError(t, r.Err)
				} else {
					require.Equal(t, want.outcome, r.Outcome, "%v", r.Err)
				}
				require.Equal(t, 220, e.Greeting.Code)
				require.Equal(t, probe.FactOf(want.implicit), e.ImplicitTLS)
				require.Equal(t, want.system, e.System)
				require.Equal(t, want.implicit, len(e.Features) == 0)
				require.Equal(t, want.authTLS, e.AuthTLS)
				require.Equal(t, want.tls, e.TLS != nil && e.TLS.Version != "" && len(e.TLS.Chain) > 0)
				require.Equal(t, want.tls, len(e.FeaturesAfterTLS) > 0)
				require.Equal(t, want.protects, e.ProtectsData)
				require.Equal(t, want.cleartext, e.CleartextLogin)
				require.Equal(t, want.cleartextReply, code(e.CleartextReply))
				a := e.Anonymous
				require.Equal(t, want.anonymous, a.Login)
				if want.anonymous != probe.Unknown {
					require.Equal(t, want.within, a.OverTLS)
				}
				require.Equal(t, want.replies, [2]int{code(a.UserReply), code(a.PassReply)})
				require.Equal(t, want.anonymous == probe.Yes, a.Directory == "/")
				require.Empty(t, a.ListingError)
				all := want.findings
				if l == probe.LevelHandshake {
					require.Nil(t, a.Listing)
					require.Empty(t, a.PassiveAddress)
				} else {
					all += " " + want.beyond
					require.Equal(t, want.passive, a.PassiveAddress)
					requireFTPListing(t, a.Listing, want.listing, want.writable)
				}
				ids := strings.Fields(all)
				slices.Sort(ids)
				require.Equal(t, strings.Join(ids, " "), ftpFindings(r))
			}
			requireSoftware(t, r, want.server, server.Version)
			captureFTP(t, r, want.server+"-"+upstream(server.Version)+"-"+want.variant, want.server+" "+server.Version)
		})
	}
}

func requireFTPListing(t *testing.T, l *ftp.Listing, want, wantWritable string) {
	t.Helper()
	if want == "" {
		require.Nil(t, l)
		return
	}
	require.False(t, l.Truncated)
	var names, writable []string
	for _, entry := range l.Entries {
		if entry.Type == ftp.TypeCurrent {
			continue
		}
		names = append(names, entry.Name)
		if entry.Writable == probe.Yes {
			writable = append(writable, entry.Name)
		}
		require.NotEmpty(t, entry.Modified, entry.Name)
		require.NotEmpty(t, entry.Permissions, entry.Name)
		if entry.Name == ftpFile {
			require.Equal(t, ftp.TypeFile, entry.Type)
			require.EqualValues(t, ftpFileSize, *entry.Size)
		}
		if entry.Name == ftpDir {
			require.Equal(t, ftp.TypeDirectory, entry.Type)
		}
	}
	slices.Sort(names)
	require.Equal(t, want, strings.Join(names, ", "))
	require.Equal(t, wantWritable, strings.Join(writable, ", "))
}

func ftpFindings(r *probe.Result) string {
	var ids []string
	for _, f := range finding.Evaluate(r, ftp.Rules) {
		ids = append(ids, strings.TrimPrefix(f.ID, "ftp."))
	}
	slices.Sort(ids)
	return strings.Join(ids, " ")
}

// captureFTP leaves the loopback address as it is, unlike capture: it stands in replies too, and its family decides
// which commands are sent.
func captureFTP(t testing.TB, r *probe.Result, name, server string) {
	t.Helper()
	if !*update {
		return
	}
	rec := replay.Record(r, server, time.Now().UTC().Format(time.DateOnly))
	path := filepath.Join("..", "..", "ftp", "testdata", "transcripts", name+".txt")
	if err := os.WriteFile(path, rec.Format(), 0o644); err != nil {
		t.Fatal(err)
	}
}
