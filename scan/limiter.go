package scan

import "golang.org/x/time/rate"

// A Limiter bounds the new connections a second of all scans that share it. Its bound may be set while they run.
type Limiter struct{ l *rate.Limiter }

// NewLimiter returns a limiter with a bound; zero or less is none.
func NewLimiter(perSecond float64) *Limiter {
	l := &Limiter{rate.NewLimiter(rate.Inf, 1)}
	l.Set(perSecond)
	return l
}

// Set changes the bound; zero or less is none. A connection that waits for its turn already isn't called back.
func (l *Limiter) Set(perSecond float64) {
	if perSecond <= 0 {
		l.l.SetLimit(rate.Inf)
		return
	}
	// A hundredth of a second's worth at once: timers aren't finer than what fast scans need.
	l.l.SetBurst(max(1, int(perSecond/100)))
	l.l.SetLimit(rate.Limit(perSecond))
}
