package monitor

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"time"

	"github.com/handclasp/handclasp/finding"
)

// A Status is how things stand.
type Status struct {
	Open []OpenFinding `json:"open"` // by host, then by port and rule
	// Last is the last scan, nil before the first.
	Last *Scan `json:"last"`
	// Undelivered counts events that nobody acknowledged, the first of which is of Oldest; Trouble is why the last delivery that
	// failed did.
	Undelivered int       `json:"undelivered"`
	Oldest      time.Time `json:"oldest"`
	Trouble     string    `json:"trouble"`
}

// An OpenFinding is one that was confirmed and isn't resolved.
type OpenFinding = finding.OpenFinding

// Status returns how things stand.
func (s *State) Status(ctx context.Context) (Status, error) {
	st := Status{Open: []OpenFinding{}}
	rows, err := s.db.QueryContext(ctx, `SELECT host, port, network, vantage, rule, severity, items, first_seen, last_seen, unknown_scans, reason, accepted
		FROM open_findings ORDER BY host, vantage, port, network, rule`)
	if err != nil {
		return st, err
	}
	defer rows.Close()
	for rows.Next() {
		var f OpenFinding
		var severity, first, last, accepted string
		e := &f.Endpoint
		if err := rows.Scan(&e.Host, &e.Port, &e.Network, &e.Vantage, &f.Rule, &severity, &f.Items, &first, &last, &f.Unknown, &f.Reason, &accepted); err != nil {
			return st, err
		}
		if accepted != "" {
			if err := json.Unmarshal([]byte(accepted), &f.Accepted); err != nil {
				return st, err
			}
		}
		f.FirstSeen, _ = time.Parse(time.RFC3339, first) // as they were written
		f.LastSeen, _ = time.Parse(time.RFC3339, last)
		if f.Severity, err = finding.ParseSeverity(severity); err != nil {
			return st, err
		}
		st.Open = append(st.Open, f)
	}
	if err := rows.Err(); err != nil {
		return st, err
	}
	return st, s.delivery(ctx, &st)
}

func (s *State) delivery(ctx context.Context, st *Status) error {
	scans, err := s.Scans(ctx, 1)
	if err != nil {
		return err
	}
	if len(scans) > 0 {
		st.Last = &scans[0]
	}
	var oldest sql.NullString
	err = s.db.QueryRowContext(ctx, `SELECT coalesce(sum(last - first + 1), 0),
		(SELECT at FROM told WHERE first <= (SELECT min(first) FROM waiting) ORDER BY first DESC LIMIT 1) FROM waiting`).Scan(&st.Undelivered, &oldest)
	if err != nil {
		return err
	}
	if oldest.Valid {
		st.Oldest, _ = time.Parse(stamp, oldest.String)
	}
	err = s.db.QueryRowContext(ctx, `SELECT error FROM waiting WHERE error <> '' ORDER BY first DESC LIMIT 1`).Scan(&st.Trouble)
	if errors.Is(err, sql.ErrNoRows) {
		return nil
	}
	return err
}

// Scans returns the last n scans, the latest first.
func (s *State) Scans(ctx context.Context, n int) (scans []Scan, err error) {
	rows, err := s.db.QueryContext(ctx, `SELECT summary FROM scan ORDER BY n DESC LIMIT ?`, n)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var summary []byte
		var scan Scan
		if err := rows.Scan(&summary); err != nil {
			return nil, err
		}
		if err := json.Unmarshal(summary, &scan); err != nil {
			return nil, err
		}
		scans = append(scans, scan)
	}
	return scans, rows.Err()
}
