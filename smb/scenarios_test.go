package smb_test

import (
	"bytes"
	"encoding/binary"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/handclasp/handclasp/internal/fakesmb"
	"github.com/handclasp/handclasp/internal/nbt"
	"github.com/handclasp/handclasp/probe"
	"github.com/handclasp/handclasp/smb"
)

var le = binary.LittleEndian

var everyDialect = []string{"2.0.2", "2.1", "3.0", "3.0.2", "3.1.1"}

// windows10 is a server as Windows 10 and later are, with SMB1 removed.
func windows10() fakesmb.Server {
	return fakesmb.Server{
		Dialects: []uint16{0x202, 0x210, 0x300, 0x302, 0x311}, Signing: 1, Capabilities: 0x6f,
		Ciphers: []uint16{2, 1, 4}, Compression: []uint16{4, 2, 3, 1}, SigningAlgorithms: []uint16{2, 1},
		Token: fakesmb.Mechanisms(fakesmb.NegoEx, fakesmb.MSKRB5, fakesmb.KRB5, fakesmb.NTLM),
		Name:  "FILES", Domain: "CORP", DNSName: "files.corp.example.org", DNSDomain: "corp.example.org",
		Time: day, Boot: day.AddDate(0, 0, -3),
	}
}

// windows2003 speaks SMB1 only.
func windows2003() fakesmb.Server {
	return fakesmb.Server{
		SMB1: []string{"LANMAN1.0", "LM1.2X002", "LANMAN2.1", "NT LM 0.12"}, Security: 7, Token: fakesmb.Mechanisms(fakesmb.KRB5, fakesmb.NTLM),
		NativeOS: "Windows Server 2003 3790 Service Pack 2", NativeLM: "Windows Server 2003 5.2",
		Name: "ALT", Domain: "WERK", DNSName: "alt", Time: day,
	}
}

// with changes a server.
func with(s fakesmb.Server, change func(s *fakesmb.Server)) fakesmb.Server {
	change(&s)
	return s
}

// answers replaces the status of replies to a command of SMB 2.
func answers(command uint16, status uint32) func([]byte) []byte {
	return func(m []byte) []byte {
		if string(m[:4]) != "\xfeSMB" || binary.LittleEndian.Uint16(m[12:]) != command {
			return m
		}
		binary.LittleEndian.PutUint32(m[8:], status)
		return append(m[:64], 9, 0, 0, 0, 0, 0, 0, 0, 0)
	}
}

// nodeNames answers NBSTAT with entries of a name, its suffix and whether it is a group's.
func nodeNames(entries ...string) func([]byte) []byte {
	return func(query []byte) []byte {
		b := append([]byte{}, query[:2]...)
		b = append(b, 0x84, 0, 0, 0, 0, 1, 0, 0, 0, 0)
		b = nbt.AppendName(b, nbt.Wildcard)
		b = append(b, 0, 0x21, 0, 1, 0, 0, 0, 0)
		data := []byte{byte(len(entries))}
		for _, e := range entries {
			data = append(data, e...)
		}
		data = append(data, make([]byte, 46)...)
		return append(binary.BigEndian.AppendUint16(b, uint16(len(data))), data...)
	}
}

const (
	entryWorkstation = "FILES          \x00\x04\x00"
	entryGroup       = "LAB            \x20\x84\x00" // a group may have the suffix, too
	entryServer      = "FILES          \x20\x04\x00"
)

