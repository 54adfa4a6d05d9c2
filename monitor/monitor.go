package monitor

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"os"
	"slices"
	"time"

	_ "modernc.org/sqlite" // the driver

	"github.com/handclasp/handclasp/finding"
	"github.com/handclasp/handclasp/internal/filelock"
	"github.com/handclasp/handclasp/probe"
)

// Errors of Open and Apply.
var (
	// ErrLocked means that another program has the state open for changes.
	ErrLocked = errors.New("the state is in use by another run")
	// ErrOlder means that a scan ended before the last one from its vantage that was applied.
	ErrOlder = errors.New("the scan is older than what the state holds")
	// ErrNoScan means that what is to be applied doesn't name one scan.
	ErrNoScan = errors.New("the results don't name their scan")
)

// Options say how a state is kept. A nil *Options and the zero value are the defaults.
type Options struct {
	Rules       []finding.Rule
	Comparisons []finding.Comparison
	// Confirm says after how many scans something is believed; the default is 1 of 1, and 2 for what is gone.
	Confirm finding.Confirmation
	// ReadOnly opens a state that is there for questions, without the lock.
	ReadOnly bool
}

// A State is what is known, in a file. It may be used by several goroutines.
type State struct {
	db   *sql.DB
	lock *os.File
	o    Options
}

// Open opens the state, and makes it if there is none. It holds a lock on the file's name with ".lock" behind it until
// Close; an error is ErrLocked if another program has it.
func Open(path string, o *Options) (*State, error) {
	s := &State{}
	if o != nil {
		s.o = *o
	}
	mode := "rwc"
	if s.o.ReadOnly {
		mode = "ro"
	} else {
		var err error
		if s.lock, err = lockFile(path + ".lock"); err != nil {
			return nil, err
		}
	}
	db, err := sql.Open("sqlite", dsn(path, mode))
	if err == nil {
		db.SetMaxOpenConns(2) // one reads events while another acknowledges them
		err = db.Ping()
	}
	if err == nil && !s.o.ReadOnly {
		err = migrate(context.Background(), db)
	}
	if s.db = db; err != nil {
		return nil, errors.Join(fmt.Errorf("state %s: %w", path, err), s.Close())
	}
	return s, nil
}

// lockFile takes the lock, which ends with the file or the program. On a system without such locks SQLite's own must do.
func lockFile(path string) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o666)
	if err != nil {
		return nil, err
	}
	if err := filelock.Lock(f); err != nil {
		_ = f.Close()
		return nil, fmt.Errorf("%s: %w", path, ErrLocked)
	}
	return f, nil
}

// Close closes the file.
func (s *State) Close() error {
	var errs []error
	if s.db != nil {
		errs = append(errs, s.db.Close())
	}
	if s.lock != nil {
		errs = append(errs, s.lock.Close())
	}
	return errors.Join(errs...)
}

// A Scan is what Apply made of a scan.
type Scan struct {
	ID        string     `json:"scan"`
	Started   time.Time  `json:"started"`
	Ended     time.Time  `json:"ended"`
	Complete  probe.Fact `json:"complete"`
	Endpoints int        `json:"endpoints"`
	New       int        `json:"new"`
	Changed   int        `json:"changed"`
	Resolved  int        `json:"resolved"`
	Unknown   int        `json:"unknown"`
	Unchanged int        `json:"unchanged"`
	Notes     int        `json:"notes"`
	// Known counts the findings that were open before, and Lost those of them that weren't learned.
	Known int `json:"known"`
	Lost  int `json:"lost"`
	// Again says that the scan had been applied before, so that nothing was done.
	Again bool `json:"again,omitempty"`

	// Blind says that too much of a group was lost at once, and Worst is the most severe of what is to alarm anybody; absent for
	// nothing.
	Blind bool             `json:"blind,omitempty"`
	Worst finding.Severity `json:"worst,omitempty"`
}

