// Package monitor keeps what is known of endpoints over many scans in a SQLite file, and tells what changes.
//
//	state, err := monitor.Open("fleet.db", nil)
//	…
//	scan, err := state.Apply(ctx, entries) // of one whole scan, with its header and footer
//	for event, err := range state.Events(ctx, 0) {
//		… // tell somebody
//		err = state.Ack(ctx, event.ID)
//	}
//
// Events are committed together with the state that they tell of, have ids that stay the same, and are kept until Ack: each is
// delivered at least once, and a receiver can drop those that it knows. Applying a scan again changes nothing; an older one is
// refused.
//
// The file is the user's own. Its tables are private and change from version to version; the views are not:
//
//	open_findings  host, port, network, vantage, rule, severity, first_seen, confirmed, last_seen, unknown_scans, reason, items,
//	               accepted (JSON)
//	endpoints      host, port, network, vantage, protocol, first_seen, last_answered, up, scope, addresses
//	history        event, scan, at, kind, host, port, network, vantage, rule, fact, severity, event_json
//	scans          scan, applied, started, ended, complete, endpoints, new, changed, resolved, unknown, unchanged
package monitor