func scenarios() map[string]scenario {
	all := map[string]scenario{
		"windows-10": {server: windows10(), check: func(t *testing.T, e *smb.Evidence) {
			require.Equal(t, "direct", e.Transport)
			require.Equal(t, everyDialect, e.Dialects)
			require.Equal(t, "3.1.1", e.PreferredDialect)
			require.Equal(t, probe.Yes, e.SigningEnabled)
			require.Equal(t, probe.No, e.SigningRequired)
			require.Equal(t, "646e6168-6c63-7361-7027-73206c616221", e.ServerGUID)
			require.Equal(t, []string{"DFS", "LEASING", "LARGE_MTU", "MULTI_CHANNEL", "DIRECTORY_LEASING"}, e.Capabilities)
			require.Equal(t, day, *e.SystemTime)
			require.Equal(t, day.AddDate(0, 0, -3), *e.BootTime)
			require.Equal(t, []string{"NEGOEX", "MS-KRB5", "KRB5", "NTLM"}, e.AuthMechanisms)
			require.Equal(t, "SHA-512", e.PreauthHash)
			require.Equal(t, []string{"AES-128-GCM"}, e.Ciphers)
			require.Equal(t, []string{"Pattern_V1", "LZ77", "LZ77+Huffman", "LZNT1"}, e.Compression)
			require.Equal(t, probe.Yes, e.CompressionChained)
			require.Equal(t, []string{"AES-GMAC"}, e.SigningAlgorithms)
			require.Equal(t, probe.Yes, e.Encryption)
			require.Equal(t, smb.SMB1{Supported: probe.No, Outcome: probe.OutcomeClosed, Dialects: []string{}}, e.SMB1, "it hangs up")
			require.Equal(t, &probe.NTLM{
				TargetName: "FILES", NetBIOSComputer: "FILES", NetBIOSDomain: "CORP", DNSComputer: "files.corp.example.org",
				DNSDomain: "corp.example.org", OSVersion: "Windows 10.0 build 17763", SystemTime: &day,
			}, e.NTLM)
			require.Equal(t, []probe.Fact{probe.No, probe.No, probe.Yes, probe.Yes, probe.Yes}, column(e, func(n smb.Negotiation) probe.Fact { return n.Encryption }))
			require.Contains(t, e.Matrix[2].Capabilities, "ENCRYPTION")
		}},
		"windows-2003": {server: windows2003(), check: func(t *testing.T, e *smb.Evidence) {
			require.Empty(t, e.NegotiateStatus)
			require.Empty(t, e.Dialects)
			require.Empty(t, e.DialectsRefused, "hanging up says nothing")
			require.Equal(t, smb.SMB1{
				Supported: probe.Yes, Outcome: probe.OutcomeOK, Dialect: "NT LM 0.12", Dialects: []string{"NT LM 0.12", "LANMAN2.1"},
				UserSecurity: probe.Yes, ChallengeResponse: probe.Yes, SigningEnabled: probe.Yes, SigningRequired: probe.No,
				NativeOS: "Windows Server 2003 3790 Service Pack 2", NativeLM: "Windows Server 2003 5.2",
				Domain: "WERK", ServerName: "ALT", SystemTime: &day,
			}, e.SMB1)
			require.Equal(t, []string{"KRB5", "NTLM"}, e.AuthMechanisms)
			require.Equal(t, "alt", e.NTLM.DNSComputer)
			require.Equal(t, probe.Unknown, e.SigningRequired)
			require.Equal(t, probe.Unknown, e.Encryption)
		}},
		"none-spoken": {server: fakesmb.Server{Refuses: true}, check: func(t *testing.T, e *smb.Evidence) {
			require.Equal(t, "STATUS_NOT_SUPPORTED", e.NegotiateStatus)
			require.Equal(t, everyDialect, e.DialectsRefused)
			require.Len(t, e.Matrix, 5)
			require.Equal(t, probe.No, e.SMB1.Supported)
			require.Equal(t, probe.OutcomeOK, e.SMB1.Outcome)
			require.Equal(t, probe.No, e.Encryption)
			require.Equal(t, probe.Unknown, e.SigningRequired, "that isn't a successful reply")
		}},
		"up-to-2.1": {server: with(windows10(), func(s *fakesmb.Server) { s.Dialects = s.Dialects[:2] }), check: func(t *testing.T, e *smb.Evidence) {
			require.Equal(t, everyDialect[2:], e.DialectsRefused)
			require.Equal(t, probe.No, e.Encryption)
			require.Empty(t, e.PreauthHash)
		}},
		"signed": {server: with(windows10(), func(s *fakesmb.Server) { s.Signing, s.SMB1, s.Security = 3, []string{"NT LM 0.12"}, 3 }), check: func(t *testing.T, e *smb.Evidence) {
			require.Equal(t, probe.Yes, e.SigningRequired)
			require.Equal(t, probe.No, e.SMB1.SigningRequired, "each for itself")
			require.Equal(t, []string{"NT LM 0.12"}, e.SMB1.Dialects)
		}},
		"kerberos-only": {server: with(windows10(), func(s *fakesmb.Server) { s.Token = fakesmb.Mechanisms(fakesmb.KRB5) }), check: func(t *testing.T, e *smb.Evidence) {
			require.Equal(t, []string{"KRB5"}, e.AuthMechanisms)
			require.Equal(t, probe.No, e.NTLMAccepted)
			require.Empty(t, e.SessionSetupStatus, "not asked")
			require.Nil(t, e.NTLM)
		}},
		"ntlm-blocked": {server: with(windows10(), func(s *fakesmb.Server) { s.Setup = 0xc00000bb }), check: func(t *testing.T, e *smb.Evidence) {
			require.Equal(t, probe.No, e.NTLMAccepted)
			require.Equal(t, "STATUS_NOT_SUPPORTED", e.SessionSetupStatus)
		}},
		"setup-refused": {server: with(windows10(), func(s *fakesmb.Server) { s.Setup = 0xc0001234 }), check: func(t *testing.T, e *smb.Evidence) {
			require.Equal(t, probe.Unknown, e.NTLMAccepted)
			require.Equal(t, "0xc0001234", e.SessionSetupStatus)
		}},
		"challenge-by-smb1": {server: with(windows10(), func(s *fakesmb.Server) {
			s.SMB1, s.Security, s.Mangle = []string{"NT LM 0.12"}, 3, answers(1, 0xc000000d)
		}), check: func(t *testing.T, e *smb.Evidence) {
			require.Equal(t, "STATUS_INVALID_PARAMETER", e.SessionSetupStatus)
			require.Equal(t, probe.Yes, e.NTLMAccepted)
			require.Equal(t, "FILES", e.NTLM.TargetName)
		}},
		"bare-ntlm": {server: with(windows10(), func(s *fakesmb.Server) { s.Token, s.Interim = nil, 2 }), check: func(t *testing.T, e *smb.Evidence) {
			require.Empty(t, e.AuthMechanisms)
			require.Equal(t, "FILES", e.NTLM.TargetName, "behind two interim replies")
		}},
		"no-encryption": {server: with(windows10(), func(s *fakesmb.Server) { s.Ciphers, s.Capabilities = nil, 0x01 }), check: func(t *testing.T, e *smb.Evidence) {
			require.Equal(t, probe.No, e.Encryption)
			require.Empty(t, e.Ciphers)
		}},
		"no-common-cipher": {server: with(windows10(), func(s *fakesmb.Server) { s.Ciphers = []uint16{9} }), check: func(t *testing.T, e *smb.Evidence) {
			require.Empty(t, e.Ciphers, "zero is none")
			require.Equal(t, probe.No, e.Matrix[4].Encryption)
			require.Equal(t, probe.Yes, e.Encryption, "with 3.0")
		}},
		"no-clock": {server: with(windows10(), func(s *fakesmb.Server) { s.Time, s.Boot = time.Time{}, time.Time{} }), check: func(t *testing.T, e *smb.Evidence) {
			require.Nil(t, e.SystemTime)
			require.Nil(t, e.BootTime)
			require.Nil(t, e.NTLM.SystemTime)
		}},
		"busy": {server: with(windows10(), func(s *fakesmb.Server) { s.Mangle = answers(0, 0xc00000d0) }), outcome: probe.OutcomeBusy, check: func(t *testing.T, e *smb.Evidence) {
			require.Equal(t, "STATUS_REQUEST_NOT_ACCEPTED", e.NegotiateStatus)
			require.Nil(t, e.Matrix, "it isn't asked more")
			require.Equal(t, probe.Unknown, e.Encryption)
		}},
		"busy-setup": {server: with(windows10(), func(s *fakesmb.Server) { s.Setup = 0xc0000205 }), outcome: probe.OutcomeBusy, check: func(t *testing.T, e *smb.Evidence) {
			require.Equal(t, "STATUS_INSUFF_SERVER_RESOURCES", e.SessionSetupStatus)
			require.Equal(t, probe.Unknown, e.NTLMAccepted)
			require.Equal(t, everyDialect, e.Dialects)
		}},
		"invalid-parameter": {server: with(windows10(), func(s *fakesmb.Server) {
			s.Mangle = func(m []byte) []byte {
				if le.Uint16(m[12:]) == 0 && len(m) > 70 && le.Uint16(m[68:]) < 0x311 {
					return answers(0, 0xc000000d)(m)
				}
				return m
			}
		}), check: func(t *testing.T, e *smb.Evidence) {
			require.Equal(t, everyDialect[4:], e.Dialects)
			require.Equal(t, everyDialect[:4], e.DialectsRefused)
		}},
		"core": {server: fakesmb.Server{SMB1: []string{"PC NETWORK PROGRAM 1.0"}}, check: func(t *testing.T, e *smb.Evidence) {
			require.Equal(t, "PC NETWORK PROGRAM 1.0", e.SMB1.Dialect)
			require.Equal(t, []string{"PC NETWORK PROGRAM 1.0"}, e.SMB1.Dialects)
			require.Equal(t, probe.No, e.SMB1.UserSecurity)
			require.Equal(t, probe.No, e.SMB1.ChallengeResponse)
			require.Equal(t, probe.Unknown, e.SMB1.SigningEnabled, "it has no place to say so")
		}},
	}
	for name, s := range netbiosScenarios() {
		all[name] = s
	}
	for name, s := range brokenScenarios() {
		all[name] = s
	}
	return all
}

