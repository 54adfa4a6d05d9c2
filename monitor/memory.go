package monitor

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"strings"
	"time"

	"github.com/handclasp/handclasp/finding"
)

// work is a transaction until it fails. Behind the first error nothing is written: a disk that is full has it rolled back
// already, and what came then would stay.
type work struct {
	ctx context.Context
	tx  *sql.Tx
	err error
}

func (w *work) fail(err error) {
	if w.err == nil {
		w.err = err
	}
}

// memory is what the file knows, while a scan is applied. It keeps ids and digests, and reads the rest when asked.
type memory struct {
	*work
	marks map[finding.Endpoint]*mark

	load, put, write, again, insert, alias *sql.Stmt
}

// A mark is what is kept in memory of an endpoint.
type mark struct {
	id    int64
	same  finding.Digest
	known int32
	done  bool // stored already
}

func newMemory(w *work) (*memory, error) {
	m := &memory{work: w, marks: map[finding.Endpoint]*mark{}}
	for statement, query := range map[**sql.Stmt]string{
		&m.load:   `SELECT s.data, e.answered FROM standing s JOIN endpoint e ON e.id = s.endpoint WHERE s.endpoint = ?`,
		&m.put:    `UPDATE endpoint SET up = ?, scope = ?, answered = ?, asked = ?, addresses = ?, same = ?, known = ? WHERE id = ?`,
		&m.write:  `INSERT OR REPLACE INTO standing (endpoint, data) VALUES (?, ?)`,
		&m.again:  `UPDATE endpoint SET answered = ? WHERE id = ?`,
		&m.insert: `INSERT INTO endpoint (host, network, port, vantage, up, scope, answered, asked, addresses) VALUES (?, ?, ?, ?, 0, '', 0, 0, '')`,
		&m.alias:  `INSERT OR REPLACE INTO alias (host, network, port, vantage, endpoint) VALUES (?, ?, ?, ?, ?)`,
	} {
		var err error
		if *statement, err = w.tx.PrepareContext(w.ctx, query); err != nil {
			return nil, err
		}
	}
	rows, err := w.tx.QueryContext(w.ctx, `SELECT a.host, a.network, a.port, a.vantage, e.id, e.same, e.known FROM alias a JOIN endpoint e ON e.id = a.endpoint`)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	byID := map[int64]*mark{} // one may have several names
	for rows.Next() {
		var at finding.Endpoint
		var same sql.RawBytes
		k := new(mark)
		if err := rows.Scan(&at.Host, &at.Network, &at.Port, &at.Vantage, &k.id, &same, &k.known); err != nil {
			return nil, err
		}
		copy(k.same[:], same)
		if known := byID[k.id]; known != nil {
			k = known
		}
		byID[k.id], m.marks[at] = k, k
	}
	return m, rows.Err()
}

func (m *memory) finish() error {
	errs := []error{m.err}
	for _, s := range []*sql.Stmt{m.load, m.put, m.write, m.again, m.insert, m.alias} {
		errs = append(errs, s.Close())
	}
	return errors.Join(errs...)
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
	k := m.marks[at]
	if k != nil && k.done { // by another name that it has, too: they are two from now on
		delete(m.marks, at)
		return nil
	}
	if k == nil || m.err != nil {
		return nil
	}
	var data sql.RawBytes
	var answered int64
	st := new(finding.Standing)
	rows, err := m.load.QueryContext(m.ctx, k.id)
	if err != nil {
		m.fail(err)
		return nil
	}
	defer rows.Close()
	if !rows.Next() {
		m.fail(errors.Join(rows.Err(), fmt.Errorf("nothing is known of %s, which is there", at)))
		return nil
	}
	if err = rows.Scan(&data, &answered); err == nil {
		err = json.Unmarshal(data, st)
	}
	if err != nil {
		m.fail(err)
		return nil
	}
	if k.same != (finding.Digest{}) {
		st.SeenAgain(time.UnixMilli(answered).UTC())
	}
	return st
}

func (m *memory) Same(at finding.Endpoint, same finding.Digest, when time.Time) (known int, ok bool) {
	k := m.marks[at]
	if k == nil || k.same != same || k.done || m.err != nil {
		return 0, false
	}
	k.done = true
	if _, err := m.again.ExecContext(m.ctx, when.UnixMilli(), k.id); err != nil {
		m.fail(err)
	}
	return int(k.known), true
}

func (m *memory) Store(at finding.Endpoint, st *finding.Standing, same finding.Digest) {
	if m.err != nil {
		return
	}
	if err := m.store(at, st, same); err != nil {
		m.fail(err)
	}
}

func (m *memory) store(at finding.Endpoint, st *finding.Standing, same finding.Digest) error {
	data, err := json.Marshal(st)
	if err != nil {
		return err
	}
	k := m.marks[at]
	if k == nil {
		if k, err = m.add(at); err != nil {
			return err
		}
	}
	k.done, k.same, k.known = true, same, int32(len(st.Open))
	answered := int64(0)
	if !st.Answered.IsZero() {
		answered = st.Answered.UnixMilli()
	}
	addresses := ""
	if h := st.Facts["/target/addr"]; h != nil {
		addresses = strings.Join(h.Values, " ")
	}
	digest := []byte{}
	if same != (finding.Digest{}) {
		digest = same[:]
	}
	if _, err := m.put.ExecContext(m.ctx, st.Up, st.Scope, answered, st.First.UnixMilli(), addresses, digest, k.known, k.id); err != nil {
		return err
	}
	_, err = m.write.ExecContext(m.ctx, k.id, data)
	return err
}

func (m *memory) add(at finding.Endpoint) (*mark, error) {
	r, err := m.insert.ExecContext(m.ctx, at.Host, at.Network, at.Port, at.Vantage)
	if err != nil {
		return nil, err
	}
	k := new(mark)
	if k.id, err = r.LastInsertId(); err != nil {
		return nil, err
	}
	return k, m.name(at, k)
}

// name lets an endpoint be found by a name.
func (m *memory) name(at finding.Endpoint, k *mark) error {
	m.marks[at] = k
	_, err := m.alias.ExecContext(m.ctx, at.Host, at.Network, at.Port, at.Vantage, k.id)
	return err
}

// Alias lets an endpoint be found by another name, which is from now on the one that it is asked by.
func (m *memory) Alias(other, at finding.Endpoint) {
	k := m.marks[at]
	if k == nil || m.err != nil {
		return
	}
	if err := m.name(other, k); err != nil {
		m.fail(err)
		return
	}
	if _, err := m.tx.ExecContext(m.ctx, `UPDATE endpoint SET host = ? WHERE id = ?`, other.Host, k.id); err != nil {
		m.fail(err)
	}
}
