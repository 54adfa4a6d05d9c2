package main

import (
	"bytes"
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/spf13/pflag"

	"github.com/handclasp/handclasp/advisory"
	"github.com/handclasp/handclasp/fleet"
	"github.com/handclasp/handclasp/internal/userfile"
)

// files are what flags name and workers judge results by: they go to the server with the scan.
type files struct {
	ca, recog, advisories, lifeCycle string
	policies                         []string
}

func (o *files) register(f *pflag.FlagSet, s *fleet.Scan) {
	f.StringVar(&o.ca, "ca", "", "judge certificates by the roots in `FILE` (PEM) instead of each worker's system's")
	f.StringVar(&o.recog, "recog", "", "recognise software by the fingerprints in `DIR`, a checkout of Recog, before those built in")
	f.StringVar(&o.advisories, "advisories", "", "judge software by `FILE` as well, an index that 'handclasp advisories build' made")
	f.StringVar(&o.lifeCycle, "lifecycle", "", "judge whether software is maintained by endoflife.date's JSON in `DIR`, before what is built in")
	f.StringArrayVar(&o.policies, "policy", nil, "judge by `POLICY`, too, built in ('handclasp policies' lists them) or a file of YAML or JSON; may be given several times")
	f.StringVar(&s.Profile, "severity-profile", "", "rate findings by `PROFILE`: internet, internal or shadowserver")
}

// store gives the server what the flags name.
func (o *files) store(ctx context.Context, client *fleet.Client, s *fleet.Scan) error {
	for _, name := range o.policies {
		p, err := userfile.Policy(name)
		if err != nil {
			return fmt.Errorf("--policy: %w", err)
		}
		s.Policies = append(s.Policies, p)
	}
	for _, file := range []struct {
		flag, path string
		digest     *string
		read       func(string) (io.ReadSeeker, error)
	}{
		{"ca", o.ca, &s.CA, readRoots}, {"recog", o.recog, &s.Recog, archived(".xml")},
		{"advisories", o.advisories, &s.Advisories, readIndex}, {"lifecycle", o.lifeCycle, &s.LifeCycle, archived(".json")},
	} {
		if file.path == "" {
			continue
		}
		content, err := file.read(file.path)
		if err == nil {
			*file.digest, err = client.Store(ctx, s, content)
		}
		if err != nil {
			return fmt.Errorf("--%s: %s: %w", file.flag, file.path, err)
		}
	}
	return nil
}

func readRoots(path string) (io.ReadSeeker, error) {
	data, err := os.ReadFile(path)
	if err == nil && !x509.NewCertPool().AppendCertsFromPEM(data) {
		err = errors.New("it holds no certificate in PEM")
	}
	return bytes.NewReader(data), userfile.Cause(err)
}

func readIndex(path string) (io.ReadSeeker, error) {
	data, err := os.ReadFile(path)
	if err == nil {
		if _, err = advisory.ReadIndex(data); err != nil {
			err = fmt.Errorf("%w: make one of such files by 'handclasp advisories build'", err)
		}
	}
	return bytes.NewReader(data), userfile.Cause(err)
}

// archived reads the files of a folder that have an ending.
func archived(ending string) func(string) (io.ReadSeeker, error) {
	return func(dir string) (io.ReadSeeker, error) {
		var b bytes.Buffer
		err := fleet.Archive(&b, os.DirFS(dir), ending)
		return bytes.NewReader(b.Bytes()), userfile.Cause(err)
	}
}
