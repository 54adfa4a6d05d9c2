package fleet

import (
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"

	"github.com/handclasp/handclasp/internal/filelock"
)

// An Engine is a JetStream server in this process.
type Engine struct {
	*server.Server
	lock *os.File // of the store
}

// EngineOptions say how the server of this process runs.
type EngineOptions struct {
	Store  string // the folder of its streams
	Listen string // address and port; empty for 127.0.0.1:4222
	// Config is a configuration file of nats-server, which says who may do what, and by which certificates; empty for none. Without
	// it whoever reaches the server may do anything, so that the address has to be a loopback one.
	Config string
}

// A message holds one result, with all that was said in it; and each worker commits one batch at a time.
const (
	maxPayload = 8 << 20
	maxBatches = 1000
)

// StartEngine runs a server.
func StartEngine(e EngineOptions) (*Engine, error) {
	o, err := e.options()
	if err != nil {
		return nil, err
	}
	lock, err := keep(o.StoreDir)
	if err != nil {
		return nil, err
	}
	s, err := startServer(o)
	if err != nil {
		return nil, errors.Join(err, lock.Close())
	}
	return &Engine{s, lock}, nil
}

func startServer(o *server.Options) (*server.Server, error) {
	if o.Port > 0 { // which the server would try for long
		l, err := net.Listen("tcp", net.JoinHostPort(o.Host, strconv.Itoa(o.Port)))
		if err != nil {
			return nil, err
		}
		_ = l.Close()
	}
	s, err := server.NewServer(o)
	if err != nil {
		return nil, err
	}
	s.Start()
	if !s.ReadyForConnections(30 * time.Second) {
		s.Shutdown()
		return nil, fmt.Errorf("the server didn't start: is %s:%d taken, or %s not to be written?", o.Host, o.Port, o.StoreDir)
	}
	return s, nil
}

// keep makes the folder of a store this server's, until the file is closed.
func keep(dir string) (*os.File, error) {
	if err := os.MkdirAll(dir, 0o750); err != nil {
		return nil, fmt.Errorf("the store: %w", err)
	}
	f, err := os.OpenFile(filepath.Join(dir, "lock"), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("the store: %w", err)
	}
	if err := filelock.Lock(f); err != nil {
		_ = f.Close()
		return nil, fmt.Errorf("the store %s is another server's, which runs", dir)
	}
	return f, nil
}

func (e *EngineOptions) options() (o *server.Options, err error) {
	o = new(server.Options)
	if e.Config != "" {
		if o, err = server.ProcessConfigFile(e.Config); err != nil {
			return nil, err
		}
	}
	if e.Listen != "" || o.Host == "" {
		if err := listen(o, e.Listen); err != nil {
			return nil, err
		}
	}
	if ip := net.ParseIP(o.Host); (ip == nil || !ip.IsLoopback()) && !guarded(o) {
		return nil, fmt.Errorf("%s: nobody would have to say who he is to reach that address: configure users, or listen on 127.0.0.1", o.Host)
	}
	o.ServerName, o.JetStream, o.StoreDir, o.NoSigs, o.NoLog = "handclasp", true, e.Store, true, true
	o.SyncAlways = true // what a worker or a collector was told is safe has to outlive a crash of the machine; it costs a batch one more fsync
	o.MaxPayload = maxPayload
	o.JetStreamLimits.MaxBatchInflightPerStream, o.JetStreamLimits.MaxBatchInflightTotal = maxBatches, maxBatches
	return o, nil
}

func listen(o *server.Options, address string) error {
	if address == "" {
		address = "127.0.0.1:4222"
	}
	host, port, err := net.SplitHostPort(address)
	if err != nil || host == "" {
		return fmt.Errorf("%q: write an address and a port, such as 127.0.0.1:4222", address)
	}
	n, err := strconv.ParseUint(port, 10, 16)
	if err != nil {
		return fmt.Errorf("%q: a port is a number from 0 to 65535", address)
	}
	o.Host, o.Port = host, int(n)
	if n == 0 {
		o.Port = server.RANDOM_PORT
	}
	return nil
}

// guarded reports whether everybody has to say who he is.
func guarded(o *server.Options) bool {
	return o.NoAuthUser == "" && (len(o.Users)+len(o.Nkeys)+len(o.TrustedOperators) > 0 || o.Username != "" || o.Authorization != "")
}

// Connect returns a connection within this process.
func (e *Engine) Connect(options ...nats.Option) (*nats.Conn, error) {
	nc, err := nats.Connect("", append(options, nats.InProcessServer(e.Server))...)
	if errors.Is(err, nats.ErrAuthorization) || errors.Is(err, io.ErrClosedPipe) { // whichever comes first of a refusal
		err = fmt.Errorf("the coordinator has to say who it is, too (--nkey, --creds): %w", nats.ErrAuthorization)
	}
	return nc, err
}

// Close ends the server; what it keeps is safe.
func (e *Engine) Close() {
	e.Shutdown()
	e.WaitForShutdown()
	_ = e.lock.Close()
}
