package monitor

import (
	"context"
	"database/sql"
	"fmt"
	"net/url"
)

// migrations bring a file from the version before to the next one: the first makes version 1. What was released isn't
// changed any more.
var migrations = []string{
	`
CREATE TABLE endpoint (
	id INTEGER PRIMARY KEY,
	host TEXT NOT NULL, network TEXT NOT NULL, port INTEGER NOT NULL, vantage TEXT NOT NULL,
	up INTEGER NOT NULL, scope TEXT NOT NULL, answered INTEGER NOT NULL, asked INTEGER NOT NULL,
	addresses TEXT NOT NULL,
	standing BLOB NOT NULL
);
-- What an endpoint is asked for as; a move or another name changes no key.
CREATE TABLE alias (
	host TEXT NOT NULL, network TEXT NOT NULL, port INTEGER NOT NULL, vantage TEXT NOT NULL,
	endpoint INTEGER NOT NULL REFERENCES endpoint(id),
	PRIMARY KEY (host, network, port, vantage)
) WITHOUT ROWID;
CREATE TABLE scan (
	n INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, applied TEXT NOT NULL, started TEXT NOT NULL, ended TEXT NOT NULL, header BLOB NOT NULL, summary BLOB NOT NULL
);
CREATE TABLE rule (id TEXT PRIMARY KEY, severity INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE event (
	id INTEGER PRIMARY KEY AUTOINCREMENT, scan TEXT NOT NULL, at TEXT NOT NULL, kind TEXT NOT NULL, body BLOB NOT NULL
);
CREATE TABLE undelivered (event INTEGER PRIMARY KEY REFERENCES event(id), attempts INTEGER NOT NULL DEFAULT 0, error TEXT NOT NULL DEFAULT '');
CREATE INDEX event_scan ON event (scan);
CREATE VIEW endpoints AS SELECT host, port, network, vantage, json_extract(standing, '$.protocol') AS protocol,
	json_extract(standing, '$.first') AS first_seen, nullif(json_extract(standing, '$.answered'), '0001-01-01T00:00:00Z') AS last_answered,
	up, scope, addresses FROM endpoint;
CREATE VIEW open_findings AS SELECT e.host, e.port, e.network, e.vantage, f.key AS rule, json_extract(f.value, '$.severity') AS severity,
	json_extract(f.value, '$.first') AS first_seen, json_extract(f.value, '$.confirmed') AS confirmed, json_extract(f.value, '$.last') AS last_seen,
	coalesce(json_extract(f.value, '$.unknown'), 0) AS unknown_scans, coalesce(json_extract(f.value, '$.reason'), '') AS reason,
	coalesce((SELECT group_concat(i.key, ', ') FROM json_each(f.value, '$.items') i WHERE json_extract(i.value, '$.told')), '') AS items
	FROM endpoint e, json_each(e.standing, '$.open') f
	WHERE e.scope = '' AND json_extract(f.value, '$.confirmed') <> '0001-01-01T00:00:00Z';
CREATE VIEW history AS SELECT id AS event, scan, at, kind, json_extract(body, '$.endpoint.host') AS host, json_extract(body, '$.endpoint.port') AS port,
	json_extract(body, '$.endpoint.network') AS network, json_extract(body, '$.endpoint.vantage') AS vantage,
	json_extract(body, '$.change.finding.id') AS rule, json_extract(body, '$.note.fact') AS fact, json_extract(body, '$.change.finding.severity') AS severity,
	body AS event_json FROM event;
CREATE VIEW scans AS SELECT id AS scan, applied, started, ended, json_extract(summary, '$.complete') AS complete, json_extract(summary, '$.endpoints') AS endpoints,
	json_extract(summary, '$.new') AS new, json_extract(summary, '$.changed') AS changed, json_extract(summary, '$.resolved') AS resolved,
	json_extract(summary, '$.unknown') AS unknown, json_extract(summary, '$.unchanged') AS unchanged FROM scan;
`,
	// What is looked at in every scan stands apart from what is read for those that changed.
	`
DROP VIEW endpoints;
DROP VIEW open_findings;
CREATE TABLE standing (endpoint INTEGER PRIMARY KEY REFERENCES endpoint(id), data BLOB NOT NULL);
INSERT INTO standing SELECT id, standing FROM endpoint;
ALTER TABLE endpoint DROP COLUMN standing;
-- same is a digest of how it looked if all of it was settled, else empty; answered is when it was last seen so.
ALTER TABLE endpoint ADD COLUMN same BLOB NOT NULL DEFAULT x'';
ALTER TABLE endpoint ADD COLUMN known INTEGER NOT NULL DEFAULT 0;
ALTER TABLE rule ADD COLUMN since TEXT NOT NULL DEFAULT ''; -- the first scan that was judged by it; empty for the first of all
CREATE VIEW endpoints AS SELECT host, port, network, vantage, json_extract(s.data, '$.protocol') AS protocol,
	strftime('%Y-%m-%dT%H:%M:%fZ', asked / 1000.0, 'unixepoch') AS first_seen,
	CASE WHEN answered > 0 THEN strftime('%Y-%m-%dT%H:%M:%fZ', answered / 1000.0, 'unixepoch') END AS last_answered,
	up, scope, addresses FROM endpoint JOIN standing s ON s.endpoint = id;
CREATE VIEW open_findings AS SELECT e.host, e.port, e.network, e.vantage, f.key AS rule, json_extract(f.value, '$.severity') AS severity,
	json_extract(f.value, '$.first') AS first_seen, json_extract(f.value, '$.confirmed') AS confirmed,
	CASE WHEN length(e.same) > 0 THEN strftime('%Y-%m-%dT%H:%M:%fZ', e.answered / 1000.0, 'unixepoch') ELSE json_extract(f.value, '$.last') END AS last_seen,
	coalesce(json_extract(f.value, '$.unknown'), 0) AS unknown_scans, coalesce(json_extract(f.value, '$.reason'), '') AS reason,
	coalesce((SELECT group_concat(i.key, ', ') FROM json_each(f.value, '$.items') i WHERE json_extract(i.value, '$.told')), '') AS items,
	coalesce(json_extract(f.value, '$.accepted'), '') AS accepted
	FROM endpoint e JOIN standing s ON s.endpoint = e.id, json_each(s.data, '$.open') f
	WHERE e.scope = '' AND json_extract(f.value, '$.confirmed') <> '0001-01-01T00:00:00Z';
`,
	// What is told of an endpoint at once is one row, and what many events say in the same words stands there once.
	`
CREATE TABLE wording (id INTEGER PRIMARY KEY, body TEXT NOT NULL UNIQUE);
-- The events of the ids from first to last: a list of [wording or 0, what is its own].
CREATE TABLE told (
	first INTEGER PRIMARY KEY, last INTEGER NOT NULL, scan TEXT NOT NULL, at TEXT NOT NULL, common TEXT NOT NULL, events TEXT NOT NULL
);
-- Those that nobody took yet, as ranges that don't meet.
CREATE TABLE waiting (first INTEGER PRIMARY KEY, last INTEGER NOT NULL, attempts INTEGER NOT NULL DEFAULT 0, error TEXT NOT NULL DEFAULT '');
INSERT INTO told SELECT id, id, scan, at, json_object('endpoint', json_extract(body, '$.endpoint')), json_array(json_array(0, json(body))) FROM event;
INSERT INTO waiting SELECT event, event, attempts, error FROM undelivered;
DROP VIEW history;
DROP TABLE undelivered;
DROP TABLE event;
CREATE VIEW each_event AS SELECT t.first, t.first + e.key AS event, t.scan, t.at, e.value ->> 0 AS wording, t.common, e.value -> 1 AS own,
	json_extract(t.common, '$.endpoint.host') AS host, json_extract(t.common, '$.endpoint.port') AS port
	FROM told t CROSS JOIN json_each(t.events) e;
CREATE VIEW history AS SELECT event, scan, at, json_extract(body, '$.kind') AS kind, json_extract(body, '$.endpoint.host') AS host,
	json_extract(body, '$.endpoint.port') AS port, json_extract(body, '$.endpoint.network') AS network, json_extract(body, '$.endpoint.vantage') AS vantage,
	json_extract(body, '$.change.finding.id') AS rule, json_extract(body, '$.note.fact') AS fact, json_extract(body, '$.change.finding.severity') AS severity,
	body AS event_json FROM (
		SELECT e.event, e.scan, e.at, json_patch(json_patch(json_patch(coalesce(w.body, '{}'), e.common), e.own),
			json_object('id', e.event, 'scan', e.scan, 'at', e.at)) AS body FROM each_event e LEFT JOIN wording w ON w.id = e.wording);
`,
}

