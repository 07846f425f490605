-- The read model `tracking`: the anime of a space, what each participant says of them, and the evenings. Personal texts are boxes.
-- Writes: the projector (projector/tracking/tracking.h). Reads: query-service.

CREATE SCHEMA read_tracking;

-- What is shared. `version` and `updated_at` are of the last event that changed this row; the anime's own version is the greatest of this
-- row's and its entries', so that a rating writes one row and not two.
CREATE TABLE read_tracking.anime (
  anime           uuid NOT NULL,
  watch_space     uuid NOT NULL,
  title           uuid NOT NULL,
  media_source    text COLLATE "C" NOT NULL,
  media_id        text COLLATE "C" NOT NULL,
  romaji          text,
  english         text,
  native          text,
  episode_count   integer,
  episode_minutes integer,
  cover_image_url text,
  format          text,
  season          text,
  season_year     integer,
  preferred_title text NOT NULL,              -- romaji, else english, else native, else the reference in words
  sort_title      text COLLATE "C" NOT NULL,  -- the same with A–Z as a–z, at most 64 bytes
  shared_status   text COLLATE "C" NOT NULL,  -- backlog, watching, finished, paused, dropped
  shared_episodes integer NOT NULL,
  session_count   integer NOT NULL,
  mood            text,                       -- boxes
  vibe            text,
  pitch           text,
  added_by        uuid NOT NULL,              -- profile
  added_at        timestamptz NOT NULL,
  updated_at      timestamptz NOT NULL,
  version         bigint NOT NULL,
  partition       smallint NOT NULL,
  PRIMARY KEY (anime)
) WITH (fillfactor = 90);
CREATE INDEX ON read_tracking.anime (watch_space, added_at DESC, anime DESC);
CREATE INDEX ON read_tracking.anime (watch_space, sort_title, anime);
CREATE INDEX ON read_tracking.anime (watch_space, shared_status, updated_at DESC, anime DESC);
CREATE INDEX ON read_tracking.anime (watch_space, updated_at DESC, anime DESC);

-- One participant's own side of one anime; nobody who has done nothing has one.
CREATE TABLE read_tracking.entries (
  anime           uuid NOT NULL,
  profile         uuid NOT NULL,
  status          text COLLATE "C" NOT NULL,
  episodes        integer NOT NULL,
  started_on      jsonb,                      -- {"year", "month", "day"}, the last two may be null
  finished_on     jsonb,
  times_rewatched integer NOT NULL,
  score_tenths    smallint,
  notes           text,                       -- box
  updated_at      timestamptz NOT NULL,
  version         bigint NOT NULL,            -- of the anime's stream, at the last change of this row
  partition       smallint NOT NULL,
  PRIMARY KEY (anime, profile)
) WITH (fillfactor = 90);

CREATE TABLE read_tracking.sessions (
  session       uuid NOT NULL,
  anime         uuid NOT NULL,
  watch_space   uuid NOT NULL,
  session_date  timestamptz NOT NULL,
  precision     text COLLATE "C" NOT NULL,    -- exact, day
  time_zone     text NOT NULL,
  start_episode integer NOT NULL,
  end_episode   integer NOT NULL,
  notes         text,                         -- box
  participants  jsonb NOT NULL,               -- [{"profile", "attendance": "present" | "invited" | "declined"}]
  created_by    uuid NOT NULL,                -- profile
  created_at    timestamptz NOT NULL,
  updated_at    timestamptz NOT NULL,
  version       bigint NOT NULL,              -- of the anime's stream, at the last change of this row
  partition     smallint NOT NULL,
  PRIMARY KEY (session)
) WITH (fillfactor = 90);
CREATE INDEX ON read_tracking.sessions (anime, session_date DESC, session DESC);
CREATE INDEX ON read_tracking.sessions (watch_space, session_date DESC, session DESC);
