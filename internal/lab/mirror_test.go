package lab_test

import (
	"testing"

	"github.com/handclasp/handclasp/internal/lab"
)

func TestMirror(t *testing.T) {
	s, err := lab.Mirror(t.Context())
	c := dial(t, must(t, s, err))
	c.expect("220 hello 127.0.0.1")
}
