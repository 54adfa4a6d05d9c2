package probe

// A Fact is an observation that may be missing. Unknown is not an alias of No: it says that the probe didn't learn
// the answer, because it wasn't asked, the conversation ended first, or the reply was unclear.
type Fact string

// The three values of a Fact.
const (
	Unknown Fact = ""
	Yes     Fact = "yes"
	No      Fact = "no"
)

// FactOf returns Yes for true and No for false.
func FactOf(b bool) Fact {
	if b {
		return Yes
	}
	return No
}
