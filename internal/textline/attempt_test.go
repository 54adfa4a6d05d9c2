package textline_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/handclasp/handclasp/internal/textline"
	"github.com/handclasp/handclasp/probe"
)

// What was lost on the way out of step may have been learned since: only the conversation that counts tells of losses.
func TestLossesOfAnAttempt(t *testing.T) {
	outOfStep := fmt.Errorf("211 to AUTH: %w", textline.ErrOutOfStep)
	late := probe.Errorf("read", probe.OutcomeTimeout, "late")
	for name, test := range map[string]struct {
		ends    []error // of the conversations
		lost    []string
		partial []string
	}{
		"in step":          {[]error{nil}, []string{"first"}, []string{"/evidence/first"}},
		"in step again":    {[]error{outOfStep, nil}, []string{"first", "second"}, []string{"/evidence/second"}},
		"nothing lost":     {[]error{outOfStep, nil}, []string{"first", ""}, []string{}},
		"never in step":    {[]error{outOfStep, outOfStep}, []string{"first", "second"}, []string{}},
		"ended in between": {[]error{outOfStep, late}, []string{"first", ""}, []string{"/evidence"}},
	} {
		t.Run(name, func(t *testing.T) {
			attempts, forgotten := 0, 0
			r := probe.Run(t.Context(), prober(func(_ context.Context, s *probe.Session) error {
				err := textline.InStep(s, func(a *textline.Attempt) error {
					require.Equal(t, attempts > 0, a.Patient)
					a.Lost(test.lost[attempts], late)
					a.Lost("never", nil)
					attempts++
					return test.ends[attempts-1]
				}, func() { forgotten++ })
				if err != nil && err != late { // as a session makes it
					err = probe.Errorf("reply", probe.OutcomeMalformed, "%w", err)
				}
				return err
			}), probe.Target{Addr: netip.MustParseAddrPort("192.0.2.7:21")}, &probe.Options{
				Dial: func(context.Context, string, string) (net.Conn, error) { return nil, late },
			})
			require.Equal(t, test.partial, r.Partial)
			require.Len(t, test.ends, attempts)
			outs := slices.DeleteFunc(test.ends, func(err error) bool { return !errors.Is(err, textline.ErrOutOfStep) })
			require.Equal(t, len(outs), forgotten)
		})
	}
}
