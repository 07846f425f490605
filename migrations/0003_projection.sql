-- How far each read model has folded, and what it left out. The read models themselves are in schemas of their own (read_<model>).
-- Writes: the projector, in the transaction of the rows; `bloomwatch parked` and `rebuild`.
-- Reads: the projector, query-service (every page reads its models' checkpoints in its own snapshot), `bloomwatch verify`.

CREATE SCHEMA projection;

-- One row a model, slot and partition. The row is updated with every flush: room for HOT updates, and no index beside the key.
CREATE TABLE projection.checkpoints (
  model     text COLLATE "C" NOT NULL,
  slot      text COLLATE "C" NOT NULL DEFAULT 'live' CHECK (slot IN ('live', 'next')),  -- next: a rebuild that fills beside it
  partition smallint NOT NULL DEFAULT -1 CHECK (partition BETWEEN -1 AND 15),           -- -1: the whole log (the Postgres feed)
  version   integer NOT NULL,                                                           -- of the model's fold
  position  bigint NOT NULL,                                                            -- of the last event folded
  epoch     text COLLATE "C",                                                           -- of the log that was folded; null: the present one
  PRIMARY KEY (model, slot, partition)
) WITH (fillfactor = 20, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000);

-- Partition keys that a model does not fold from a position on, because one of their events could not be folded.
CREATE TABLE projection.parked (
  model         text COLLATE "C" NOT NULL,
  slot          text COLLATE "C" NOT NULL DEFAULT 'live' CHECK (slot IN ('live', 'next')),
  partition_key uuid NOT NULL,
  position      bigint NOT NULL,         -- of the event that failed
  event_type    text COLLATE "C" NOT NULL,
  reason        text NOT NULL,
  parked_at     timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (model, slot, partition_key)
);

-- Events that somebody decided to leave out of a model for good; a rebuild leaves them out again.
CREATE TABLE projection.discarded (
  model        text COLLATE "C" NOT NULL,
  position     bigint NOT NULL,
  reason       text NOT NULL,
  discarded_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (model, position)
);
