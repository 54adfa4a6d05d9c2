package monitor

import (
	"context"
	"database/sql"
	"strconv"

	"modernc.org/sqlite"
)

// FirstVersion makes what version 1 made.
func FirstVersion(db *sql.DB) error {
	_, err := db.Exec(migrations[0] + ";PRAGMA user_version = 1")
	return err
}

// Limit bounds the file, in pages, as a full disk does.
func (s *State) Limit(ctx context.Context, pages int) {
	s.db.SetMaxOpenConns(1)
	if _, err := s.db.ExecContext(ctx, `PRAGMA max_page_count = `+strconv.Itoa(pages)); err != nil {
		panic(err)
	}
}

// Midst has f called in the midst of the next transaction, before it writes one event more than so many.
func (s *State) Midst(ctx context.Context, events int, f func()) error {
	s.db.SetMaxOpenConns(1)
	conn, err := s.db.Conn(ctx)
	if err != nil {
		return err
	}
	defer conn.Close()
	return conn.Raw(func(c any) error {
		c.(sqlite.HookRegisterer).RegisterPreUpdateHook(func(row sqlite.SQLitePreUpdateData) {
			if row.TableName != "event" {
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
