package fingerprint

import (
	"strings"
	"sync"

	"github.com/handclasp/handclasp/probe"
)

// maxAnswers is how many banners are remembered: half a megabyte if servers make them long.
const maxAnswers = 512

// answers remember what banners name: a scan hears the same few again and again.
type answers struct {
	mu    sync.Mutex
	known map[probe.Banner][]probe.Software
}

// get returns what a banner names, which isn't to be changed, and asks if that isn't remembered.
func (a *answers) get(b probe.Banner, ask func(probe.Banner) []probe.Software) []probe.Software {
	b.Text = cut(b.Text)
	a.mu.Lock()
	list, ok := a.known[b]
	a.mu.Unlock()
	if ok {
		return list
	}
	b.Text = strings.Clone(b.Text) // which the answer holds parts of
	list = ask(b)
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.known == nil || len(a.known) >= maxAnswers {
		a.known = map[probe.Banner][]probe.Software{}
	}
	a.known[b] = list
	return list
}
