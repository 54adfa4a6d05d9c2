package finding_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/handclasp/handclasp/finding"
	"github.com/handclasp/handclasp/probe"
)

var now = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

// healthy is a handshake at which no rule takes offence.
func healthy() *probe.TLS {
	return &probe.TLS{
		Version: "1.3", Trusted: probe.Yes, NameMatches: probe.Yes, Versions: []string{"1.2", "1.3"},
		Chain: []probe.Certificate{
			{DNSNames: []string{"ftp.example"}, NotAfter: now.Add(time.Hour), KeyType: "RSA", KeyBits: 2048, SignatureAlgorithm: "SHA256-RSA"},
			{NotAfter: now.Add(-time.Hour), KeyType: "RSA", KeyBits: 4096, SignatureAlgorithm: "SHA1-RSA", SelfSigned: true},
		},
	}
}

func TestTLSRules(t *testing.T) {
	fires := map[string]func(*probe.TLS){
		"tls.cert-expired":   func(h *probe.TLS) { h.Chain[0].NotAfter = now.Add(-time.Second) },
		"tls.cert-untrusted": func(h *probe.TLS) { h.Trusted, h.TrustError = probe.No, "x509: unknown authority" },
		"tls.cert-mismatch":  func(h *probe.TLS) { h.NameMatches = probe.No },
		"tls.legacy-version": func(h *probe.TLS) { h.Versions = []string{"1.1", "1.2"} },
		"tls.weak-key":       func(h *probe.TLS) { h.Chain[1].KeyBits = 1024 },
		"tls.weak-signature": func(h *probe.TLS) { h.Chain[0].SignatureAlgorithm = "SHA1-RSA" },
	}
	require.Len(t, fires, len(finding.TLS))
	for id, change := range fires {
		t.Run(id, func(t *testing.T) {
			h := healthy()
			change(h)
			r := &probe.Result{Target: probe.Target{Name: "ftp.example"}, Started: now, Evidence: &evidence{TLS: h}}
			found := finding.Evaluate(r, finding.TLS)
			require.Len(t, found, 1)
			require.Equal(t, id, found[0].ID)
			require.NotEmpty(t, found[0].Detail)
			doc, err := json.Marshal(r)
			require.NoError(t, err)
			for _, pointer := range found[0].Basis {
				_, err := finding.Resolve(doc, pointer)
				require.NoError(t, err)
			}

			// A stored result whose evidence type isn't known gives the same.
			raw := new(probe.Result)
			require.NoError(t, json.Unmarshal(doc, raw))
			require.Equal(t, found, finding.Evaluate(raw, finding.TLS))
		})
	}

	t.Run("the negotiated version", func(t *testing.T) {
		h := healthy()
		h.Version, h.Versions = "1.0", nil
		found := finding.Evaluate(&probe.Result{Started: now, Evidence: &evidence{TLS: h}}, finding.TLS)
		require.Len(t, found, 1)
		require.Equal(t, "negotiated 1.0", found[0].Detail)
	})
	for name, e := range map[string]probe.Evidence{
		"healthy":        &evidence{TLS: healthy()},
		"TLS not spoken": &evidence{},
		"nothing seen":   &evidence{TLS: &probe.TLS{Error: "EOF"}},
		"no evidence":    nil,
	} {
		t.Run(name, func(t *testing.T) {
			require.Empty(t, finding.Evaluate(&probe.Result{Started: now, Evidence: e}, finding.TLS))
		})
	}
}

func TestTLSRulesAreComplete(t *testing.T) {
	for _, r := range finding.TLS {
		require.NotEmpty(t, r.Title, r.ID)
		require.NotEmpty(t, r.Summary, r.ID)
		require.NotEmpty(t, r.Remediation, r.ID)
		require.NotEmpty(t, r.References, r.ID)
		require.NotEmpty(t, r.CWE, r.ID)
	}
}
