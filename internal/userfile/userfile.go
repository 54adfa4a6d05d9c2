// Package userfile reads files that people write for commands, and says in one line what is wrong with them, and where.
package userfile

import (
	"errors"
	"io/fs"
)

// Cause takes the path off an error, since the line names the one that the user gave.
func Cause(err error) error {
	var e *fs.PathError
	if errors.As(err, &e) {
		return e.Err
	}
	return err
}
