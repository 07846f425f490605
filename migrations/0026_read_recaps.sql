-- The read model `recaps`: what the recaps of a month or a year are made of, per space, person and day, and the links to their cards. Totals
-- by month are in read_analytics; names, titles and who is a member now are joined by the page.
-- Writes: the projector (projector/recaps/recaps.h). Reads: query-service.
-- Days are numbered from 1970-01-01, months are year × 100 + month, and a period is a month or a year. A sum of nothing may be left of what
-- was taken back.

CREATE SCHEMA read_recaps;

CREATE TABLE read_recaps.spaces (
  watch_space uuid NOT NULL,
  time_zone   text NOT NULL,
  partition   smallint NOT NULL,
  PRIMARY KEY (watch_space)
) WITH (fillfactor = 90);

-- Whoever was a member once.
CREATE TABLE read_recaps.member_spaces (
  profile     uuid NOT NULL,
  watch_space uuid NOT NULL,
  partition   smallint NOT NULL,
  PRIMARY KEY (profile, watch_space)
) WITH (fillfactor = 90);

CREATE TABLE read_recaps.anime (
  anime           uuid NOT NULL,
  watch_space     uuid,                        -- null: removed
  title           uuid NOT NULL,
  episode_minutes integer,
  scores          jsonb NOT NULL,              -- {"<profile>": {"tenths", "month": when given, 0 by an import}}
  partition       smallint NOT NULL,
  PRIMARY KEY (anime)
) WITH (fillfactor = 90);

CREATE TABLE read_recaps.evenings (
  session         uuid NOT NULL,
  watch_space     uuid,                        -- null: taken back, and in no sum
  day             integer NOT NULL,            -- its date in its own time zone
  session_date    timestamptz NOT NULL,
  anime           uuid NOT NULL,
  title           uuid NOT NULL,
  episodes        integer NOT NULL,
  episode_minutes integer,
  present         jsonb NOT NULL,              -- profiles
  partition       smallint NOT NULL,
  PRIMARY KEY (session)
) WITH (fillfactor = 90);
-- What was watched on a day.
CREATE INDEX ON read_recaps.evenings (watch_space, day);

CREATE TABLE read_recaps.member_days (
  profile     uuid NOT NULL,
  day         integer NOT NULL,
  watch_space uuid NOT NULL,
  sessions    bigint NOT NULL,
  episodes    bigint NOT NULL,
  minutes     bigint NOT NULL,                 -- of titles whose minutes are known
  untimed     bigint NOT NULL,                 -- episodes of all others
  partition   smallint NOT NULL,
  PRIMARY KEY (profile, day, watch_space)
) WITH (fillfactor = 90);

CREATE TABLE read_recaps.days (
  watch_space uuid NOT NULL,
  day         integer NOT NULL,
  episodes    bigint NOT NULL,
  partition   smallint NOT NULL,
  PRIMARY KEY (watch_space, day)
) WITH (fillfactor = 90);

CREATE TABLE read_recaps.member_titles (
  profile   uuid NOT NULL,
  month     integer NOT NULL,
  title     uuid NOT NULL,
  anime     uuid NOT NULL,
  episodes  bigint NOT NULL,
  partition smallint NOT NULL,
  PRIMARY KEY (profile, month, title, anime)
) WITH (fillfactor = 90);

CREATE TABLE read_recaps.titles (
  watch_space uuid NOT NULL,
  month       integer NOT NULL,
  title       uuid NOT NULL,
  anime       uuid NOT NULL,
  episodes    bigint NOT NULL,
  partition   smallint NOT NULL,
  PRIMARY KEY (watch_space, month, title, anime)
) WITH (fillfactor = 90);

-- A score given in the period stood at its end; with all scores that stood then, of former members too.
CREATE TABLE read_recaps.rated (
  watch_space      uuid NOT NULL,
  period           integer NOT NULL,
  anime            uuid NOT NULL,
  title            uuid NOT NULL,
  mean_thousandths integer NOT NULL,
  spread_tenths    smallint NOT NULL,
  score_tenths     jsonb NOT NULL,             -- {"<profile>": tenths}
  partition        smallint NOT NULL,
  PRIMARY KEY (watch_space, period, anime)
) WITH (fillfactor = 90);
CREATE INDEX ON read_recaps.rated (watch_space, period, mean_thousandths, anime);
CREATE INDEX ON read_recaps.rated (watch_space, period, spread_tenths, anime);

CREATE TABLE read_recaps.own_scores (
  profile      uuid NOT NULL,
  period       integer NOT NULL,
  anime        uuid NOT NULL,
  title        uuid NOT NULL,
  score_tenths smallint NOT NULL,
  partition    smallint NOT NULL,
  PRIMARY KEY (profile, period, anime)
) WITH (fillfactor = 90);
CREATE INDEX ON read_recaps.own_scores (profile, period, score_tenths, anime);

-- What changed in a month; all months up to one say how close two were at its end.
CREATE TABLE read_recaps.taste (
  watch_space uuid NOT NULL,
  low         uuid NOT NULL,                   -- the lower id of the two
  high        uuid NOT NULL,
  month       integer NOT NULL,
  rated       bigint NOT NULL,                 -- anime that both rated
  gap_tenths  bigint NOT NULL,                 -- sum of the absolute differences
  partition   smallint NOT NULL,
  PRIMARY KEY (watch_space, low, high, month)
) WITH (fillfactor = 90);

-- The last event that changed what recaps of a month show, or of all months under 0: by it a card's reader is told that nothing is new.
CREATE TABLE read_recaps.changes (
  watch_space uuid NOT NULL,
  month       integer NOT NULL,
  position    bigint NOT NULL,
  partition   smallint NOT NULL,
  PRIMARY KEY (watch_space, month)
) WITH (fillfactor = 90);

-- Links that were not revoked.
CREATE TABLE read_recaps.shares (
  share       uuid NOT NULL,
  shared_by   uuid NOT NULL,                   -- profile
  watch_space uuid,                            -- null: of themselves
  period      text NOT NULL,                   -- 2026 or 2026-11
  token_claim uuid NOT NULL,                   -- keyed hash of the token
  shared_at   timestamptz NOT NULL,
  partition   smallint NOT NULL,
  PRIMARY KEY (share)
) WITH (fillfactor = 90);
CREATE INDEX ON read_recaps.shares (token_claim);
CREATE INDEX ON read_recaps.shares (shared_by, share);

-- Nobody had been asked before, and who is not asked has not agreed: rows of the present version stay right.
ALTER TABLE read_spaces.members ADD COLUMN recap_consent boolean NOT NULL DEFAULT false;
