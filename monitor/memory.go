package monitor

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"iter"
	"strings"
	"time"

	"github.com/handclasp/handclasp/finding"
)

// memory is what the file knows, while a scan is applied. It keeps ids, and reads the rest when asked.
type memory struct {
	ctx  context.Context
	tx   *sql.Tx
	load *sql.Stmt
	put  *sql.Stmt
	ids  map[finding.Endpoint]int64
	read map[int64][]byte // what was read last, so that what didn't change isn't written
	done map[int64]bool   // stored already
	err  error            // the first; what follows is no more than thrown away
}

func newMemory(ctx context.Context, tx *sql.Tx) (*memory, error) {
	m := &memory{ctx: ctx, tx: tx, ids: map[finding.Endpoint]int64{}, read: map[int64][]byte{}, done: map[int64]bool{}}
	var err error
	if m.load, err = tx.PrepareContext(ctx, `SELECT standing FROM endpoint WHERE id = ?`); err != nil {
		return nil, err
	}
	if m.put, err = tx.PrepareContext(ctx, `UPDATE endpoint SET up = ?, scope = ?, answered = ?, asked = ?, addresses = ?, standing = ? WHERE id = ?`); err != nil {
		return nil, err
	}
	rows, err := tx.QueryContext(ctx, `SELECT host, network, port, vantage, endpoint FROM alias`)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var at finding.Endpoint
		var id int64
		if err := rows.Scan(&at.Host, &at.Network, &at.Port, &at.Vantage, &id); err != nil {
			return nil, err
		}
		m.ids[at] = id
	}
	return m, rows.Err()
}

func (m *memory) finish() error {
	return errors.Join(m.err, m.load.Close(), m.put.Close())
}

func (m *memory) fail(err error) {
	if m.err == nil {
		m.err = err
	}
}

// Endpoints yields what is known in short. Those that have another name stand under each.
func (m *memory) Endpoints() iter.Seq[finding.Brief] {
	return func(yield func(finding.Brief) bool) {
		rows, err := m.tx.QueryContext(m.ctx, `SELECT host, network, port, vantage, up, scope, answered, addresses FROM endpoint`)
		if err != nil {
			m.fail(err)
			return
		}
		defer rows.Close()
		for rows.Next() {
			var b finding.Brief
			var answered int64
			var addresses string
			if err := rows.Scan(&b.Host, &b.Network, &b.Port, &b.Vantage, &b.Up, &b.Scope, &answered, &addresses); err != nil {
				m.fail(err)
				return
			}
			if answered > 0 {
				b.Silent = time.UnixMilli(answered)
			}
			b.Addresses = strings.Fields(addresses)
			if !yield(b) {
				return
			}
		}
		if err := rows.Err(); err != nil {
			m.fail(err)
		}
	}
}

func (m *memory) Load(at finding.Endpoint) *finding.Standing {
	id, known := m.ids[at]
	if known && m.done[id] { // by another name that it has, too: they are two from now on
		delete(m.ids, at)
		return nil
	}
	if !known || m.err != nil {
		return nil
	}
	var data []byte
	if err := m.load.QueryRowContext(m.ctx, id).Scan(&data); err != nil {
		m.fail(err)
		return nil
	}
	st := new(finding.Standing)
	if err := json.Unmarshal(data, st); err != nil {
		m.fail(err)
		return nil
	}
	m.read = map[int64][]byte{id: data} // the next store is of this one
	return st
}

func (m *memory) Store(at finding.Endpoint, st *finding.Standing) {
	if m.err != nil {
		return
	}
	data, err := json.Marshal(st)
	if err != nil {
		m.fail(err)
		return
	}
	id, known := m.ids[at]
	defer func() { m.done[m.ids[at]] = true }()
	if known && bytes.Equal(m.read[id], data) {
		return
	}
	if !known {
		if id, err = m.insert(at); err != nil {
			m.fail(err)
			return
		}
	}
	answered := int64(0)
	if !st.Answered.IsZero() {
		answered = st.Answered.UnixMilli()
	}
	addresses := ""
	if h := st.Facts["/target/addr"]; h != nil {
		addresses = strings.Join(h.Values, " ")
	}
	if _, err := m.put.ExecContext(m.ctx, st.Up, st.Scope, answered, st.First.UnixMilli(), addresses, data, id); err != nil {
		m.fail(err)
	}
}

func (m *memory) insert(at finding.Endpoint) (int64, error) {
	r, err := m.tx.ExecContext(m.ctx, `INSERT INTO endpoint (host, network, port, vantage, up, scope, answered, asked, addresses, standing) VALUES (?, ?, ?, ?, 0, '', 0, 0, '', '{}')`,
		at.Host, at.Network, at.Port, at.Vantage)
	if err != nil {
		return 0, err
	}
	id, err := r.LastInsertId()
	if err != nil {
		return 0, err
	}
	return id, m.name(at, id)
}

// name lets an endpoint be found by a name.
func (m *memory) name(at finding.Endpoint, id int64) error {
	m.ids[at] = id
	_, err := m.tx.ExecContext(m.ctx, `INSERT OR REPLACE INTO alias (host, network, port, vantage, endpoint) VALUES (?, ?, ?, ?, ?)`,
		at.Host, at.Network, at.Port, at.Vantage, id)
	return err
}

// Alias lets an endpoint be found by another name, which is from now on the one that it is asked by.
func (m *memory) Alias(other, at finding.Endpoint) {
	id, known := m.ids[at]
	if !known {
		return
	}
	if err := m.name(other, id); err != nil {
		m.fail(err)
		return
	}
	if _, err := m.tx.ExecContext(m.ctx, `UPDATE endpoint SET host = ? WHERE id = ?`, other.Host, id); err != nil {
		m.fail(err)
	}
}
