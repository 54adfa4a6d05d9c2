package monitor

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"
	"time"

	"github.com/handclasp/handclasp/finding"
	"github.com/handclasp/handclasp/internal/texts"
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
	marks []mark    // by id
	names texts.Set // the endpoints, as their AppendBinary writes them
	named []int     // by number of the name: the mark's place, or -1
	again time.Time // when those were seen that are as they were
	data  []byte    // room for a standing

	load, put, write, insert, alias *sql.Stmt
}

// A mark is what is kept in memory of an endpoint.
type mark struct {
	id    int64
	same  finding.Digest
	known int32
	done  bool // stored already
	asIs  bool // and nothing is, but the time
}

func newMemory(w *work) (*memory, error) {
	m := &memory{work: w}
	for statement, query := range map[**sql.Stmt]string{
		&m.load:   `SELECT s.data, e.answered FROM standing s JOIN endpoint e ON e.id = s.endpoint WHERE s.endpoint = ?`,
		&m.put:    `UPDATE endpoint SET up = ?, scope = ?, answered = ?, asked = ?, addresses = ?, same = ?, known = ? WHERE id = ?`,
		&m.write:  `INSERT OR REPLACE INTO standing (endpoint, data) VALUES (?, ?)`,
		&m.insert: `INSERT INTO endpoint (up, scope, answered, asked, addresses, same, known, host, network, port, vantage) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		&m.alias:  `INSERT OR REPLACE INTO alias (host, network, port, vantage, endpoint) VALUES (?, ?, ?, ?, ?)`,
	} {
		var err error
		if *statement, err = w.tx.PrepareContext(w.ctx, query); err != nil {
			return nil, err
		}
	}
	var same sql.RawBytes
	var at finding.Endpoint
	var k mark
	if err := w.each(`SELECT id, same, known, host, network, port, vantage FROM endpoint ORDER BY id`, func() {
		k.same = finding.Digest{}
		copy(k.same[:], same)
		m.marks = append(m.marks, k)
		m.call(at, len(m.marks)-1)
	}, &k.id, &same, &k.known, &at.Host, &at.Network, &at.Port, &at.Vantage); err != nil {
		return nil, err
	}
	err := w.each(`SELECT host, network, port, vantage, endpoint FROM alias`, func() { // of those that have several names
		place, _ := slices.BinarySearchFunc(m.marks, k.id, func(k mark, id int64) int { return cmp.Compare(k.id, id) })
		m.call(at, place)
	}, &at.Host, &at.Network, &at.Port, &at.Vantage, &k.id)
	return m, err
}

// each reads rows into the places that to points at, and calls f behind each.
func (w *work) each(query string, f func(), to ...any) error {
	rows, err := w.tx.QueryContext(w.ctx, query)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		if err := rows.Scan(to...); err != nil {
			return err
		}
		f()
	}
	return rows.Err()
}

// call lets an endpoint be found by a name, and find finds it; nil if it isn't known.
func (m *memory) call(at finding.Endpoint, place int) {
	n, isNew := m.names.Add(key(at))
	if isNew {
		m.named = append(m.named, place)
	}
	m.named[n] = place
}

func (m *memory) find(at finding.Endpoint) *mark {
	n, ok := m.names.Find(key(at))
	if !ok || m.named[n] < 0 {
		return nil
	}
	return &m.marks[m.named[n]]
}

func key(at finding.Endpoint) string {
	b, _ := at.AppendBinary(nil) // never fails
	return string(b)
}

func (m *memory) finish() error {
	m.settle()
	errs := []error{m.err}
	for _, s := range []*sql.Stmt{m.load, m.put, m.write, m.insert, m.alias} {
		errs = append(errs, s.Close())
	}
	return errors.Join(errs...)
}

// settle notes when those were seen again that are as they were, at once for all that stand side by side.
func (m *memory) settle() {
	for i := 0; i < len(m.marks) && m.err == nil; i++ {
		first := i
		for i < len(m.marks) && m.marks[i].asIs {
			i++
		}
		if i > first {
			if _, err := m.tx.ExecContext(m.ctx, `UPDATE endpoint SET answered = ? WHERE id BETWEEN ? AND ?`, m.again.UnixMilli(), m.marks[first].id, m.marks[i-1].id); err != nil {
				m.fail(err)
			}
		}
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
	k := m.find(at)
	if k != nil && k.done { // by another name that it has, too: they are two from now on
		m.call(at, -1)
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
	k := m.find(at)
	if k == nil || k.same != same || k.done || m.err != nil {
		return 0, false
	}
	k.done, k.asIs, m.again = true, true, when
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
	data, err := st.AppendJSON(m.data[:0])
	if err != nil {
		return err
	}
	m.data = data
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
	is := mark{same: same, known: int32(len(st.Open)), done: true}
	columns := []any{st.Up, string(st.Scope), answered, st.First.UnixMilli(), addresses, digest, int64(is.known)}
	if k := m.find(at); k != nil {
		is.id = k.id
		*k = is
		if _, err := m.put.ExecContext(m.ctx, append(columns, k.id)...); err != nil {
			return err
		}
	} else if is.id, err = m.add(at, columns); err != nil {
		return err
	} else {
		m.marks = append(m.marks, is)
		place := len(m.marks) - 1
		if _, another := m.names.Find(key(at)); !another {
			m.call(at, place)
		} else if err := m.name(at, place); err != nil {
			return err
		}
	}
	_, err = m.write.ExecContext(m.ctx, is.id, data)
	return err
}

func (m *memory) add(at finding.Endpoint, columns []any) (int64, error) {
	r, err := m.insert.ExecContext(m.ctx, append(columns, at.Host, string(at.Network), int64(at.Port), at.Vantage)...)
	if err != nil {
		return 0, err
	}
	return r.LastInsertId()
}

// name lets an endpoint be found by a name from now on.
func (m *memory) name(at finding.Endpoint, place int) error {
	m.call(at, place)
	_, err := m.alias.ExecContext(m.ctx, at.Host, string(at.Network), int64(at.Port), at.Vantage, m.marks[place].id)
	return err
}

// Alias lets an endpoint be found by another name, which is from now on the one that it is asked by.
func (m *memory) Alias(other, at finding.Endpoint) {
	n, ok := m.names.Find(key(at))
	if !ok || m.named[n] < 0 || m.err != nil {
		return
	}
	place := m.named[n]
	if err := errors.Join(m.name(at, place), m.name(other, place)); err != nil {
		m.fail(err)
		return
	}
	if _, err := m.tx.ExecContext(m.ctx, `UPDATE endpoint SET host = ? WHERE id = ?`, other.Host, m.marks[place].id); err != nil {
		m.fail(err)
	}
}
