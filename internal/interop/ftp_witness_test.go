package interop_test

import (
	"crypto/tls"
	"testing"

	jlaffaye "github.com/jlaffaye/ftp"
	"github.com/stretchr/testify/require"

	"github.com/handclasp/handclasp/ftp"
	"github.com/handclasp/handclasp/internal/witness"
	"github.com/handclasp/handclasp/probe"
)

// Another client sees the files that we report, of every server, by MLSD if it has it and by LIST.
func TestFTPWitness(t *testing.T) {
	for _, want := range ftpFacts {
		if want.unwitnessed {
			continue
		}
		t.Run(want.server+" "+want.variant, func(t *testing.T) {
			t.Parallel()
			server := want.start(t)
			r := probe.Run(t.Context(), ftp.Prober{}, probe.Target{Addr: server.Addr}, &probe.Options{
				Level: probe.LevelAnonymous, ImplicitTLS: probe.FactOf(want.implicit), Limits: patience,
			})
			e, ok := probe.As[*ftp.Evidence](r)
			require.True(t, ok)

			// A server may want that data connections resume the session (vsftpd), by tickets that TLS 1.3 sends late.
			cfg := &tls.Config{InsecureSkipVerify: true, ServerName: "witness", ClientSessionCache: tls.NewLRUClientSessionCache(0), MaxVersion: tls.VersionTLS12}
			for _, mlsd := range []bool{true, false} {
				options := []jlaffaye.DialOption{jlaffaye.DialWithDisabledMLSD(!mlsd)}
				switch {
				case want.implicit:
					options = append(options, jlaffaye.DialWithTLS(cfg))
				case want.within == probe.Yes:
					options = append(options, jlaffaye.DialWithExplicitTLS(cfg))
				}
				if want.anonymous != probe.Yes {
					_, err := witness.FTP(server.Addr.String(), options...)
					require.Error(t, err)
					continue
				}
				agree(t, func(t testing.TB) {
					files, err := witness.FTP(server.Addr.String(), options...)
					require.NoError(t, err)
					require.NotEmpty(t, files)
					require.Equal(t, files, witness.FTPListing(e.Anonymous.Listing))
				})
				require.Zero(t, e.Anonymous.Listing.Unparsed)
			}
		})
	}
}
