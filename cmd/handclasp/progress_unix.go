//go:build unix

package main

import (
	"os"
	"os/signal"
	"syscall"
)

// requests tells when somebody asks how far the scan is, by the signal USR1, until the function that it returns is called.
func requests() (asked chan os.Signal, stop func()) {
	asked = make(chan os.Signal, 1)
	signal.Notify(asked, syscall.SIGUSR1)
	return asked, func() { signal.Stop(asked) }
}
