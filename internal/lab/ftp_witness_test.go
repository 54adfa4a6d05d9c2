package lab_test

import (
	"crypto/tls"
	"testing"

	jlaffaye "github.com/jlaffaye/ftp"
	"github.com/stretchr/testify/require"

	"github.com/handclasp/handclasp/ftp"
	"github.com/handclasp/handclasp/internal/lab"
	"github.com/handclasp/handclasp/internal/witness"
	"github.com/handclasp/handclasp/probe"
)

// Another client sees the files that we report, of every FTP server of the lab, and is let in where we are.
func TestFTPWitness(t *testing.T) {
	n, err := lab.Start(t.Context())
	require.NoError(t, err)
	defer n.Close()
	visited := 0
	for _, s := range n.Neighbours() {
		if s.Protocol != "ftp" {
			continue
		}
		visited++
		r := probe.Run(t.Context(), ftp.Prober{}, probe.Target{Addr: s.Addr}, &probe.Options{
			Level: probe.LevelAnonymous, ImplicitTLS: probe.FactOf(s.ImplicitTLS),
		})
		require.NoError(t, r.Err, s.Name)
		e, _ := probe.As[*ftp.Evidence](r)

		cfg := &tls.Config{InsecureSkipVerify: true} // certificates aren't at stake
		var options []jlaffaye.DialOption
		switch {
		case s.ImplicitTLS:
			options = append(options, jlaffaye.DialWithTLS(cfg))
		case e.AuthTLS == probe.Yes:
			options = append(options, jlaffaye.DialWithExplicitTLS(cfg))
		}
		files, err := witness.FTP(s.Addr.String(), options...)
		if e.Anonymous.Login != probe.Yes {
			require.ErrorContains(t, err, "530", s.Name)
			continue
		}
		require.NoError(t, err, s.Name)
		require.NotEmpty(t, files, s.Name)
		require.Equal(t, files, witness.FTPListing(e.Anonymous.Listing), s.Name)
		require.Zero(t, e.Anonymous.Listing.Unparsed, s.Name)
	}
	require.Equal(t, 4, visited)
}
