package fleet

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/nats-io/nkeys"
	"github.com/stretchr/testify/require"
)

// identity makes an nkey.
func identity(t *testing.T) (public string, option nats.Option) {
	pair, err := nkeys.CreateUser()
	require.NoError(t, err)
	public, err = pair.PublicKey()
	require.NoError(t, err)
	return public, nats.Nkey(public, pair.Sign)
}

// With the permissions of the example a worker does its work, and nothing else.
func TestWorkerPermissions(t *testing.T) {
	boss, asBoss := identity(t)
	hand, asHand := identity(t)
	config, err := os.ReadFile("testdata/nats.conf")
	require.NoError(t, err)
	file := filepath.Join(t.TempDir(), "nats.conf")
	require.NoError(t, os.WriteFile(file, []byte(strings.NewReplacer("COORDINATOR", boss, "WORKER", hand).Replace(string(config))), 0o600))
	engine, err := StartEngine(EngineOptions{Store: t.TempDir(), Listen: "127.0.0.1:0", Config: file})
	require.NoError(t, err)
	t.Cleanup(engine.Close)
	connect := func(options ...nats.Option) *nats.Conn {
		nc, err := nats.Connect(engine.ClientURL(), options...)
		require.NoError(t, err)
		t.Cleanup(nc.Close)
		return nc
	}
	_, err = nats.Connect(engine.ClientURL())
	require.ErrorIs(t, err, nats.ErrAuthorization)

	_, err = engine.Connect()
	require.ErrorContains(t, err, "the coordinator has to say who it is, too")

	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 2)
	coordinator := connect(asBoss)
	go func() { ended <- (&Coordinator{}).Run(ctx, coordinator) }()
	var client *Client
	require.Eventually(t, func() bool {
		client, err = Open(ctx, coordinator)
		return err == nil
	}, time.Minute, 50*time.Millisecond)
	worker := connect(asHand, nats.CustomInboxPrefix("_INBOX_worker"))
	network := newNetwork(0)
	go func() {
		ended <- (&Worker{Scans: []string{"x"}, Dial: network.dial, Tell: func(line string) { t.Log(line) }}).Run(ctx, worker)
	}()
	defer func() {
		cancel()
		<-ended
		<-ended
	}()
	other := small()
	other.ID = "y"
	require.NoError(t, client.Submit(ctx, other, strings.NewReader("127.64.9.9:21\n"), nil))
	s := small()
	s.ID = "x"
	require.NoError(t, client.Submit(ctx, s, strings.NewReader("127.64.9.9:21\n"), strings.NewReader("127.64.0.0/24\n")))
	h := new(heap)
	require.NoError(t, client.Collect(ctx, s.ID, "test", 0, h))
	once(t, 769, endpoints(t, h.lines))

	forbidden, stop := context.WithTimeout(ctx, 2*time.Second)
	defer stop()
	js, err := jetstream.New(worker)
	require.NoError(t, err)
	kv, err := js.KeyValue(ctx, scansBucket)
	require.NoError(t, err)
	_, _, err = get(forbidden, kv, "y")
	require.Error(t, err, "another scan")
	require.Error(t, put(forbidden, kv, &Scan{ID: "z"}, 0), "a scan of its own")
	_, err = js.Stream(forbidden, dataStream("y"))
	require.Error(t, err, "its results")
	_, err = js.ObjectStore(forbidden, objects("y"))
	require.Error(t, err, "its targets")
	require.Len(t, network.calls, 769)
}
