package scan

import "time"

// Queueing returns the options with a machine on which goroutines wait for a processor for as long as it says.
func Queueing(o Options, wait func() time.Duration) *Options {
	o.queueing = wait
	return &o
}
