package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"time"

	"github.com/handclasp/handclasp/internal/filelock"
	"github.com/handclasp/handclasp/internal/userfile"
	"github.com/handclasp/handclasp/probe"
	"github.com/handclasp/handclasp/report"
	"github.com/handclasp/handclasp/scan"
)

// A state is what --resume keeps: from where the scan can go on, and how much of the output belongs to what is done.
// What stands behind that in the output was written by a scan that was killed before it could note it; it is cut off,
// and probed again.
type state struct {
	Kind     string   `json:"kind"`
	Settings settings `json:"settings"`
	// Offset is how many bytes of the output are good; -1 if the output can't be cut, such as a pipe.
	Offset int64        `json:"offset"`
	ID     string       `json:"scan_id"` // that the results name; empty with --plain
	Tally  report.Tally `json:"tally"`
	Scan   scan.State   `json:"scan"`
}

const stateKind = "handclasp.scan-state/1"

// settings are the flags that must be the same when a scan goes on, or its results would be of two kinds.
type settings struct {
	Level      string `json:"level"`
	Transcript bool   `json:"transcript"`
	Recog      string `json:"recog"`            // a path
	CA         string `json:"ca"`               // a path
	Advice     string `json:"advice,omitempty"` // paths of advisories and life cycles, a line each
	Accept     string `json:"accept,omitempty"` // a path
	Choice     string `json:"choice"`           // of protocols, rules and so on
	Baseline   string `json:"baseline"`         // a path
	Output     string `json:"output"`           // its whole path; empty for standard output
}

// A resumption keeps the state of a scan in a file.
type resumption struct {
	path    string
	state   state
	resumed bool // the file was there
	saved   time.Time
}

// saveEvery is how much work may be lost, and done again, if the program is killed.
const saveEvery = time.Second

// openResumption reads the state, if there is one.
func openResumption(path string, o *options) (*resumption, error) {
	r := &resumption{path: path, state: state{Kind: stateKind, Settings: settings{Level: o.level.String(), Transcript: o.transcript, Recog: o.recog, CA: o.ca, Choice: o.choice.key(), Advice: o.advice.key(), Accept: o.accept.path, Baseline: o.earlier}}}
	if o.format != formatJSONL {
		return nil, errors.New("--resume: only JSON lines can be gone on with: add --format jsonl")
	}
	if len(o.more) > 0 {
		return nil, errors.New("--resume: one output can be gone on with: make the others with handclasp report")
	}
	if o.output != "" {
		whole, err := filepath.Abs(o.output)
		if err != nil {
			return nil, fmt.Errorf("--output: %w", err)
		}
		r.state.Settings.Output = whole
		if same, err := filepath.Abs(path); err == nil && same == whole {
			return nil, fmt.Errorf("--resume: %s is the output, too: name another file", path)
		}
	}
	data, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return r, nil
	}
	if err != nil {
		return nil, fmt.Errorf("--resume: %s: %w", path, userfile.Cause(err))
	}
	is := r.state.Settings
	r.state = state{}
	if err := json.Unmarshal(data, &r.state); err != nil || r.state.Kind != stateKind {
		return nil, fmt.Errorf("--resume: %s isn't the state of a scan: name another file, or remove this one to start anew", path)
	}
	r.resumed = true
	was := r.state.Settings
	switch {
	case was.Level != is.Level:
		err = fmt.Errorf("the scan was begun with --level %s", was.Level)
	case was.Transcript != is.Transcript:
		err = fmt.Errorf("the scan was begun with --transcript=%t", was.Transcript)
	case was.Recog != is.Recog:
		err = fmt.Errorf("the scan was begun with --recog '%s'", was.Recog)
	case was.CA != is.CA:
		err = fmt.Errorf("the scan was begun with --ca '%s'", was.CA)
	case was.Advice != is.Advice:
		err = fmt.Errorf("the scan was begun with other --advisories or --lifecycle: %q", was.Advice)
	case was.Accept != is.Accept:
		err = fmt.Errorf("the scan was begun with --accept '%s'", was.Accept)
	case was.Choice != is.Choice:
		err = errors.New("the scan was begun with another choice of protocols, ports, rules or checks")
	case was.Baseline != is.Baseline:
		err = fmt.Errorf("the scan was begun with --baseline '%s'", was.Baseline)
	case was.Output != is.Output && was.Output == "":
		err = fmt.Errorf("the scan was begun without --output")
	case was.Output != is.Output:
		err = fmt.Errorf("the scan was begun with --output %s", was.Output)
	}
	if err != nil {
		return nil, r.refusal(err)
	}
	return r, nil
}

// journal returns the books of the scan that goes on; r may be nil.
func (r *resumption) journal() *scan.Journal {
	if r == nil || !r.resumed {
		return new(scan.Journal)
	}
	return scan.NewJournal(&r.state.Scan)
}

