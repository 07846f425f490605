-- What deciders know of a stream after one of its events, so that who loads the stream need not read the events before: a cold writer read
-- every event of every stream that it was asked about. Derived: the table may be emptied at any time, and a row of another shape than the
-- program's is not read (ops/decisions/0012).
-- Writes: the writer. Reads: the writer; `bloomwatch verify`, which compares it with the log.

CREATE TABLE log.snapshots (
  version   bigint NOT NULL,               -- of the stream at its last event in the state
  shape     integer NOT NULL,              -- of state, as the aggregate's program counts it
  event_id  uuid NOT NULL,                 -- of that event: without it in the log the row would not be true
  stream_id uuid NOT NULL,
  category  text COLLATE "C" NOT NULL,
  state     text COLLATE "C" NOT NULL,     -- JSON; personal texts sealed as in the events
  CONSTRAINT snapshots_stream PRIMARY KEY (stream_id, category)
);
-- Rows are only ever rewritten, and no index knows of it.
ALTER TABLE log.snapshots SET (fillfactor = 50);
