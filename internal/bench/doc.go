// Package bench measures what a probe costs beside the least Go that holds the same conversation, with the same key exchange,
// over the same number of connections. docs/performance.md reports the figures.
//
// Three processes take part, so that neither the server nor the other client is in a figure: the server, the probe
// and the bare client. The bare client's conversation is taken from the transcript of a probe, so that the two can't
// drift apart.
package bench
