package fleet

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/nats-io/nats.go/jetstream"
)

// store puts what a file holds into a scan's bucket and returns its digest, by which it is found.
func store(ctx context.Context, js jetstream.JetStream, scan string, r io.ReadSeeker) (string, error) {
	h := sha256.New()
	if _, err := io.Copy(h, r); err != nil {
		return "", err
	}
	if _, err := r.Seek(0, io.SeekStart); err != nil {
		return "", err
	}
	digest := hex.EncodeToString(h.Sum(nil))
	bucket, err := js.CreateOrUpdateObjectStore(ctx, jetstream.ObjectStoreConfig{Bucket: objects(scan)})
	if err != nil {
		return "", err
	}
	_, err = bucket.Put(ctx, jetstream.ObjectMeta{Name: digest}, r)
	return digest, err
}

// load copies an object into a file without a name, and checks that it is what its digest says.
func load(ctx context.Context, js jetstream.JetStream, scan, digest string) (_ *os.File, err error) {
	bucket, err := js.ObjectStore(ctx, objects(scan))
	if err != nil {
		return nil, err
	}
	object, err := bucket.Get(ctx, digest)
	if err != nil {
		return nil, err
	}
	defer object.Close()
	f, err := temporary()
	if err != nil {
		return nil, err
	}
	h := sha256.New()
	_, err = io.Copy(io.MultiWriter(f, h), object)
	if err == nil {
		_, err = f.Seek(0, io.SeekStart)
	}
	if err == nil && hex.EncodeToString(h.Sum(nil)) != digest {
		err = fmt.Errorf("the object %s holds something else", digest)
	}
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

// temporary returns a file without a name.
func temporary() (*os.File, error) {
	f, err := os.CreateTemp("", "handclasp-fleet-")
	if err == nil {
		_ = os.Remove(f.Name())
	}
	return f, err
}
