package monitor

import (
	"context"
	"database/sql"
	"errors"
	"strconv"
	"time"

	"modernc.org/sqlite"

	"github.com/handclasp/handclasp/finding"
)

// FirstVersion makes what version 1 made.
func FirstVersion(db *sql.DB) error {
	_, err := db.Exec(migrations[0] + ";PRAGMA user_version = 1")
	return err
}

// SecondVersion makes what version 2 made.
func SecondVersion(db *sql.DB) error {
	_, err := db.Exec(migrations[0] + migrations[1] + ";PRAGMA user_version = 2")
	return err
}

// Tell has events told as those of a scan.
func (s *State) Tell(ctx context.Context, scan string, at time.Time, changes []finding.Change, notes []finding.Note) error {
	tx, err := s.db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	o, err := newOutbox(&work{ctx: ctx, tx: tx}, scan, at)
	if err != nil {
		return err
	}
	o.tell(changes, notes)
	return errors.Join(o.close(Scan{ID: scan}), tx.Commit())
}

// Limit bounds the file, in pages, as a full disk does.
func (s *State) Limit(ctx context.Context, pages int) {
	s.db.SetMaxOpenConns(1)
	if _, err := s.db.ExecContext(ctx, `PRAGMA max_page_count = `+strconv.Itoa(pages)); err != nil {
		panic(err)
	}
}

// Midst has f called in the midst of the next transaction, before it writes events of one endpoint more than so many.
func (s *State) Midst(ctx context.Context, events int, f func()) error {
	s.db.SetMaxOpenConns(1)
	conn, err := s.db.Conn(ctx)
	if err != nil {
		return err
	}
	defer conn.Close()
	return conn.Raw(func(c any) error {
		c.(sqlite.HookRegisterer).RegisterPreUpdateHook(func(row sqlite.SQLitePreUpdateData) {
			if row.TableName != "told" {
				return
			}
			if events == 0 {
				f()
			}
			events--
		})
		return nil
	})
}
