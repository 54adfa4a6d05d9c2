package scan

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
)

// States that were stored hold digests of this text.
func TestDigestedTextOfInputs(t *testing.T) {
	for _, text := range []string{"", "192.0.2.7:21", "ftp.example.net", "\"\\\t\xff\u200bé", "a b"} {
		for _, in := range []Input{{Text: text, Name: "x"}, {Text: "x", Name: text, Last: true}} {
			for _, usable := range []bool{false, true} {
				require.Equal(t, fmt.Sprintf("%q %q %t %t\n", in.Text, in.Name, in.Last, usable), string(appendInput([]byte{}, in, usable)))
			}
		}
	}
}
