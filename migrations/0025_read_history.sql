-- The read model `history`: every event as the change that it is, found by space, anime, person and position; and admins' looks into it.
-- Also an account's role in `people`: until now no event changed one, so every row is as a rebuild would make it.
-- Writes: the projector (projector/history/history.h, projector/people/people.h). Reads: query-service.

CREATE SCHEMA read_history;

-- An event is part 0. Parts above are one more person that it is about, or one more thing whose value it gives, and nothing else.
-- Rows only come. What a page walks is a partial index each, so that an event is in no more of them than it is found by.
CREATE TABLE read_history.changes (
  position       bigint NOT NULL,
  part           smallint NOT NULL,
  type           text COLLATE "C" NOT NULL,
  actor          uuid,                     -- profile; null: the system, or somebody who had no account yet
  person         uuid,                     -- profile: whom it is about
  sets           uuid,                     -- the thing whose value it gives
  looks_at       uuid,                     -- the thing whose value before is what it changed
  at             timestamptz,
  watch_space    uuid,
  anime          uuid,
  title          uuid,                     -- of the catalogue
  event          uuid,
  undoes         uuid,                     -- event
  command        uuid,
  origin         text COLLATE "C",
  provider       text,
  reference      text,
  schema_version smallint,
  sealed_by      uuid,                     -- account whose key opens what is sealed in `data`
  data           text,                     -- JSON as the log has it, with boxes
  partition      smallint NOT NULL,
  PRIMARY KEY (position, part)
);
CREATE INDEX ON read_history.changes (watch_space, position) WHERE watch_space IS NOT NULL;
CREATE INDEX ON read_history.changes (anime, position) WHERE anime IS NOT NULL;
CREATE INDEX ON read_history.changes (actor, position) WHERE part = 0 AND actor IS NOT NULL;
CREATE INDEX ON read_history.changes (person, position) WHERE person IS DISTINCT FROM actor AND person IS NOT NULL;
-- What was there before: the last row that gave the same thing a value.
CREATE INDEX ON read_history.changes (sets, position) WHERE sets IS NOT NULL;
CREATE INDEX ON read_history.changes (event) WHERE event IS NOT NULL;
CREATE INDEX ON read_history.changes (undoes, position) WHERE undoes IS NOT NULL;

-- What the link shows that an admin's question answered. All filters that are there apply.
CREATE TABLE read_history.queries (
  query       uuid NOT NULL,
  admin       uuid,                        -- profile
  asked_at    timestamptz NOT NULL,
  person      uuid,                        -- profile
  watch_space uuid,
  anime       uuid,
  types       jsonb NOT NULL,              -- ["<type of event>"]; none: all
  field       text,
  since       timestamptz,
  until       timestamptz,                 -- not included
  partition   smallint NOT NULL,
  PRIMARY KEY (query)
);

ALTER TABLE read_people.accounts ADD COLUMN role text COLLATE "C" NOT NULL DEFAULT 'user';  -- user, moderator, admin

-- The last position that was recorded before a moment; null of null. Times never decrease with positions, which have no gaps, so it is
-- found in steps of halves: history by time is history by position.
CREATE FUNCTION projection.position_before(moment timestamptz) RETURNS bigint STABLE LANGUAGE plpgsql AS $$
DECLARE
  low    bigint := 0;
  high   bigint;
  middle bigint;
BEGIN
  IF moment IS NULL THEN
    RETURN NULL;
  END IF;
  SELECT position INTO high FROM log.events ORDER BY position DESC LIMIT 1;
  WHILE low < high LOOP
    middle := (low + high + 1) / 2;
    IF (SELECT recorded_at FROM log.events WHERE position = middle) < moment THEN
      low := middle;
    ELSE
      high := middle - 1;
    END IF;
  END LOOP;
  RETURN low;
END
$$;
