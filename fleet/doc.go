// Package fleet spreads one scan over many machines.
//
// A scan is cut into shards ([scan.Shard]) that wait in a work queue of NATS JetStream. A [Worker] takes one, scans it as one
// machine would, and commits its results together with how far it has come, in one atomic batch that the server refuses if
// the shard is another worker's by then. So each endpoint is among the results exactly once, whoever is killed at what time, and
// only one worker at a time talks to a host.
//
// The server is either embedded ([Serve]) or one that is there already; a [Coordinator] prepares scans and keeps the books. All
// that it knows lies in the server's store: it may be stopped and started at any time.
package fleet
