package probe

// Recognition is how sure a prober is that what a server said is its protocol: see detect.Recogniser.
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
