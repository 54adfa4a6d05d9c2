package interop_test

import (
	"testing"
	"time"

	"github.com/handclasp/handclasp/probe"
)

// patience are the limits of every probe here, and of other waits: how fast a server is on a busy machine isn't at stake.
var patience = probe.Limits{Total: 10 * time.Minute, Dial: time.Minute, Idle: time.Minute}

// agree holds a server, or what is known of it, against what another program says, up to three times: others have limits of
// their own, and one that gave up on a busy machine is no witness. Who disagrees, does so each time.
func agree(t testing.TB, f func(testing.TB)) {
	t.Helper()
	for range 2 {
		if (&attempt{TB: t}).passes(f) {
			return
		}
	}
	f(t)
}

// An attempt is a test that may fail.
type attempt struct {
	testing.TB
	failed bool
}

func (a *attempt) passes(f func(testing.TB)) bool {
	defer func() {
		if r := recover(); r != nil && r != any(a) {
			panic(r)
		}
	}()
	f(a)
	return !a.failed
}

func (a *attempt) Errorf(format string, args ...any) {
	a.Helper()
	a.failed = true
	a.Logf("once more, since: "+format, args...)
}

func (a *attempt) FailNow() { panic(a) }
