package monitor

import (
	"context"
	"database/sql"
	"strconv"
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