func column[T any](e *smb.Evidence, of func(smb.Negotiation) T) (list []T) {
	for _, n := range e.Matrix {
		list = append(list, of(n))
	}
	return list
}

func netbiosScenarios() map[string]scenario {
	called := func(names ...string) fakesmb.Server {
		return with(windows10(), func(s *fakesmb.Server) { s.CalledNames = names })
	}
	refused := smb.SessionRequest{CalledName: "*SMBSERVER", Reply: "negative", Error: "called name not present"}
	return map[string]scenario{
		"netbios": {server: called("*SMBSERVER", "FILES"), target: netbios, check: func(t *testing.T, e *smb.Evidence) {
			require.Equal(t, "netbios", e.Transport)
			require.Equal(t, "*SMBSERVER", e.CalledName)
			require.Equal(t, everyDialect, e.Dialects)
		}},
		"netbios-own-name": {
			server: with(called("FILES"), func(s *fakesmb.Server) { s.Dialects = s.Dialects[:2] }), target: netbios,
			names: nodeNames(entryWorkstation, entryGroup, entryServer),
			check: func(t *testing.T, e *smb.Evidence) {
				require.Equal(t, []smb.SessionRequest{refused, {CalledName: "FILES", Reply: "positive"}}, e.SessionRequests)
				require.Equal(t, "FILES", e.CalledName)
				require.Equal(t, everyDialect[:2], e.Dialects)
				require.NotNil(t, e.NTLM)
			},
		},
		"netbios-other-name": {
			server: called("OTHER"), target: netbios, names: nodeNames(entryServer), check: func(t *testing.T, e *smb.Evidence) {
				refusedToo := refused
				refusedToo.CalledName = "FILES"
				require.Equal(t, []smb.SessionRequest{refused, refusedToo}, e.SessionRequests)
				require.Empty(t, e.Transport)
				require.Empty(t, e.Matrix)
			},
		},
		"netbios-no-name": {
			server: called("FILES"), target: netbios, names: nodeNames(entryWorkstation), check: func(t *testing.T, e *smb.Evidence) {
				require.Equal(t, []smb.SessionRequest{refused}, e.SessionRequests)
			},
		},
		"netbios-no-name-service": {server: called("FILES"), target: netbios, idle: 20 * time.Millisecond, check: func(t *testing.T, e *smb.Evidence) {
			require.Equal(t, []smb.SessionRequest{refused}, e.SessionRequests)
		}},
		"netbios-retarget": {server: with(called(), func(s *fakesmb.Server) { s.Retarget = true }), target: netbios, check: func(t *testing.T, e *smb.Evidence) {
			require.Equal(t, []smb.SessionRequest{{CalledName: "*SMBSERVER", Reply: "retarget", Retarget: "192.0.2.9:139"}}, e.SessionRequests)
			require.Empty(t, e.CalledName)
			require.Empty(t, e.Matrix)
		}},
	}
}

