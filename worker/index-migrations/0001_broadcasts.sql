-- The list of broadcasts. Each row is a copy of what its Broadcast object holds; the object is the source of truth.
CREATE TABLE broadcasts (
	id TEXT PRIMARY KEY,
	title TEXT NOT NULL,
	status TEXT NOT NULL,
	layout TEXT NOT NULL,
	created_at_ms INTEGER NOT NULL,
	started_at_ms INTEGER,
	ended_at_ms INTEGER
) STRICT;

-- Newest first, with the id to tell apart those of the same millisecond.
CREATE INDEX broadcasts_by_age ON broadcasts (created_at_ms DESC, id DESC);
CREATE INDEX broadcasts_by_status ON broadcasts (status, created_at_ms DESC, id DESC);
