-- The log: every change to BloomWatch as an event, and what deciding the next one needs (claims, idempotency).
-- Writes: the writer of command-service (events/log.cpp), and nobody else. Nobody changes or deletes an event.
-- Reads: the writer, the projector (events/postgres_feed.cpp), the relay, `bloomwatch log` and `verify`, query-service (epoch, head).

CREATE SCHEMA log;

-- Fixed-width columns first: no padding. Texts that are compared are in collation "C": byte order, and cheap.
CREATE TABLE log.events (
  position       bigint NOT NULL,        -- 1, 2, 3 … without gaps, by the fence; 0 is the genesis row, which is no event
  recorded_at    timestamptz NOT NULL,   -- by the writer's clock; never decreases with position
  version        bigint NOT NULL,        -- 1, 2, 3 … without gaps within a stream
  schema_version smallint NOT NULL,      -- of the shape of data
  partition      smallint NOT NULL,      -- 0–15, a fixed hash of partition_key
  event_id       uuid NOT NULL,          -- UUIDv7
  stream_id      uuid NOT NULL,          -- with category: the stream
  partition_key  uuid NOT NULL,          -- whose events stay in order for consumers: watch space, else account, else title
  command_id     uuid NOT NULL,          -- by it a lost batch is looked up, in the tail, so without an index
  correlation_id uuid NOT NULL,
  account        uuid,                   -- who did it; null: the system
  profile        uuid,                   -- as which of their profiles
  causation_id   uuid,                   -- the event that led to the command
  undoes         uuid,                   -- the event that this one takes back
  category       text COLLATE "C" NOT NULL,
  type           text COLLATE "C" NOT NULL,
  origin         text COLLATE "C" NOT NULL,  -- app, token, import, scrobble, sync, policy, undo
  provider       text COLLATE "C",
  reference      text COLLATE "C",
  data           jsonb NOT NULL,         -- camelCase, as events/<context>.h describes it
  CONSTRAINT events_position PRIMARY KEY (position),
  CONSTRAINT events_stream_version UNIQUE (stream_id, category, version),
  CONSTRAINT events_partition CHECK (partition BETWEEN 0 AND 15)
);
-- The past of one partition key: "as of" pages, and folding a parked key again.
CREATE INDEX events_partition_key ON log.events (partition_key, position);

-- Rows only come: pages are filled to the brim, and autovacuum has only to freeze and to keep the visibility map.
ALTER TABLE log.events SET (fillfactor = 100, autovacuum_vacuum_insert_threshold = 100000, autovacuum_analyze_scale_factor = 0.05);
ALTER INDEX log.events_position SET (fillfactor = 100);

CREATE FUNCTION log.refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'the log only grows: % on %.% is refused', TG_OP, TG_TABLE_SCHEMA, TG_TABLE_NAME USING ERRCODE = 'restrict_violation';
END
$$;
CREATE TRIGGER events_are_immutable BEFORE UPDATE OR DELETE OR TRUNCATE ON log.events
  FOR EACH STATEMENT EXECUTE FUNCTION log.refuse_change();
REVOKE UPDATE, DELETE, TRUNCATE ON log.events FROM PUBLIC, CURRENT_USER;

INSERT INTO log.events (position, recorded_at, version, schema_version, partition, event_id, stream_id, partition_key, command_id,
                        correlation_id, category, type, origin, data)
SELECT 0, 'epoch', 1, 1, 0, gen_random_uuid(), nil, nil, nil, nil, 'genesis', 'Genesis', 'app', '{}'
  FROM (VALUES ('00000000-0000-0000-0000-000000000000'::uuid)) AS zero (nil);

-- One unbroken life of the log; a restore from backup begins a new one (begin_epoch in events/log.h).
CREATE TABLE log.epoch (
  one   boolean PRIMARY KEY DEFAULT true CHECK (one),   -- so there is one row
  epoch text COLLATE "C" NOT NULL CHECK (epoch ~ '^[0-9a-f]{8}$')
);
INSERT INTO log.epoch (epoch) SELECT left(replace(gen_random_uuid()::text, '-', ''), 8);

-- Unique keys held by streams: an e-mail, a handle, a title in a space; keyed hashes where they are personal. The fold of the log.
CREATE TABLE log.claims (
  key        uuid NOT NULL,
  stream_id  uuid NOT NULL,
  category   text COLLATE "C" NOT NULL,
  retired_at timestamptz,                -- still held, but may be taken over after a while
  CONSTRAINT claims_key PRIMARY KEY (key)
);

-- What commands with an Idempotency-Key were answered, for at least 24 hours. No answer's bytes, no secrets.
CREATE TABLE log.idempotency (
  recorded_at timestamptz NOT NULL DEFAULT now(),
  version     bigint NOT NULL,
  position    bigint NOT NULL,
  key         uuid NOT NULL,             -- hash of (person, key)
  command_id  uuid NOT NULL,
  id          uuid NOT NULL,             -- of the answer
  created     boolean NOT NULL,          -- 201
  body_mac    bytea NOT NULL,            -- keyed hash of method, path and body
  refusal     text COLLATE "C" NOT NULL, -- empty: accepted or quiet
  CONSTRAINT idempotency_key PRIMARY KEY (key)
);
-- For the sweep. All rows of a batch share one time and come in its order: always the last leaf, deduplicated, next to nothing.
CREATE INDEX idempotency_recorded_at ON log.idempotency (recorded_at);
