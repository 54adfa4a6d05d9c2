package fleet

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// The clock of whoever submitted a scan may be ahead of the coordinator's.
func TestEndsNotBeforeItBegan(t *testing.T) {
	s := Scan{Submitted: time.Now().Add(time.Hour).UTC()}
	s.end(Finished)
	require.Equal(t, s.Submitted, s.Ended)
	s.Submitted = time.Now().Add(-time.Hour).UTC()
	s.end(Finished)
	require.WithinDuration(t, time.Now(), s.Ended, 30*time.Minute)
}
