package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/handclasp/handclasp/internal/userfile"
)

// An output is where results go.
type output struct {
	io.Writer
	path string // of the file that is to be; empty for standard output
	part *os.File
	// direct says that part is the file itself, since it is no regular one, such as /dev/null or a pipe.
	direct bool
}

// openOutput finds out, before anything is scanned, whether the file can be written. An existing file is replaced
// only when the scan is over: until then results go to a file beside it, which is left there if the program is
// killed.
func openOutput(path string, stdout *os.File) (*output, error) {
	if path == "" {
		return &output{Writer: stdout}, nil
	}
	o, err := openFile(path)
	if err != nil {
		return nil, fmt.Errorf("--output: %s can't be written: %w: choose another file", path, userfile.Cause(err))
	}
	return o, nil
}

func openFile(path string) (*output, error) {
	mode := fs.FileMode(0o666) // and the umask
	info, err := os.Stat(path)
	switch {
	case err == nil && info.IsDir():
		return nil, errors.New("it is a directory")
	case err == nil && !info.Mode().IsRegular():
		f, err := os.OpenFile(path, os.O_WRONLY, 0)
		if err != nil {
			return nil, err
		}
		return &output{Writer: f, path: path, part: f, direct: true}, nil
	case err == nil:
		// Who may not write the file may not replace it either.
		f, err := os.OpenFile(path, os.O_WRONLY, 0)
		if err != nil {
			return nil, err
		}
		_ = f.Close()
		mode = info.Mode().Perm()
		if path, err = filepath.EvalSymlinks(path); err != nil {
			return nil, err
		}
	case !errors.Is(err, fs.ErrNotExist):
		return nil, err
	default:
		// A link to a file that isn't there yet: the file is to be made, and the link to stay.
		if target, err := os.Readlink(path); err == nil {
			if !filepath.IsAbs(target) {
				target = filepath.Join(filepath.Dir(path), target)
			}
			path = target
		}
	}
	part, err := os.OpenFile(fmt.Sprintf("%s.%d.partial", path, os.Getpid()), os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
	if err != nil {
		return nil, err
	}
	return &output{Writer: part, path: path, part: part}, nil
}

// commit puts the file in its place.
func (o *output) commit() error {
	if o.part == nil {
		return nil
	}
	var err error
	if !o.direct {
		err = o.part.Sync()
	}
	err = errors.Join(err, o.part.Close())
	if err == nil && !o.direct {
		err = os.Rename(o.part.Name(), o.path)
	}
	if err != nil {
		return o.failure(err)
	}
	return nil
}

// discard leaves things as they were.
func (o *output) discard() {
	if o.part != nil {
		_ = o.part.Close()
		if !o.direct {
			_ = os.Remove(o.part.Name())
		}
	}
}

// failure words an error of writing.
func (o *output) failure(err error) error {
	switch {
	case o.part == nil:
		return fmt.Errorf("standard output: %w", userfile.Cause(err))
	case o.direct:
		return fmt.Errorf("--output: %s: %w", o.path, userfile.Cause(err))
	}
	return fmt.Errorf("--output: %s: %w: what was collected is in %s", o.path, userfile.Cause(err), o.part.Name())
}