// An Event tells of one change. Its JSON form is a contract.
type Event struct {
	ID   int64     `json:"id"` // stays the same, grows
	Scan string    `json:"scan"`
	At   time.Time `json:"at"`
	// Kind is "new", "changed", "resolved" (see Change), one of the kinds of notes (see Note), or "scan" (see Summary).
	Kind     string           `json:"kind"`
	Endpoint finding.Endpoint `json:"endpoint"`
	Change   *finding.Change  `json:"change,omitempty"`
	Note     *finding.Note    `json:"note,omitempty"`
	Summary  *Scan            `json:"summary,omitempty"` // every scan has one, quiet nights too
}

// Alarming reports whether the event is of a finding that is new, or worse than it was, and at least so severe.
func (e Event) Alarming(least finding.Severity) bool {
	return e.Change != nil && e.Change.Alarming(least)
}

// ApplyOptions say how a scan is applied.
type ApplyOptions struct {
	// AcceptLoss are groups, as [finding.Endpoint.Groups] names them, that are gone indeed.
	AcceptLoss []string
	// Again, unless it is nil, is asked to look once more at endpoints of which a finding would be told to be new, changed or
	// resolved, before any of that is believed; what the results of both looks don't have in common isn't.
	Again func(ctx context.Context, doubtful map[finding.Endpoint]bool) (iter.Seq[finding.Entry], error)
}

// Apply compares a scan with what is known, and commits both what is known now and the events that tell of it: all of it,
// or, if there is an error, nothing.
func (s *State) Apply(ctx context.Context, entries iter.Seq[finding.Entry], o *ApplyOptions) (Scan, error) {
	var opts ApplyOptions
	if o != nil {
		opts = *o
	}
	snap := finding.NewSnapshot(s.o.Rules, s.o.Comparisons)
	for e := range entries {
		snap.Add(e)
		if err := ctx.Err(); err != nil {
			return Scan{}, err
		}
	}
	head, from, to, err := snap.Scan()
	if err != nil {
		return Scan{}, fmt.Errorf("%w: %w", ErrNoScan, err)
	}
	a := &application{State: s, snap: snap, head: head, from: from, to: to, o: opts}
	if opts.Again == nil {
		return a.run(ctx, true)
	}
	doubtful := map[finding.Endpoint]bool{}
	a.doubt = func(at finding.Endpoint) { doubtful[at] = true }
	if scan, err := a.run(ctx, false); err != nil || scan.Again {
		return scan, err
	}
	if a.doubt, a.doubtful = nil, doubtful; len(doubtful) > 0 {
		if a.again, err = opts.Again(ctx, doubtful); err != nil {
			return Scan{}, err
		}
	}
	return a.run(ctx, true)
}

// An application is a scan that is applied.
type application struct {
	*State
	snap     *finding.Snapshot
	head     finding.Header
	from, to time.Time
	o        ApplyOptions
	doubt    func(finding.Endpoint)  // is told what something is to be told of; may be nil
	again    iter.Seq[finding.Entry] // a second look at those that are; may be nil
	doubtful map[finding.Endpoint]bool
}

// run applies the scan, and keeps what comes of it, or doesn't.
func (a *application) run(ctx context.Context, keep bool) (Scan, error) {
	tx, err := a.db.BeginTx(ctx, nil)
	if err != nil {
		return Scan{}, err
	}
	scan, err := a.apply(ctx, tx)
	if ctx.Err() != nil {
		err = ctx.Err() // rather than that the transaction is over
	}
	keep = keep && err == nil && !scan.Again
	if keep {
		err = tx.Commit()
	}
	if !keep || err != nil {
		_ = tx.Rollback()
	}
	return scan, err
}

