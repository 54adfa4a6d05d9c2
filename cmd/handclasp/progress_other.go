//go:build !unix

package main

import "os"

// requests tells nothing: this system has no signal for it.
func requests() (asked chan os.Signal, stop func()) { return nil, func() {} }
