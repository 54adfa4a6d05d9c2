package monitor

import (
	"context"
	"strconv"
)

// Limit bounds the file, in pages, as a full disk does.
func (s *State) Limit(ctx context.Context, pages int) {
	s.db.SetMaxOpenConns(1)
	if _, err := s.db.ExecContext(ctx, `PRAGMA max_page_count = `+strconv.Itoa(pages)); err != nil {
		panic(err)
	}
}