// migrate brings the file to the version of this program.
func migrate(ctx context.Context, db *sql.DB) error {
	var version int
	if err := db.QueryRowContext(ctx, `PRAGMA user_version`).Scan(&version); err != nil {
		return err
	}
	if version > len(migrations) {
		return fmt.Errorf("the state is of version %d, and this program knows %d: use a newer one", version, len(migrations))
	}
	for ; version < len(migrations); version++ {
		tx, err := db.BeginTx(ctx, nil)
		if err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, migrations[version]+fmt.Sprintf(";PRAGMA user_version = %d", version+1))
		if err == nil {
			err = tx.Commit()
		}
		if err != nil {
			_ = tx.Rollback()
			return fmt.Errorf("migrate to version %d: %w", version+1, err)
		}
	}
	return nil
}

// dsn names the file. A write is on the disk when its transaction ends, and a crash leaves either all of it or nothing.
func dsn(path, mode string) string {
	u := url.URL{Scheme: "file", Opaque: (&url.URL{Path: path}).EscapedPath()}
	u.RawQuery = url.Values{"mode": {mode}, "_txlock": {"immediate"}, "_pragma": {"busy_timeout(10000)", "journal_mode(WAL)", "synchronous(FULL)", "foreign_keys(1)", "cache_size(-8192)"}}.Encode()
	if mode == "ro" {
		u.RawQuery = url.Values{"mode": {mode}, "_pragma": {"busy_timeout(10000)"}}.Encode()
	}
	return u.String()
}