// finished reports whether nothing is left to go on with; r may be nil.
func (r *resumption) finished() bool { return r != nil && r.state.Scan.Finished }

// check refuses to go on in another order; r may be nil.
func (r *resumption) check(probers []probe.Prober, order *scan.EndpointOptions) error {
	if r == nil || !r.resumed {
		return nil
	}
	if err := r.state.Scan.Check(probers, order); err != nil {
		return r.refusal(err)
	}
	return nil
}

func (r *resumption) refusal(err error) error {
	return fmt.Errorf("--resume: %s: %w: use the same, or remove the file to start anew", r.path, err)
}

// openOutput opens the output to go on with, or a new one. Results go into the file itself, since it is to be of use
// while the scan is under way, or after it was killed.
func (r *resumption) openOutput(path string, stdout *os.File) (*output, error) {
	if path == "" {
		r.state.Offset = -1
		return &output{Writer: stdout}, nil
	}
	info, err := os.Stat(path)
	if err == nil && !info.Mode().IsRegular() {
		r.state.Offset = -1
		return openOutput(path, stdout)
	}
	if err == nil && info.Size() > 0 && !r.resumed {
		return nil, fmt.Errorf("--output: %s is there already, and %s isn't: remove it, or name another file", path, r.path)
	}
	mode := os.O_RDWR | os.O_CREATE
	if r.state.Offset > 0 {
		mode = os.O_RDWR
	}
	f, err := os.OpenFile(path, mode, 0o666)
	if errors.Is(err, fs.ErrNotExist) && r.state.Offset > 0 {
		return nil, fmt.Errorf("--output: %s is gone, and %s goes on with it: put it back, or remove both to start anew", path, r.path)
	}
	if err != nil {
		return nil, fmt.Errorf("--output: %s can't be written: %w: choose another file", path, userfile.Cause(err))
	}
	out := &output{Writer: f, path: path, part: f, direct: true}
	if err := r.cut(f); err != nil {
		out.discard()
		return nil, fmt.Errorf("--output: %s: %w", path, err)
	}
	return out, nil
}

// cut takes off what was written after the state was.
func (r *resumption) cut(f *os.File) error {
	if err := filelock.Lock(f); err != nil {
		return errors.New("another scan is writing to it: let it end, or stop it")
	}
	info, err := f.Stat()
	if err != nil {
		return userfile.Cause(err)
	}
	if info.Size() < r.state.Offset {
		return fmt.Errorf("it is shorter than %s says: put it back, or remove both to start anew", r.path)
	}
	if r.state.Offset > 0 {
		end := make([]byte, 1)
		if _, err := f.ReadAt(end, r.state.Offset-1); err != nil || end[0] != '\n' {
			return fmt.Errorf("it was changed since %s was written: put it back, or remove both to start anew", r.path)
		}
	}
	if err := f.Truncate(r.state.Offset); err != nil {
		return userfile.Cause(err)
	}
	_, err = f.Seek(r.state.Offset, io.SeekStart)
	return err
}

// due reports whether the state is to be saved again.
func (r *resumption) due() bool { return time.Since(r.saved) >= saveEvery }

// saver returns what saves the state of now, once the output that belongs to it is written.
func (r *resumption) saver(journal *scan.Journal, tally report.Tally, written int64, out *output) func() error {
	r.saved = time.Now()
	s := r.state
	if s.Offset >= 0 {
		s.Offset = written
	}
	tally.States, tally.Findings = maps.Clone(tally.States), maps.Clone(tally.Findings)
	s.Scan, s.Tally = journal.State(), tally
	return func() error {
		if out.part != nil && s.Offset >= 0 {
			if err := out.part.Sync(); err != nil {
				return err
			}
		}
		if err := replace(r.path, s); err != nil {
			return &stateError{r.path, userfile.Cause(err)}
		}
		return nil
	}
}

// A stateError says that the state can't be saved.
type stateError struct {
	path string
	err  error
}

func (e *stateError) Error() string {
	return fmt.Sprintf("--resume: %s can't be written: %v: the scan has ended; what it held before is still good", e.path, e.err)
}

func (e *stateError) Unwrap() error { return e.err }

// replace writes a state to a file, which is either the old one or the new one at any time.
func replace(path string, s state) error {
	data, err := json.Marshal(s)
	if err != nil {
		return err
	}
	part, err := os.OpenFile(path+".partial", os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o666)
	if err != nil {
		return err
	}
	_, err = part.Write(append(data, '\n'))
	err = errors.Join(err, part.Sync(), part.Close())
	if err == nil {
		err = os.Rename(part.Name(), path)
	}
	if err != nil {
		_ = os.Remove(part.Name())
		return err
	}
	if dir, err := os.Open(filepath.Dir(path)); err == nil { // so that the name outlives a crash, too, if that can be had
		_ = dir.Sync()
		_ = dir.Close()
	}
	return nil
}
