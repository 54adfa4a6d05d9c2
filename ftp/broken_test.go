package ftp_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/handclasp/handclasp/finding"
	"github.com/handclasp/handclasp/ftp"
	"github.com/handclasp/handclasp/internal/lab"
	"github.com/handclasp/handclasp/probe"
)

// In place of an answer.
const (
	silence = "silence"
	hangUp  = "hang up"
)

// open lets anybody in without TLS.
func open(line string, _ []string) string {
	return map[string]string{
		"FEAT": "211 none", "SYST": "215 UNIX", "USER handclasp-no-such-user": "331 password?", "USER anonymous": "331 password?",
		"PASS handclasp@handclasp.invalid": "230 in", "PWD": `257 "/"`, "QUIT": "221 bye",
	}[line]
}

// converse has a server answer each line by what was said before on the connection.
func converse(t *testing.T, greeting string, answer func(line string, before []string) string) (*probe.Result, *ftp.Evidence) {
	t.Helper()
	s, err := lab.Serve(t.Context(), lab.Neighbour{Name: "broken"}, func(c net.Conn) {
		_, _ = io.WriteString(c, greeting)
		var before []string
		for lines := bufio.NewScanner(c); lines.Scan(); before = append(before, lines.Text()) {
			reply := answer(lines.Text(), before)
			switch reply {
			case silence:
				_, _ = io.Copy(io.Discard, c)
				return
			case hangUp:
				return
			case "":
				reply = "502 no"
			}
			fmt.Fprint(c, reply+"\r\n")
		}
	})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	r := probe.Run(t.Context(), ftp.Prober{}, probe.Target{Addr: s.Addr}, &probe.Options{
		Level: probe.LevelAnonymous, Limits: probe.Limits{Idle: 300 * time.Millisecond},
	})
	e, _ := probe.As[*ftp.Evidence](r)
	return r, e
}

func fires(r *probe.Result, id string) bool {
	return slices.ContainsFunc(finding.Evaluate(r, ftp.Rules), func(f finding.Finding) bool { return f.ID == id })
}

// Nothing that goes wrong before the login hides that anybody is let in, and that passwords are taken in cleartext.
func TestLoginIsAsked(t *testing.T) {
	const madeUp = "USER handclasp-no-such-user"
	lost := map[string]string{"FEAT": "features", "SYST": "system", "AUTH TLS": "auth_tls", madeUp: "cleartext_login"}
	for line, field := range lost {
		for _, fault := range []string{silence, hangUp, "250 ok", "what?", "421 not now", "234 go\r\nnonsense"} {
			t.Run(line+", "+fault, func(t *testing.T) {
				t.Parallel()
				r, e := converse(t, "220 ready\r\n", func(l string, before []string) string {
					if l == line {
						return fault
					}
					return open(l, before)
				})
				require.True(t, fires(r, "ftp.anonymous"), "%v", r.Err)
				require.True(t, fires(r, "ftp.cleartext-login"))
				require.Equal(t, "/", e.Anonymous.Directory)
				require.NotEqual(t, probe.OutcomeOK, r.Outcome)
				if fault == silence || fault == hangUp || strings.HasPrefix(fault, "421") {
					require.Equal(t, []string{"/evidence/" + field}, r.Partial)
				}
				if line == "FEAT" {
					require.Nil(t, e.Features)
					require.Equal(t, "UNIX", e.System, "what comes behind it is asked on a fresh connection")
				}
				if line == "FEAT" || line == "SYST" {
					require.Equal(t, probe.No, e.AuthTLS)
				}
			})
		}
	}
}

