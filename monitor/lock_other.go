//go:build !unix

package monitor

import "os"

// lockFile opens the file: if there are no such locks SQLite's own must do.
func lockFile(path string) (*os.File, error) { return os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o666) }