func brokenScenarios() map[string]scenario {
	mangled := func(change func(m []byte) []byte) fakesmb.Server {
		return with(windows10(), func(s *fakesmb.Server) { s.Mangle = change })
	}
	// setup changes the reply to a session setup.
	setup := func(change func(m []byte) []byte) fakesmb.Server {
		return mangled(func(m []byte) []byte {
			if m[12] != 1 {
				return m
			}
			return change(m)
		})
	}
	return map[string]scenario{
		"hung-up": {server: setup(func([]byte) []byte { return nil }), outcome: probe.OutcomeClosed, check: func(t *testing.T, e *smb.Evidence) {
			require.Equal(t, everyDialect, e.Dialects, "the rest goes on")
			require.Equal(t, probe.Unknown, e.NTLMAccepted)
			require.Equal(t, []string{"NEGOEX", "MS-KRB5", "KRB5", "NTLM"}, e.AuthMechanisms)
		}},
		"challenge-out-of-bounds": {
			server: with(setup(func(m []byte) []byte {
				m[bytes.Index(m, []byte("NTLMSSP"))+41]++ // the target info's length
				return m
			}), func(s *fakesmb.Server) { s.Dialects = s.Dialects[:1] }),
			outcome: probe.OutcomeMalformed, check: func(t *testing.T, e *smb.Evidence) {
				require.Equal(t, "FILES", e.NTLM.TargetName)
				require.Empty(t, e.NTLM.DNSComputer)
				require.Equal(t, everyDialect[:1], e.Dialects)
			},
		},
		"contexts-out-of-bounds": {
			server: mangled(func(m []byte) []byte {
				if len(m) > 128 && m[68] == 0x11 {
					m[126]++ // of their offset
				}
				return m
			}),
			outcome: probe.OutcomeMalformed, check: func(t *testing.T, e *smb.Evidence) {
				require.Equal(t, "3.1.1", e.PreferredDialect)
				require.Empty(t, e.Ciphers)
				require.Equal(t, everyDialect, e.Dialects)
				require.Equal(t, probe.Yes, e.Encryption, "with 3.0")
			},
		},
		"wildcard": {
			server: mangled(func(m []byte) []byte {
				m[68], m[69] = 0xff, 0x02 // only SMB1 may be answered so
				return m
			}),
			outcome: probe.OutcomeMalformed, check: func(t *testing.T, e *smb.Evidence) {
				require.Nil(t, e.Dialects)
				require.Empty(t, e.PreferredDialect)
				require.Equal(t, probe.No, e.SigningRequired, "the rest is kept")
				require.Equal(t, []string{"NEGOEX", "MS-KRB5", "KRB5", "NTLM"}, e.AuthMechanisms)
				require.Equal(t, probe.Unknown, e.Encryption)
			},
		},
		"another-message": {server: mangled(func(m []byte) []byte { m[24]++; return m }), outcome: probe.OutcomeMalformed, check: nothing},
		"compound":        {server: mangled(func(m []byte) []byte { m[20] = 64; return m }), outcome: probe.OutcomeMalformed, check: nothing},
		"request":         {server: mangled(func(m []byte) []byte { m[16] = 0; return m }), outcome: probe.OutcomeMalformed, check: nothing},
		"header-size":     {server: mangled(func(m []byte) []byte { m[4] = 65; return m }), outcome: probe.OutcomeMalformed, check: nothing},
		"not-smb":         {server: mangled(func([]byte) []byte { return []byte("hello, world") }), outcome: probe.OutcomeNotProtocol, check: nothing},
		"half-a-header":   {server: mangled(func(m []byte) []byte { return m[:40] }), outcome: probe.OutcomeMalformed, check: nothing},
	}
}

// nothing is learned.
func nothing(t *testing.T, e *smb.Evidence) {
	t.Helper()
	require.Empty(t, e.NegotiateStatus)
	require.Empty(t, e.Dialects)
	require.Empty(t, e.DialectsRefused)
	require.Equal(t, probe.Unknown, e.SigningRequired)
	require.Equal(t, probe.Unknown, e.Encryption)
}