// Nor does a silence at each of them, within the limits that a probe has if nobody sets them.
func TestSilencesLeaveTimeForTheLogin(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dial := func(context.Context, string, string) (net.Conn, error) {
			client, c := net.Pipe()
			go func() {
				defer c.Close()
				_, _ = io.WriteString(c, "220 ready\r\n")
				for lines := bufio.NewScanner(c); lines.Scan(); {
					switch line := lines.Text(); line {
					case "FEAT", "SYST", "AUTH TLS", "USER handclasp-no-such-user":
						_, _ = io.Copy(io.Discard, c)
						return
					default:
						fmt.Fprint(c, open(line, nil)+"\r\n")
					}
				}
			}()
			return client, nil
		}
		r := probe.Run(t.Context(), ftp.Prober{}, probe.Target{Addr: netip.MustParseAddrPort("192.0.2.7:21")}, &probe.Options{Dial: dial})
		require.Equal(t, probe.OutcomeTimeout, r.Outcome)
		require.Equal(t, []string{"/evidence/features", "/evidence/system", "/evidence/auth_tls", "/evidence/cleartext_login"}, r.Partial)
		require.True(t, fires(r, "ftp.anonymous"))
		require.True(t, fires(r, "ftp.cleartext-login"))
	})
}

// What ends the first connections doesn't hide that there is TLS, and what is inside.
func TestTLSIsAsked(t *testing.T) {
	for _, fault := range []string{silence, hangUp, "421 not now"} {
		t.Run(fault, func(t *testing.T) {
			t.Parallel()
			r, e := converse(t, "220 ready\r\n", func(l string, before []string) string {
				switch {
				case l == "FEAT", l == "SYST":
					return fault
				case l == "AUTH TLS":
					return "234 go\r\nnonsense" // is all that this server has of TLS
				}
				return open(l, before)
			})
			require.Equal(t, probe.Yes, e.AuthTLS)
			require.NotNil(t, e.TLS)
			require.Equal(t, []string{"/evidence/features", "/evidence/system"}, r.Partial)
			require.True(t, fires(r, "ftp.anonymous"))
		})
	}
}

// A name that is refused in cleartext may be let in inside TLS: if that isn't answered, nothing was learned.
func TestRefusedInCleartextOnly(t *testing.T) {
	for auth, want := range map[string]probe.Fact{"502 no": probe.No, "234 go\r\nnonsense": probe.Unknown, silence: probe.Unknown, "421 not now": probe.Unknown} {
		t.Run(auth, func(t *testing.T) {
			t.Parallel()
			r, e := converse(t, "220 ready\r\n", func(l string, before []string) string {
				switch l {
				case "AUTH TLS", "AUTH SSL":
					return auth
				case "USER anonymous":
					return "530 no"
				}
				return open(l, before)
			})
			require.Equal(t, want, e.Anonymous.Login)
			require.Equal(t, 530, e.Anonymous.UserReply.Code)
			require.Equal(t, probe.OutcomeOf(r.Err).Answered(), len(r.Partial) == 0)
			require.Equal(t, want == probe.No, slices.ContainsFunc(ftp.Rules, func(rule finding.Rule) bool {
				return rule.ID == "ftp.anonymous" && rule.Check(r) == finding.NotSo()
			}))
		})
	}
}

// What comes unasked, a line too many, is no answer to anything.
func TestStrays(t *testing.T) {
	for name, greeting := range map[string]string{"with the greeting": "220 ready\r\n530 log in\r\n", "in the middle": "220 ready\r\n"} {
		t.Run(name, func(t *testing.T) {
			r, e := converse(t, greeting, func(l string, before []string) string {
				if l == "SYST" && name == "in the middle" {
					return open(l, before) + "\r\n530 log in"
				}
				return open(l, before)
			})
			require.NoError(t, r.Err)
			require.Equal(t, "UNIX", e.System)
			require.Equal(t, []string{}, e.Features)
			require.Equal(t, probe.No, e.AuthTLS)
			require.Equal(t, 502, e.AuthReply.Code)
			require.Equal(t, probe.Yes, e.CleartextLogin)
			require.Equal(t, probe.Yes, e.Anonymous.Login)
		})
	}
}

