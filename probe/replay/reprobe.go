package replay

import (
	"context"
	"errors"
	"fmt"

	"github.com/handclasp/handclasp/probe"
)

// ErrNoTranscript is returned if a stored result has no conversation to play.
var ErrNoTranscript = errors.New("no transcript was stored")

// Reprobe derives a result again from the transcript of a stored one, by the first of the candidates that keeps to it:
// evidence, outcome and error are what today's code makes of the same conversation, and all else is as it was stored. An
// error says that there is no transcript, or how the first candidate departed from it, as it does if it asks more than
// was asked then, or if the clock or a limit ended the conversation.
func Reprobe(ctx context.Context, stored *probe.Result, candidates ...probe.Prober) (*probe.Result, error) {
	if len(stored.Transcript) == 0 {
		return nil, ErrNoTranscript
	}
	recording := Record(stored, "", "")
	if recording.ImplicitTLS == probe.Unknown {
		recording.ImplicitTLS = probe.No // the port may say otherwise, and what was said is known
	}
	err := fmt.Errorf("no prober speaks %s", stored.Protocol)
	for i, p := range candidates {
		player := recording.Player()
		r := probe.Run(ctx, p, stored.Target, recording.options(player))
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		departed := player.Err()
		if departed == nil && r.Protocol == stored.Protocol {
			again := *stored
			again.Outcome, again.Err, again.Evidence = r.Outcome, r.Err, r.Evidence
			return &again, nil
		}
		if i == 0 && departed != nil {
			err = departed
		}
	}
	return nil, err
}
