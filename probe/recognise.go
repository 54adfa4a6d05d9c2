package probe

// Recognition is how sure a prober is that what a server said is its protocol.
type Recognition int

// The recognitions.
const (
	// Foreign is something else.
	Foreign Recognition = iota
	// Undecided is too little to tell: more may come.
	Undecided
	// Possible may be the protocol, and may be another: a question would tell.
	Possible
	// Recognised is the protocol.
	Recognised
)

// A Recogniser is a prober that recognises its protocol on ports where anything may be.
type Recogniser interface {
	Prober
	// Recognise judges all that a server has said by itself so far. Where that is nothing, Possible means that servers of
	// the protocol wait for the client, and Undecided that they don't.
	Recognise(said []byte) Recognition
}

// An Asker is a recogniser that can ask where it isn't sure.
type Asker interface {
	Recogniser
	// Question returns the message to be sent, which must pass the prober's guard, and what is read as the answer to it.
	Question(s *Session) (message []byte, err error)
	// Answers judges what has come in reply so far.
	Answers(reply []byte) Recognition
}
