package scan_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/handclasp/handclasp"
	"github.com/handclasp/handclasp/detect"
	"github.com/handclasp/handclasp/probe"
	"github.com/handclasp/handclasp/scan"
	"github.com/handclasp/handclasp/smtp"
)

// Which ports are listened at before anything is asked.
func TestWhereServicesAreDetected(t *testing.T) {
	off := scan.EndpointOptions{NoDetection: true, InOrder: true}
	for text, want := range map[string]string{
		"192.0.2.7:2121":       "unknown, whoever greets",
		"192.0.2.6/31:2121":    "unknown, whoever greets; unknown, whoever greets",
		"[2001:db8::7]:443":    "unknown, whoever greets",
		"192.0.2.7:21":         "ftp, or whoever greets",
		"192.0.2.7:22":         "ssh, or whoever greets",
		"192.0.2.7:25":         "smtp, or whoever greets",
		"192.0.2.7:433":        "nntp, or whoever greets",
		"192.0.2.7:873":        "rsync, or whoever greets",
		"192.0.2.7:990":        "ftp",
		"192.0.2.7:465":        "smtp",
		"192.0.2.7:445":        "smb",
		"192.0.2.7:139":        "netbios; smb",
		"ftp://192.0.2.7":      "ftp",
		"ftp://192.0.2.7:2121": "ftp",
		"smtp://192.0.2.7:21":  "smtp",
	} {
		require.Equal(t, want, detectors(t, text, scan.EndpointOptions{InOrder: true}), text)
		require.NotContains(t, detectors(t, text, off), "whoever", text)
	}
	require.Contains(t, detectors(t, "192.0.2.7:2121", off), "no protocol lives on port 2121 by default")
	for text, want := range map[string]int64{"192.0.2.0/24:2121": 256, "192.0.2.7:21": 1} {
		inputs := scan.Args([]string{text})
		endpoints, unusable := scan.Count(inputs, handclasp.Probers(), nil)
		require.Equal(t, want, endpoints)
		require.Zero(t, unusable)
		endpoints, _ = scan.Count(inputs, handclasp.Probers(), &off)
		require.Equal(t, want%256, endpoints)
	}
	require.Contains(t, detectors(t, "192.0.2.7:2121", scan.EndpointOptions{}, "192.0.2.7,,,2121"), "whoever greets; unknown")
}

func detectors(t *testing.T, text string, o scan.EndpointOptions, rows ...string) (all string) {
	t.Helper()
	inputs := scan.Concat(scan.Args([]string{text}), scan.Lines(t.Context(), "rows", strings.NewReader(strings.Join(rows, "\n"))))
	for e, err := range scan.Endpoints(t.Context(), inputs, handclasp.Probers(), &o) {
		if all != "" {
			all += "; "
		}
		if err != nil {
			all += err.Error()
			continue
		}
		all += e.Prober.Spec().Protocol
		if d, ok := e.Prober.(detect.Detector); ok {
			if all += ", whoever greets"; d.Expected != nil {
				all = all[:len(all)-len("whoever greets")] + "or whoever greets"
			}
		}
	}
	return all
}

// A scan that goes on looks for services as it began to.
func TestResumeKeepsDetecting(t *testing.T) {
	state := cut(t, list(300), scan.EndpointOptions{})
	require.NoError(t, state.Check(probers(nil), nil))
	require.ErrorContains(t, state.Check(probers(nil), &scan.EndpointOptions{NoDetection: true}), "it began with detect true, and this is false")
}

// If one prober alone could recognise anybody, it is asked.
func TestOneProberNeedsNoDetector(t *testing.T) {
	for e, err := range scan.Endpoints(t.Context(), scan.Args([]string{"192.0.2.7:25"}), []probe.Prober{smtp.Prober{}}, nil) {
		require.NoError(t, err)
		require.Equal(t, smtp.Prober{}, e.Prober)
	}
}
