package monitor

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"time"

	"github.com/handclasp/handclasp/finding"
)

// applied returns the scan if it was applied before, Again set.
func applied(ctx context.Context, tx *sql.Tx, id string) (scan Scan, err error) {
	var summary []byte
	err = tx.QueryRowContext(ctx, `SELECT summary FROM scan WHERE id = ?`, id).Scan(&summary)
	if errors.Is(err, sql.ErrNoRows) {
		return scan, nil
	}
	if err == nil {
		err = json.Unmarshal(summary, &scan)
	}
	scan.Again = err == nil
	return scan, err
}

// lastScan returns how the last scan was made, and when it ended.
func lastScan(ctx context.Context, tx *sql.Tx) (head finding.Header, ended time.Time, err error) {
	var header []byte
	var at string
	err = tx.QueryRowContext(ctx, `SELECT header, ended FROM scan ORDER BY n DESC LIMIT 1`).Scan(&header, &at)
	if errors.Is(err, sql.ErrNoRows) {
		return head, ended, nil
	}
	if err == nil {
		err = json.Unmarshal(header, &head)
	}
	if err == nil {
		ended, err = time.Parse(stamp, at)
	}
	return head, ended, err
}

// rulesKnown returns the rules that scans were judged by until now, and since when.
func rulesKnown(ctx context.Context, tx *sql.Tx) (map[string]time.Time, error) {
	rows, err := tx.QueryContext(ctx, `SELECT id, since FROM rule`)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	known := map[string]time.Time{}
	for rows.Next() {
		var id, since string
		if err := rows.Scan(&id, &since); err != nil {
			return nil, err
		}
		known[id], _ = time.Parse(stamp, since) // zero for the rules of the first scan
	}
	return known, rows.Err()
}

// An outbox takes what changed, and the scan itself last.
type outbox struct {
	*work
	put   *sql.Stmt
	scan  string
	at    time.Time
	first int64 // the id of the first event
}

func newOutbox(w *work, scan string, at time.Time) (*outbox, error) {
	put, err := w.tx.PrepareContext(w.ctx, `INSERT INTO event (scan, at, kind, body) VALUES (?, ?, ?, ?)`)
	return &outbox{work: w, put: put, scan: scan, at: at}, err
}

// tell takes what is told of an endpoint. A finding that wasn't learned, or that stayed, is no event.
func (o *outbox) tell(changes []finding.Change, notes []finding.Note) {
	for i, c := range changes {
		if c.Status != finding.Unknown && c.Status != finding.Unchanged {
			o.write(Event{Kind: string(c.Status), Endpoint: c.Endpoint, Change: &changes[i]})
		}
	}
	for i, n := range notes {
		o.write(Event{Kind: string(n.Kind), Endpoint: n.Endpoint, Note: &notes[i]})
	}
}

func (o *outbox) close(scan Scan) error {
	o.write(Event{Kind: "scan", Summary: &scan})
	if o.err == nil {
		_, o.err = o.tx.ExecContext(o.ctx, `INSERT INTO undelivered (event) SELECT id FROM event WHERE id >= ?`, o.first)
	}
	return errors.Join(o.err, o.put.Close())
}

func (o *outbox) write(e Event) {
	if o.err != nil {
		return
	}
	e.Scan, e.At = o.scan, o.at
	body, err := json.Marshal(e)
	if err != nil {
		o.fail(err)
		return
	}
	r, err := o.put.ExecContext(o.ctx, e.Scan, e.At.Format(stamp), e.Kind, body)
	if err == nil && o.first == 0 {
		o.first, err = r.LastInsertId()
	}
	o.fail(err)
}

// Events yields the events that weren't acknowledged and whose id is above after, in order. Reading goes on after an error
// of one of them only if that isn't the file's.
func (s *State) Events(ctx context.Context, after int64) iter.Seq2[Event, error] {
	return s.events(ctx, `SELECT e.id, e.body FROM event e JOIN undelivered u ON u.event = e.id WHERE e.id > ? ORDER BY e.id LIMIT 500`, after)
}

// History yields all events of a host or of a rule, in order, however they were delivered.
func (s *State) History(ctx context.Context, hostOrRule string) iter.Seq2[Event, error] {
	return s.events(ctx, `SELECT id, body FROM event WHERE id > ?1 AND (json_extract(body, '$.endpoint.host') = ?2 OR json_extract(body, '$.change.finding.id') = ?2
		OR EXISTS (SELECT 1 FROM alias a JOIN alias b ON a.endpoint = b.endpoint WHERE a.host = ?2 AND b.host = json_extract(body, '$.endpoint.host')
			AND b.port = json_extract(body, '$.endpoint.port'))) ORDER BY id LIMIT 500`, 0, hostOrRule)
}

// events reads pages, so that whoever reads may change the state in between.
func (s *State) events(ctx context.Context, query string, after int64, args ...any) iter.Seq2[Event, error] {
	return func(yield func(Event, error) bool) {
		for {
			page, err := s.page(ctx, query, append([]any{after}, args...))
			if err != nil {
				yield(Event{}, err)
				return
			}
			for _, e := range page {
				if !yield(e, nil) {
					return
				}
				after = e.ID
			}
			if len(page) == 0 {
				return
			}
		}
	}
}

func (s *State) page(ctx context.Context, query string, args []any) (page []Event, err error) {
	rows, err := s.db.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var id int64
		var body []byte
		if err := rows.Scan(&id, &body); err != nil {
			return nil, err
		}
		var e Event
		if err := json.Unmarshal(body, &e); err != nil {
			return nil, fmt.Errorf("event %d: %w", id, err)
		}
		e.ID = id
		page = append(page, e)
	}
	return page, rows.Err()
}

// Ack notes that events were delivered: they don't come again.
func (s *State) Ack(ctx context.Context, ids ...int64) error {
	return s.each(ctx, ids, `DELETE FROM undelivered WHERE event = ?`)
}

// Failed notes that events couldn't be delivered, and why.
func (s *State) Failed(ctx context.Context, why error, ids ...int64) error {
	return s.each(ctx, ids, `UPDATE undelivered SET attempts = attempts + 1, error = ?2 WHERE event = ?1`, why.Error())
}

func (s *State) each(ctx context.Context, ids []int64, statement string, args ...any) error {
	tx, err := s.db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	for _, id := range ids {
		if _, err = tx.ExecContext(ctx, statement, append([]any{id}, args...)...); err != nil {
			_ = tx.Rollback()
			return err
		}
	}
	return tx.Commit()
}