func (a *application) apply(ctx context.Context, tx *sql.Tx) (Scan, error) {
	head, to := a.head, a.to
	if scan, err := applied(ctx, tx, head.Scan); err != nil || scan.Again {
		return scan, err
	}
	before, ended, err := lastScan(ctx, tx, head.Vantage)
	if err != nil {
		return Scan{}, err
	}
	if to.Before(ended) {
		return Scan{}, fmt.Errorf("%w: it ended %s, and the last one %s", ErrOlder, to.Format(time.RFC3339), ended.Format(time.RFC3339))
	}
	known, err := rulesKnown(ctx, tx)
	if err != nil {
		return Scan{}, err
	}
	// The driver has a goroutine watch each call whose context may end. The transaction's does, which has them fail.
	w := &work{ctx: context.WithoutCancel(ctx), tx: tx}
	m, err := newMemory(w)
	if err != nil {
		return Scan{}, err
	}
	out, err := newOutbox(w, head.Scan, to)
	if err != nil {
		return Scan{}, err
	}
	scan := Scan{ID: head.Scan, Started: a.from, Ended: to, Endpoints: a.snap.Len()}
	tell := func(changes []finding.Change, notes []finding.Note) {
		scan.add(changes, notes)
		for _, c := range changes {
			if a.doubt != nil && c.Status != finding.Unknown {
				a.doubt(c.Endpoint)
			}
		}
		out.tell(changes, notes)
	}
	how := finding.WeighOptions{Tell: tell, Confirm: a.State.o.Confirm, AcceptLoss: a.o.AcceptLoss, Before: before, Again: a.again, Doubtful: a.doubtful}
	if len(known) > 0 {
		how.RuleKnown = func(id string, learned time.Time) bool {
			since, ok := known[id]
			return ok && !learned.Truncate(time.Millisecond).Before(since)
		}
	}
	d := finding.Weigh(m, a.snap, how)
	tell(nil, d.Notes)
	if err := m.finish(); err != nil {
		return Scan{}, err
	}
	scan.Complete, scan.Unchanged, scan.Known, scan.Lost, scan.Blind = d.Complete, d.Unchanged, d.Known, d.Lost, d.Blind()
	if err := a.note(ctx, tx, head, scan, len(known) == 0); err != nil {
		return Scan{}, err
	}
	return scan, out.close(scan)
}

// add counts what is told.
func (s *Scan) add(changes []finding.Change, notes []finding.Note) {
	s.Notes += len(notes)
	for _, c := range changes {
		switch c.Status {
		case finding.New:
			s.New++
		case finding.Changed:
			s.Changed++
		case finding.Resolved:
			s.Resolved++
		case finding.Unknown:
			s.Unknown++
		}
		if c.Alarming(finding.Info) {
			s.Worst = max(s.Worst, c.Finding.Severity)
		}
	}
}

// note notes that a scan was applied, and by which rules.
func (s *State) note(ctx context.Context, tx *sql.Tx, head finding.Header, scan Scan, first bool) error {
	header, err := json.Marshal(head)
	if err != nil {
		return err
	}
	summary, err := json.Marshal(scan)
	if err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, `INSERT INTO scan (id, applied, started, ended, header, summary) VALUES (?, ?, ?, ?, ?, ?)`,
		head.Scan, time.Now().UTC().Format(time.RFC3339), scan.Started.Format(stamp), scan.Ended.Format(stamp), header, summary)
	if err != nil {
		return err
	}
	since := scan.Ended.Format(stamp)
	if first {
		since = ""
	}
	rules := slices.Clone(s.o.Rules)
	for _, c := range s.o.Comparisons {
		rules = append(rules, c.Rule)
	}
	for _, r := range rules {
		if _, err := tx.ExecContext(ctx, `INSERT INTO rule (id, severity, since) VALUES (?, ?, ?) ON CONFLICT (id) DO UPDATE SET severity = excluded.severity`,
			r.ID, int(r.Severity), since); err != nil {
			return err
		}
	}
	return nil
}

// stamp is how times are kept: fixed in width, so that they compare as texts do.
const stamp = "2006-01-02T15:04:05.000Z"
