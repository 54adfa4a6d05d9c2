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

// lastScan returns how the last scan from a vantage was made, and when it ended.
func lastScan(ctx context.Context, tx *sql.Tx, vantage string) (head finding.Header, ended time.Time, err error) {
	var header []byte
	var at string
	err = tx.QueryRowContext(ctx, `SELECT header, ended FROM scan WHERE coalesce(json_extract(header, '$.vantage'), '') = ? ORDER BY n DESC LIMIT 1`, vantage).Scan(&header, &at)
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

// Events yields the events that weren't acknowledged and whose id is above after, in order. Reading goes on after an error
// of one of them only if that isn't the file's.
func (s *State) Events(ctx context.Context, after int64) iter.Seq2[Event, error] {
	return s.events(ctx, `SELECT event, scan, at, wording, common, own FROM waiting w CROSS JOIN each_event e
		WHERE w.last > ?1 AND e.first BETWEEN (SELECT max(first) FROM told WHERE first <= max(w.first, ?1 + 1)) AND w.last
			AND event BETWEEN max(w.first, ?1 + 1) AND w.last ORDER BY w.first, e.first LIMIT 500`, after)
}

// History yields all events of a host or of a rule, in order, however they were delivered.
func (s *State) History(ctx context.Context, hostOrRule string) iter.Seq2[Event, error] {
	return s.events(ctx, `SELECT event, scan, at, wording, common, own FROM each_event e
		WHERE first >= coalesce((SELECT max(first) FROM told WHERE first <= ?1 + 1), 0) AND event > ?1
			AND (host = ?2 OR json_extract(own, '$.change.finding.id') = ?2
				OR wording IN (SELECT id FROM wording WHERE json_extract(body, '$.change.finding.id') = ?2)
				OR EXISTS (SELECT 1 FROM alias a JOIN alias b ON a.endpoint = b.endpoint WHERE a.host = ?2 AND b.host = e.host AND b.port = e.port))
		ORDER BY first LIMIT 500`, 0, hostOrRule)
}

// events reads pages, so that whoever reads may change the state in between.
func (s *State) events(ctx context.Context, query string, after int64, args ...any) iter.Seq2[Event, error] {
	return func(yield func(Event, error) bool) {
		words := map[int64]Event{}
		for {
			page, err := s.page(ctx, query, append([]any{after}, args...))
			if err != nil {
				yield(Event{}, err)
				return
			}
			for _, l := range page {
				e, err := s.compose(ctx, l, words)
				if err != nil {
					yield(Event{}, fmt.Errorf("event %d: %w", l.id, err))
					return
				}
				if !yield(e, nil) {
					return
				}
				after = l.id
			}
			if len(page) == 0 {
				return
			}
		}
	}
}

// layers are what an event is made of, as [outbox] tells.
type layers struct {
	id          int64
	scan, at    string
	wording     int64
	common, own []byte
}

func (s *State) page(ctx context.Context, query string, args []any) (page []layers, err error) {
	rows, err := s.db.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var l layers
		if err := rows.Scan(&l.id, &l.scan, &l.at, &l.wording, &l.common, &l.own); err != nil {
			return nil, err
		}
		page = append(page, l)
	}
	return page, rows.Err()
}

// compose makes an event of its layers. It keeps the wordings that it has read in words.
func (s *State) compose(ctx context.Context, l layers, words map[int64]Event) (e Event, err error) {
	e, known := words[l.wording]
	if !known && l.wording > 0 {
		var body []byte
		if err := s.db.QueryRowContext(ctx, `SELECT body FROM wording WHERE id = ?`, l.wording).Scan(&body); err != nil {
			return e, err
		}
		if err := json.Unmarshal(body, &e); err != nil {
			return e, err
		}
		words[l.wording] = e
	}
	if e.Change != nil {
		e.Change = new(*e.Change)
	}
	for _, layer := range [][]byte{l.common, l.own} {
		if err := json.Unmarshal(layer, &e); err != nil {
			return e, err
		}
	}
	e.ID, e.Scan = l.id, l.scan
	e.At, err = time.Parse(stamp, l.at)
	return e, err
}
