package main

import (
	"io"
	"sync"
)

// spoolSize is how much may wait to be written. Beyond it, whoever writes waits.
const spoolSize = 4 << 20

// A spool writes in a goroutine of its own, so that a disk or a reader that is slow for a moment holds nobody up. It
// is used by one goroutine at a time.
type spool struct {
	w      io.Writer
	failed func() // called once, when writing fails

	mu      sync.Mutex
	changed sync.Cond
	waiting []byte
	mark    func() error // to be called once what waits is written
	ended   bool
	err     error
	done    chan struct{}
}

func newSpool(w io.Writer, failed func()) *spool {
	s := &spool{w: w, failed: failed, done: make(chan struct{})}
	s.changed.L = &s.mu
	go s.run()
	return s
}

// Write takes b. The error may be that of an earlier one.
func (s *spool) Write(b []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for s.err == nil && len(s.waiting) >= spoolSize {
		s.changed.Wait()
	}
	if s.err != nil {
		return 0, s.err
	}
	s.waiting = append(s.waiting, b...)
	s.changed.Broadcast()
	return len(b), nil
}

// Mark has f called, by the spool's goroutine, when all that was given until now is written, unless a later mark takes
// its place before that. An error of f is one of writing.
func (s *spool) Mark(f func() error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.mark = f
	s.changed.Broadcast()
}

// Close waits until all is written.
func (s *spool) Close() error {
	s.mu.Lock()
	s.ended = true
	s.changed.Broadcast()
	s.mu.Unlock()
	<-s.done
	return s.err
}

func (s *spool) run() {
	defer close(s.done)
	var free []byte
	for {
		s.mu.Lock()
		for len(s.waiting) == 0 && s.mark == nil && !s.ended {
			s.changed.Wait()
		}
		b, mark := s.waiting, s.mark
		s.waiting, s.mark = free[:0], nil
		s.mu.Unlock()
		if len(b) == 0 && mark == nil {
			return
		}
		var err error
		if len(b) > 0 {
			_, err = s.w.Write(b)
		}
		if err == nil && mark != nil {
			err = mark()
		}
		free = b
		s.mu.Lock()
		s.err = err
		s.changed.Broadcast()
		s.mu.Unlock()
		if err != nil {
			s.failed()
			return
		}
	}
}
