-- Made anew for the number that the text index goes by: a rowid that no table declares may change.
CREATE TABLE broadcasts_by_number (
	number INTEGER PRIMARY KEY,
	id TEXT NOT NULL UNIQUE,
	title TEXT NOT NULL,
	description TEXT NOT NULL DEFAULT '',
	host_name TEXT NOT NULL DEFAULT '',
	status TEXT NOT NULL,
	layout TEXT NOT NULL,
	created_at_ms INTEGER NOT NULL,
	scheduled_start_ms INTEGER,
	started_at_ms INTEGER,
	-- Also when it was cancelled.
	ended_at_ms INTEGER,
	-- Of the broadcast when the row was written: an older one never takes its place.
	version INTEGER NOT NULL DEFAULT 0,
	-- When the row was last known to be right. 0 has it asked for soon.
	refreshed_at_ms INTEGER NOT NULL DEFAULT 0,
	-- When it is to begin, or, where nobody said, when it was made.
	time_ms INTEGER NOT NULL GENERATED ALWAYS AS (COALESCE(scheduled_start_ms, created_at_ms)) VIRTUAL
) STRICT;

INSERT INTO broadcasts_by_number (id, title, status, layout, created_at_ms, started_at_ms, ended_at_ms)
SELECT id, title, status, layout, created_at_ms, started_at_ms, ended_at_ms FROM broadcasts ORDER BY created_at_ms, id;

DROP TABLE broadcasts;
ALTER TABLE broadcasts_by_number RENAME TO broadcasts;

-- Newest first, or soonest first, with the id to tell apart those of the same millisecond.
CREATE INDEX broadcasts_by_age ON broadcasts (created_at_ms DESC, id DESC);
CREATE INDEX broadcasts_by_status ON broadcasts (status, created_at_ms DESC, id DESC);
CREATE INDEX broadcasts_by_time ON broadcasts (time_ms, id);
CREATE INDEX broadcasts_by_status_and_time ON broadcasts (status, time_ms, id);

-- Words of what people read, without accents. It holds no text itself, that stays in the table.
CREATE VIRTUAL TABLE broadcast_words USING fts5 (
	title, description, host_name,
	content = 'broadcasts', content_rowid = 'number', tokenize = 'unicode61 remove_diacritics 2'
);
INSERT INTO broadcast_words (rowid, title, description, host_name)
SELECT number, title, description, host_name FROM broadcasts;

CREATE TRIGGER broadcast_added AFTER INSERT ON broadcasts BEGIN
	INSERT INTO broadcast_words (rowid, title, description, host_name)
	VALUES (new.number, new.title, new.description, new.host_name);
END;

CREATE TRIGGER broadcast_removed AFTER DELETE ON broadcasts BEGIN
	INSERT INTO broadcast_words (broadcast_words, rowid, title, description, host_name)
	VALUES ('delete', old.number, old.title, old.description, old.host_name);
END;

CREATE TRIGGER broadcast_reworded AFTER UPDATE OF title, description, host_name ON broadcasts
WHEN new.title <> old.title OR new.description <> old.description OR new.host_name <> old.host_name BEGIN
	INSERT INTO broadcast_words (broadcast_words, rowid, title, description, host_name)
	VALUES ('delete', old.number, old.title, old.description, old.host_name);
	INSERT INTO broadcast_words (rowid, title, description, host_name)
	VALUES (new.number, new.title, new.description, new.host_name);
END;