// Some servers have one name for a connection.
func TestSecondName(t *testing.T) {
	for _, refusal := range []string{"503 PASS required after USER", "530 Username already set", "500 no", "421 too many names", silence, hangUp} {
		t.Run(refusal, func(t *testing.T) {
			t.Parallel()
			r, e := converse(t, "220 ready\r\n", func(l string, before []string) string {
				if l == "USER anonymous" && slices.Contains(before, "USER handclasp-no-such-user") {
					return refusal
				}
				return open(l, before)
			})
			require.NoError(t, r.Err)
			require.Empty(t, r.Partial)
			require.Equal(t, probe.Yes, e.Anonymous.Login)
			require.Equal(t, 331, e.CleartextReply.Code)
		})
	}
}

// Who finds all places taken at the login learns nothing of it.
func TestFullAtLogin(t *testing.T) {
	for refusal, command := range map[string]string{
		"421 Too many users": "USER anonymous", "530-Welcome\r\n530 Sorry, the maximum number of clients (9) from your host are already connected.": "PASS handclasp@handclasp.invalid",
		"450 Later": "USER anonymous", "430 Later": "PASS handclasp@handclasp.invalid",
	} {
		t.Run(refusal, func(t *testing.T) {
			t.Parallel()
			r, e := converse(t, "220 ready\r\n", func(l string, before []string) string {
				if l == command {
					return refusal
				}
				return open(l, before)
			})
			require.Equal(t, probe.OutcomeBusy, r.Outcome)
			require.Equal(t, []string{"/evidence/anonymous"}, r.Partial)
			require.Equal(t, probe.Unknown, e.Anonymous.Login)
			require.Equal(t, probe.Yes, e.CleartextLogin)
		})
	}
}

// FEAT that is refused before the login is asked behind it.
func TestFeaturesBehindLogin(t *testing.T) {
	r, e := converse(t, "220 ready\r\n", func(l string, before []string) string {
		if l == "FEAT" && !slices.Contains(before, "PWD") {
			return "530 log in"
		} else if l == "FEAT" {
			return "211-Features\r\n UTF8\r\n211 End"
		}
		return open(l, before)
	})
	require.NoError(t, r.Err)
	require.Equal(t, []string{"UTF8"}, e.Features)
}

// A data connection that isn't had leaves the listing unlearned, and says so.
func TestDataLost(t *testing.T) {
	for answer, want := range map[string]probe.Outcome{
		"227 (127,0,0,1,4,1)": probe.OutcomeRefused, "425 no port": probe.OutcomeBusy, "502 no": probe.OutcomeOK, silence: probe.OutcomeTimeout,
	} {
		t.Run(answer, func(t *testing.T) {
			r, e := converse(t, "220 ready\r\n", func(l string, before []string) string {
				if l == "PASV" {
					return answer
				}
				return open(l, before)
			})
			require.Equal(t, want, r.Outcome, "%v", r.Err)
			require.Nil(t, e.Anonymous.Listing)
			require.NotEmpty(t, e.Anonymous.ListingError)
			require.Nil(t, e.Anonymous.ListingReply, "whoever goes another way may see files")
			partial := []string{"/evidence/anonymous/listing"}
			if want == probe.OutcomeOK {
				partial = []string{}
			}
			require.Equal(t, partial, r.Partial)
		})
	}
}

// A server that says FTP in its greeting is one whatever it answers.
func TestRefusesEverything(t *testing.T) {
	for _, refusal := range []string{"500 5.5.1 no", "502 no", "550 no", "530 log in", "503 no"} {
		r, e := converse(t, "220 ftp.example.org FTP server ready\r\n", func(line string, _ []string) string {
			if line == "QUIT" {
				return "221 bye"
			}
			return refusal
		})
		require.NoError(t, r.Err, refusal)
		require.True(t, fires(r, "ftp.exposed"), refusal)
		require.Equal(t, probe.No, e.AuthTLS, refusal)
	}
}
