package handclasp_test

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/handclasp/handclasp"
	"github.com/handclasp/handclasp/probe"
)

// What software is recognised by can be looked up: it is a field of the evidence.
func TestBannersNameFields(t *testing.T) {
	for _, p := range handclasp.Probers() {
		e, ok := p.Spec().Evidence().(probe.BannerEvidence)
		if !ok {
			continue
		}
		text, err := json.Marshal(e)
		require.NoError(t, err)
		var fields map[string]any
		require.NoError(t, json.Unmarshal(text, &fields))
		for _, b := range e.Banners() {
			require.Contains(t, fields, b.Source, e.Protocol())
		}
	}
}
