package monitor

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"reflect"
	"slices"
	"time"

	"github.com/handclasp/handclasp/finding"
	"github.com/handclasp/handclasp/probe"
)

// An outbox takes what changed, and the scan itself last. What is told of an endpoint at once is one row. An event is put together
// of three layers of JSON, each over the one before: its wording, which is the same at many endpoints, what the row has in
// common, and what is its own.
type outbox struct {
	*work
	put      *sql.Stmt
	scan, at string
	first    int64 // the id of the first event
	next     int64
	worded   map[string][]worded // by rule
}

// A worded change is one without what is its own, which was written before.
type worded struct {
	finding.Change
	id int64
}

// common is what the events of a row have in common.
type common struct {
	Endpoint finding.Endpoint `json:"endpoint"`
	Change   *commonChange    `json:"change,omitempty"`
}

type commonChange struct {
	Target    probe.Target     `json:"target"`
	Endpoint  finding.Endpoint `json:"endpoint"`
	FirstSeen time.Time        `json:"first_seen"`
	Confirmed time.Time        `json:"confirmed"`
}

// own is what a change has alone.
type own struct {
	Change ownChange `json:"change"`
}

type ownChange struct {
	Finding   ownFinding     `json:"finding"`
	Added     []finding.Item `json:"added,omitempty"`
	Removed   []finding.Item `json:"removed,omitempty"`
	FirstSeen *time.Time     `json:"first_seen,omitempty"`
	Confirmed *time.Time     `json:"confirmed,omitempty"`
}

type ownFinding struct {
	Key      string               `json:"key"`
	Basis    []string             `json:"basis,omitempty"`
	Items    []finding.Item       `json:"items,omitempty"`
	Detail   string               `json:"detail,omitempty"`
	Accepted []finding.Acceptance `json:"accepted,omitempty"`
}

func newOutbox(w *work, scan string, at time.Time) (*outbox, error) {
	o := &outbox{work: w, scan: scan, at: at.Format(stamp), worded: map[string][]worded{}}
	err := w.tx.QueryRowContext(w.ctx, `SELECT coalesce((SELECT last FROM told ORDER BY first DESC LIMIT 1), 0) + 1`).Scan(&o.first)
	if err == nil {
		o.put, err = w.tx.PrepareContext(w.ctx, `INSERT INTO told (first, last, scan, at, common, events) VALUES (?, ?, ?, ?, ?, ?)`)
	}
	o.next = o.first
	return o, err
}

// tell takes what is told of an endpoint. A finding that wasn't learned, or that stayed, is no event.
func (o *outbox) tell(changes []finding.Change, notes []finding.Note) {
	var events [][2]any
	var base *finding.Change
	for i := range changes {
		c := &changes[i]
		if c.Status == finding.Unknown || c.Status == finding.Unchanged {
			continue
		}
		if base != nil && (c.Endpoint != base.Endpoint || c.Target != base.Target) {
			o.row(base, events)
			base, events = nil, nil
		}
		if base == nil {
			base = c
		}
		events = append(events, [2]any{o.wording(c), ownOf(c, base)})
	}
	if base != nil {
		o.row(base, events)
	}
	for i, n := range notes {
		o.whole(Event{Kind: string(n.Kind), Endpoint: n.Endpoint, Note: &notes[i]})
	}
}

func (o *outbox) row(base *finding.Change, events [][2]any) {
	o.write(&common{base.Endpoint, &commonChange{base.Target, base.Endpoint, base.FirstSeen, base.Confirmed}}, events)
}

// ownOf returns what isn't the change's wording, nor in common with another one of the endpoint.
func ownOf(c, base *finding.Change) own {
	f := &c.Finding
	change := ownChange{Finding: ownFinding{f.Key, f.Basis, f.Items, f.Detail, f.Accepted}, Added: c.Added, Removed: c.Removed}
	if !c.FirstSeen.Equal(base.FirstSeen) {
		change.FirstSeen = &c.FirstSeen
	}
	if !c.Confirmed.Equal(base.Confirmed) {
		change.Confirmed = &c.Confirmed
	}
	return own{change}
}

