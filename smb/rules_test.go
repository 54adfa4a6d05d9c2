package smb_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/handclasp/handclasp/finding"
	"github.com/handclasp/handclasp/finding/findingtest"
	"github.com/handclasp/handclasp/probe"
	"github.com/handclasp/handclasp/smb"
)

type (
	cases = []findingtest.Case[*smb.Evidence]
	list  = []*smb.Evidence
)

func TestRules(t *testing.T) {
	v1 := func(s smb.SMB1) *smb.Evidence { return &smb.Evidence{SMB1: s} }
	findingtest.Rules(t, smb.Rules, result, map[string]cases{
		"smb.exposed": {{
			Fires:      list{{NegotiateStatus: "STATUS_SUCCESS"}, {NegotiateStatus: "STATUS_NOT_SUPPORTED"}, {NegotiateStatus: "STATUS_REQUEST_NOT_ACCEPTED"}, v1(smb.SMB1{Outcome: probe.OutcomeOK})},
			NotSo:      list{{SessionRequests: []smb.SessionRequest{{CalledName: "*SMBSERVER", Reply: "retarget", Retarget: "192.0.2.9:139"}}}},
			NotLearned: list{{Transport: "direct"}, v1(smb.SMB1{Outcome: probe.OutcomeClosed, Supported: probe.No}), {SessionRequests: []smb.SessionRequest{{CalledName: "*SMBSERVER", Reply: "negative"}}}},
			Known:      finding.Seen,
		}},
		"smb.v1": {{
			Fires:      list{v1(smb.SMB1{Supported: probe.Yes, Dialect: "NT LM 0.12"}), v1(smb.SMB1{Supported: probe.Yes, Dialect: "NT LM 0.12", SigningEnabled: probe.Yes, SigningRequired: probe.No})},
			NotSo:      list{v1(smb.SMB1{Supported: probe.No})},
			NotLearned: list{v1(smb.SMB1{Outcome: probe.OutcomeTimeout})},
			Known:      finding.Seen, Detail: "NT LM 0.12",
		}, {
			Fires: list{v1(smb.SMB1{Supported: probe.Yes, Dialect: "NT LM 0.12", SigningEnabled: probe.No, SigningRequired: probe.No})},
			Known: finding.Seen, Detail: "NT LM 0.12 without signing", Severity: finding.High,
		}},
		"smb.signing-optional": {{
			Fires: list{{PreferredDialect: "3.1.1", SigningRequired: probe.No, Dialects: []string{"3.1.1"}, SMB1: smb.SMB1{SigningRequired: probe.Yes}}},
			NotSo: list{{SigningRequired: probe.Yes}, {SigningRequired: probe.Yes, SMB1: smb.SMB1{SigningRequired: probe.Yes}}},
			Known: finding.Seen, Detail: "SMB 3.1.1", Items: []string{"SMB 3.1.1"},
			NotLearned: list{{SigningEnabled: probe.Yes}},
		}, {
			Fires: list{{PreferredDialect: "2.1", SigningRequired: probe.Yes, SMB1: smb.SMB1{SigningRequired: probe.No}}},
			Known: finding.Seen, Detail: "SMB1", Items: []string{"SMB1"},
		}, {
			Fires: list{{PreferredDialect: "2.1", SigningRequired: probe.No, SMB1: smb.SMB1{SigningRequired: probe.No}}},
			Known: finding.Seen, Detail: "SMB 2.1, SMB1", Items: []string{"SMB 2.1", "SMB1"},
		}},
		"smb.null-session": {{
			Fires: list{{NullSession: probe.Yes}}, NotSo: list{{NullSession: probe.No, Guest: probe.Yes}}, NotLearned: list{{}}, Known: finding.Seen,
		}},
		"smb.guest": {{
			Fires: list{{Guest: probe.Yes}}, NotSo: list{{Guest: probe.No, NullSession: probe.Yes}}, NotLearned: list{{}}, Known: finding.Seen,
		}},
		"smb.shares-listed": {{
			Fires:      list{{Shares: []smb.Share{{Name: "pub", Type: "disk"}, {Name: "IPC$", Type: "ipc"}}}},
			NotSo:      list{{Shares: []smb.Share{}}, {NullSession: probe.No}},
			NotLearned: list{{NullSession: probe.Yes}, {NullSession: probe.No, Guest: probe.Yes}},
			Known:      finding.Seen, Detail: "pub, IPC$", Items: []string{"pub", "IPC$"},
		}},
		"smb.no-encryption": {{
			Fires: list{{Encryption: probe.No}}, NotSo: list{{Encryption: probe.Yes}}, NotLearned: list{{Dialects: []string{"2.1"}}}, Known: finding.Seen,
		}},
	})
}

func result(e *smb.Evidence) *probe.Result { return &probe.Result{Protocol: "smb", Evidence: e} }

// A server may have very many shares.
func TestSharesInShort(t *testing.T) {
	e := new(smb.Evidence)
	for i := range 12 {
		e.Shares = append(e.Shares, smb.Share{Name: fmt.Sprint("x", i)})
	}
	for _, f := range finding.Evaluate(result(e), smb.Rules) {
		require.Equal(t, "x0, x1, x2, x3, x4, x5, x6, x7, x8, x9 and 2 more", f.Detail)
	}
	require.Len(t, finding.Evaluate(result(e), smb.Rules), 1)
}

// What the rules say of the servers in the transcripts.
func TestFindings(t *testing.T) {
	for name, want := range map[string][]string{
		"samba-4.17.12-default-direct":   {"smb.exposed", "smb.signing-optional", "ntlm.info"},
		"samba-4.17.12-nt1-guest-direct": {"smb.exposed", "smb.v1", "smb.signing-optional", "ntlm.info"},
		"samba-4.17.12-strict-direct":    {"smb.exposed", "ntlm.info"},
		"samba-4.17.12-up-to-2.1-direct": {"smb.exposed", "smb.signing-optional", "ntlm.info", "smb.no-encryption"},
		"samba-4.17.12-smb1-only-direct": {"smb.exposed", "smb.v1", "ntlm.info"},
		"handwritten-windows-10":         {"smb.exposed", "smb.signing-optional", "ntlm.info"},
		"handwritten-windows-2003":       {"smb.exposed", "smb.signing-optional", "smb.v1", "ntlm.info"},
		"handwritten-none-spoken":        {"smb.exposed", "smb.no-encryption"},
		"handwritten-netbios-retarget":   {},
	} {
		ids := []string{}
		r := play(t, name)
		for _, f := range finding.Evaluate(r, append(slices.Clone(smb.Rules), finding.NTLM...)) {
			ids = append(ids, f.ID)
		}
		require.Equal(t, want, ids, name)
	}
}

// The title says Samba; the detail says what it is.
func TestExposedTellsWhatAnswers(t *testing.T) {
	for want, software := range map[string][]probe.Software{
		"":                    nil,
		"Samba 4.17.12":       {{Vendor: "Samba", Product: "Samba", Version: "4.17.12"}, {Vendor: "Debian", Product: "Debian Linux"}},
		"Windows Server 2019": {{Vendor: "Microsoft", Product: "Windows Server 2019"}},
	} {
		for _, e := range (list{{NegotiateStatus: "STATUS_SUCCESS"}, {SMB1: smb.SMB1{Outcome: probe.OutcomeOK}}}) {
			r := result(e)
			r.Software = software
			found := finding.Evaluate(r, smb.Rules[:1])
			require.Len(t, found, 1)
			require.Equal(t, want, found[0].Detail)
		}
	}
}
