package smb_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/handclasp/handclasp/finding"
	"github.com/handclasp/handclasp/probe"
	"github.com/handclasp/handclasp/smb"
)

// Each rule fires on what it says, and neither on its contrary nor on what wasn't learned.
func TestRules(t *testing.T) {
	type evidences []smb.Evidence
	for id, c := range map[string]struct {
		fires, not evidences
		detail     string
	}{
		"smb.exposed": {
			fires: evidences{{NegotiateStatus: "STATUS_SUCCESS"}, {NegotiateStatus: "STATUS_NOT_SUPPORTED"}, {SMB1: smb.SMB1{Outcome: probe.OutcomeOK}}},
			not:   evidences{{Transport: "direct"}, {SMB1: smb.SMB1{Outcome: probe.OutcomeClosed, Supported: probe.No}}},
		},
		"smb.v1": {
			fires:  evidences{{SMB1: smb.SMB1{Supported: probe.Yes, Dialect: "NT LM 0.12"}}},
			not:    evidences{{SMB1: smb.SMB1{Supported: probe.No}}, {SMB1: smb.SMB1{Outcome: probe.OutcomeTimeout}}},
			detail: "NT LM 0.12",
		},
		"smb.signing-optional": {
			fires: evidences{{PreferredDialect: "3.1.1", SigningRequired: probe.No}, {
				PreferredDialect: "3.1.1", SigningRequired: probe.No, SMB1: smb.SMB1{SigningRequired: probe.Yes},
			}},
			not:    evidences{{SigningRequired: probe.Yes}, {SigningEnabled: probe.Yes}, {SigningRequired: probe.Yes, SMB1: smb.SMB1{SigningRequired: probe.Yes}}},
			detail: "SMB 3.1.1",
		},
		"smb.null-session": {
			fires: evidences{{NullSession: probe.Yes}},
			not:   evidences{{NullSession: probe.No, Guest: probe.Yes}, {}},
		},
		"smb.guest": {
			fires: evidences{{Guest: probe.Yes}},
			not:   evidences{{Guest: probe.No, NullSession: probe.Yes}, {}},
		},
		"smb.shares-listed": {
			fires:  evidences{{Shares: []smb.Share{{Name: "pub", Type: "disk"}, {Name: "IPC$", Type: "ipc"}}}},
			not:    evidences{{Shares: []smb.Share{}}, {NullSession: probe.Yes}},
			detail: "pub, IPC$",
		},
		"smb.no-encryption": {
			fires: evidences{{Encryption: probe.No}},
			not:   evidences{{Encryption: probe.Yes}, {Dialects: []string{"2.1"}}},
		},
	} {
		i := slices.IndexFunc(smb.Rules, func(r finding.Rule) bool { return r.ID == id })
		require.GreaterOrEqual(t, i, 0, id)
		rule := smb.Rules[i]
		for _, e := range c.fires {
			r := result(&e)
			p := rule.Check(r).Proof()
			require.NotNil(t, p, "%s: %+v", id, e)
			require.Equal(t, finding.Seen, p.Known)
			require.Equal(t, c.detail, p.Detail, id)
			document, err := json.Marshal(r)
			require.NoError(t, err)
			for _, b := range p.Basis {
				value, err := finding.Resolve(document, b)
				require.NoError(t, err, id)
				require.NotContains(t, []string{`""`, "null", "[]"}, string(value), "%s at %s", id, b)
			}
		}
		for _, e := range append(c.not, smb.Evidence{}) {
			require.Nil(t, rule.Check(result(&e)).Proof(), "%s: %+v", id, e)
		}
		require.Nil(t, rule.Check(&probe.Result{Protocol: "smb"}).Proof(), id)
	}
	require.Len(t, smb.Rules, 7)
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

// SMB1 is worse where nothing said over it can be signed.
func TestSMB1WithoutSigning(t *testing.T) {
	old := smb.SMB1{Supported: probe.Yes, Dialect: "NT LM 0.12", SigningEnabled: probe.No, SigningRequired: probe.No}
	for enabled, want := range map[probe.Fact]finding.Severity{probe.No: finding.High, probe.Yes: finding.Medium, probe.Unknown: finding.Medium} {
		old.SigningEnabled = enabled
		for _, f := range finding.Evaluate(result(&smb.Evidence{SMB1: old}), smb.Rules) {
			if f.ID == "smb.v1" {
				require.Equal(t, want, f.Severity, enabled)
			}
		}
	}
}

// A server may require signatures of one version and not of the other.
func TestSigningOfEitherVersion(t *testing.T) {
	e := &smb.Evidence{PreferredDialect: "2.1", SigningRequired: probe.Yes, SMB1: smb.SMB1{SigningRequired: probe.No}}
	found := finding.Evaluate(result(e), smb.Rules)
	require.Len(t, found, 1)
	require.Equal(t, "SMB1", found[0].Detail)
	require.Equal(t, []string{"/evidence/smb1/signing_required"}, found[0].Basis)
	e.SigningRequired = probe.No
	require.Equal(t, "SMB 2.1, SMB1", finding.Evaluate(result(e), smb.Rules)[0].Detail)
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