// wording returns the number of what many changes have in common.
func (o *outbox) wording(c *finding.Change) int64 {
	known := o.worded[c.Finding.ID]
	for i := range known {
		if sameWording(&known[i].Change, c) {
			return known[i].id
		}
	}
	if o.err != nil {
		return 0
	}
	w := worded{Change: *c}
	w.Target, w.Endpoint, w.FirstSeen, w.Confirmed = probe.Target{}, finding.Endpoint{}, time.Time{}, time.Time{}
	w.Added, w.Removed = []finding.Item{}, []finding.Item{}
	f := &w.Finding
	f.Key, f.Basis, f.Items, f.Detail, f.Accepted = "", []string{}, []finding.Item{}, "", nil
	body, err := json.Marshal(Event{Kind: string(c.Status), Change: &w.Change})
	if err == nil {
		_, err = o.tx.ExecContext(o.ctx, `INSERT INTO wording (body) VALUES (?) ON CONFLICT DO NOTHING`, string(body))
	}
	if err == nil {
		err = o.tx.QueryRowContext(o.ctx, `SELECT id FROM wording WHERE body = ?`, string(body)).Scan(&w.id)
	}
	o.fail(err)
	o.worded[c.Finding.ID] = append(known, w)
	return w.id
}

// sameWording reports whether two changes differ in nothing but what [own] and [common] hold.
func sameWording(a, b *finding.Change) bool {
	f, g := &a.Finding, &b.Finding
	return a.Status == b.Status && a.Protocol == b.Protocol && a.Reason == b.Reason && a.Was == b.Was &&
		f.ID == g.ID && f.Title == g.Title && f.Severity == g.Severity && f.Known == g.Known && f.CVSS == g.CVSS && f.Score == g.Score &&
		f.KEV == g.KEV && f.EPSS == g.EPSS && f.Remediation == g.Remediation && f.Baseline == g.Baseline && reflect.DeepEqual(f.Data, g.Data) &&
		slices.Equal(f.CWE, g.CWE) && slices.Equal(f.CVE, g.CVE) && slices.Equal(f.References, g.References)
}

// whole takes an event that has nothing in common with others but where it is.
func (o *outbox) whole(e Event) { o.write(&common{Endpoint: e.Endpoint}, [][2]any{{0, e}}) }

func (o *outbox) write(c *common, events [][2]any) {
	if o.err != nil {
		return
	}
	head, err := json.Marshal(c)
	if err != nil {
		o.fail(err)
		return
	}
	list, err := json.Marshal(events)
	if err != nil {
		o.fail(err)
		return
	}
	next := o.next + int64(len(events))
	_, err = o.put.ExecContext(o.ctx, o.next, next-1, o.scan, o.at, string(head), string(list))
	o.next = next
	o.fail(err)
}

func (o *outbox) close(scan Scan) error {
	o.whole(Event{Kind: "scan", Summary: &scan})
	if o.err == nil {
		_, o.err = o.tx.ExecContext(o.ctx, `INSERT INTO waiting (first, last) VALUES (?, ?)`, o.first, o.next-1)
	}
	return errors.Join(o.err, o.put.Close())
}

// Ack notes that events were delivered: they don't come again.
func (s *State) Ack(ctx context.Context, ids ...int64) error {
	return s.each(ctx, ids, `DELETE FROM waiting WHERE first BETWEEN ?1 AND ?2`)
}

// Failed notes that events couldn't be delivered, and why.
func (s *State) Failed(ctx context.Context, why error, ids ...int64) error {
	return s.each(ctx, ids, `UPDATE waiting SET attempts = attempts + 1, error = ?3 WHERE first BETWEEN ?1 AND ?2`, why.Error())
}

// each has a statement act on those of the events that wait, which stand there as ranges.
func (s *State) each(ctx context.Context, ids []int64, statement string, args ...any) error {
	tx, err := s.db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	ids = slices.Sorted(slices.Values(ids))
	for len(ids) > 0 {
		n := 1
		for n < len(ids) && ids[n] <= ids[n-1]+1 {
			n++
		}
		first, last := ids[0], ids[n-1]
		ids = ids[n:]
		if err = errors.Join(split(ctx, tx, first), split(ctx, tx, last+1)); err == nil {
			_, err = tx.ExecContext(ctx, statement, append([]any{first, last}, args...)...)
		}
		if err != nil {
			_ = tx.Rollback()
			return err
		}
	}
	return tx.Commit()
}

// split has no range of waiting events go across the start of an event.
func split(ctx context.Context, tx *sql.Tx, event int64) error {
	_, err := tx.ExecContext(ctx, `INSERT INTO waiting SELECT ?1, last, attempts, error FROM waiting WHERE first < ?1 AND last >= ?1`, event)
	if err == nil {
		_, err = tx.ExecContext(ctx, `UPDATE waiting SET last = ?1 - 1 WHERE first < ?1 AND last >= ?1`, event)
	}
	return err
}
