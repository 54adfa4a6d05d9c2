package fleet

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"time"
)

// A File is an outlet of JSON lines, with a state file beside it: what is in one belongs to what is in the other, whenever the
// program ended. A stream has no state.
type File struct {
	path, state string
	f           *os.File // nil for a stream
	w           *bufio.Writer
	place       Place
}

// NewStream returns an outlet to a pipe or a terminal, with which nobody goes on.
func NewStream(scan string, w io.Writer) *File {
	return &File{w: bufio.NewWriterSize(w, 1<<16), place: Place{Scan: scan}}
}

// OpenFile goes on with a file of a scan's results where its state file says; without one, it begins at the start.
func OpenFile(scan, path, state string) (*File, error) {
	o := &File{path: path, state: state, place: Place{Scan: scan}}
	data, err := os.ReadFile(state)
	switch {
	case errors.Is(err, os.ErrNotExist):
		if info, err := os.Stat(path); err == nil && info.Size() > 0 {
			return nil, fmt.Errorf("%s is there, and %s, which would say what is in it, isn't: choose another file", path, state)
		}
	case err != nil:
		return nil, err
	default:
		if err := json.Unmarshal(data, &o.place); err != nil {
			return nil, fmt.Errorf("%s is no state of results: %w", state, err)
		}
		if o.place.Scan != scan {
			return nil, fmt.Errorf("%s belongs to the scan %s: choose another file", state, o.place.Scan)
		}
	}
	if o.f, err = os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o666); err != nil {
		return nil, err
	}
	if err := o.cut(); err != nil {
		return nil, errors.Join(err, o.f.Close())
	}
	o.w = bufio.NewWriterSize(o.f, 1<<16)
	if err := o.Save(o.place.Sequence); err != nil { // so that there is a state before there is a result
		return nil, errors.Join(err, o.f.Close())
	}
	return o, nil
}

// cut takes off what was written after the state was.
func (o *File) cut() error {
	size, err := o.f.Seek(0, io.SeekEnd)
	if err != nil {
		return err
	}
	if size < o.place.Offset {
		return fmt.Errorf("%s is shorter than %s says: put it back, or remove both to start anew", o.path, o.state)
	}
	if err := o.f.Truncate(o.place.Offset); err != nil {
		return err
	}
	_, err = o.f.Seek(o.place.Offset, io.SeekStart)
	return err
}

// Whole writes a scan's results between the lines that say how it was made and how it ended, unless they are there; it follows the
// scan until that has ended, or ends with what there is by now. Results are judged in the light of each other.
func (o *File) Whole(ctx context.Context, c *Client, s *Scan, name string, follow bool) error {
	all, err := s.comparing()
	if err != nil {
		return err
	}
	if o.place.Submitted.IsZero() {
		o.place.Submitted = s.Submitted
	} else if !o.place.Submitted.Equal(s.Submitted) {
		return fmt.Errorf("%s belongs to a scan %s that was submitted at %s: choose another file", o.state, s.ID, o.place.Submitted.Format(time.DateTime))
	}
	out := judging{o, all}
	if o.place.Offset == 0 {
		headers, err := s.Headers()
		if err != nil {
			return err
		}
		if err := o.addAll(headers); err != nil {
			return err
		}
	} else if err := out.learn(io.NewSectionReader(o.f, 0, o.place.Offset)); err != nil {
		return fmt.Errorf("%s: %w", o.path, err)
	}
	collect := c.CollectNow
	if follow {
		collect = c.Collect
	}
	if err := collect(ctx, s.ID, name, o.place.Sequence, out); err != nil || o.place.Ended || !follow && !s.ended() {
		return err
	}
	st, err := c.Status(ctx, s.ID)
	if err != nil || !st.ended() {
		return err
	}
	if st.Phase == Cancelled { // workers may still commit what they have
		for begun := time.Now(); err == nil && len(st.Workers) > 0 && time.Since(begun) < s.Lease; st, err = c.Status(ctx, s.ID) {
			if err := sleep(ctx, pause); err != nil {
				return err
			}
		}
		if err := errors.Join(err, c.CollectNow(ctx, s.ID, name, o.place.Sequence, out)); err != nil {
			return err
		}
	}
	footers, err := c.Footers(ctx, st)
	if err != nil {
		return err
	}
	o.place.Ended = true
	return errors.Join(o.addAll(footers), o.Save(o.place.Sequence))
}

// Ended reports whether the scan had ended when all of its results were written.
func (o *File) Ended() bool { return o.place.Ended }

func (o *File) addAll(lines [][]byte) error {
	for _, line := range lines {
		if err := o.Add(line, false); err != nil {
			return err
		}
	}
	return nil
}

// Add implements [Outlet].
func (o *File) Add(line []byte, _ bool) error {
	o.place.Offset += int64(len(line)) + 1
	_, err := o.w.Write(line)
	return errors.Join(err, o.w.WriteByte('\n'))
}

// Save implements [Outlet].
func (o *File) Save(sequence uint64) error {
	o.place.Sequence = sequence
	if o.f == nil {
		return o.w.Flush()
	}
	data, err := json.Marshal(o.place)
	if err := errors.Join(err, o.w.Flush(), o.f.Sync()); err != nil {
		return err
	}
	return replace(o.state, append(data, '\n'))
}

// Close closes the file; what wasn't saved is taken off when it is opened again.
func (o *File) Close() error {
	if o.f == nil {
		return nil
	}
	return o.f.Close()
}

// replace puts data into a file, which holds the old or the new at any time.
func replace(path string, data []byte) error {
	part, err := os.OpenFile(path+".partial", os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o666)
	if err != nil {
		return err
	}
	_, err = part.Write(data)
	if err := errors.Join(err, part.Sync(), part.Close()); err != nil {
		return err
	}
	return os.Rename(path+".partial", path)
}
