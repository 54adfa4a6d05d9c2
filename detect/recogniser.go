package detect

import "github.com/handclasp/handclasp/probe"

// A Recogniser is a prober that recognises its protocol on ports where anything may be.
type Recogniser interface {
	probe.Prober
	// Recognise judges all that a server has said by itself so far. If that is nothing, Possible means that servers of
	// the protocol wait for the client, and Undecided that they don't.
	Recognise(said []byte) probe.Recognition
}

// An Asker is a recogniser that can ask if it isn't sure. A question does nothing on the server, and what servers of other
// protocols say to it isn't taken for an answer.
type Asker interface {
	Recogniser
	// Questions are the names that the prober's guard gives its questions, such as "FEAT", in the order in which they are
	// put. Servers of whose protocol clients speak first are asked the first one only.
	Questions() []string
	// Question returns the n-th as a message to be sent.
	Question(s *probe.Session, n int) (message []byte, err error)
	// Answers judges what has come in reply to the n-th so far. Foreign means that it proves nothing.
	Answers(n int, reply []byte) probe.Recognition
}
