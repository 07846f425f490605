-- The read model `analytics`: what the numbers of a space are made of, summed as events come in. Who is a member now, names and titles are
-- joined by the page.
-- Writes: the projector (projector/analytics/analytics.h). Reads: query-service.

CREATE SCHEMA read_analytics;

-- What one anime adds to the sums of its space.
CREATE TABLE read_analytics.anime (
  anime             uuid NOT NULL,
  watch_space       uuid,                      -- null: removed, and in no sum
  shared_status     text COLLATE "C" NOT NULL,
  shared_episodes   integer NOT NULL,
  episode_minutes   integer,
  score_tenths      jsonb NOT NULL,            -- {"<profile>": tenths}
  added_by          uuid NOT NULL,             -- profile
  added_at          timestamptz NOT NULL,
  added_position    bigint NOT NULL,
  finished_by       uuid,                      -- these three: of the last time that it was finished, if that stands
  finished_at       timestamptz,
  finished_position bigint,
  partition         smallint NOT NULL,
  PRIMARY KEY (anime)
) WITH (fillfactor = 90);

-- What one evening adds.
CREATE TABLE read_analytics.evenings (
  session         uuid NOT NULL,
  watch_space     uuid,                        -- null: taken back, and in no sum
  anime           uuid NOT NULL,
  session_date    timestamptz NOT NULL,
  day             integer NOT NULL,            -- its date in its own time zone, in days from 1970-01-01
  episodes        integer NOT NULL,
  episode_minutes integer,
  participants    jsonb NOT NULL,              -- [{"profile", "attendance": "present" | "invited" | "declined"}]
  recorded_by     uuid NOT NULL,               -- profile
  position        bigint NOT NULL,
  partition       smallint NOT NULL,
  PRIMARY KEY (session)
) WITH (fillfactor = 90);

-- Minutes are those of titles whose minutes are known; the episodes of others are `untimed`. So in all sums below.
CREATE TABLE read_analytics.spaces (
  watch_space    uuid NOT NULL,
  backlog        bigint NOT NULL,              -- anime by shared status
  watching       bigint NOT NULL,
  finished       bigint NOT NULL,
  paused         bigint NOT NULL,
  dropped        bigint NOT NULL,
  episodes       bigint NOT NULL,              -- sum of shared progress
  minutes        bigint NOT NULL,
  untimed        bigint NOT NULL,
  untimed_titles bigint NOT NULL,              -- anime that have untimed episodes
  partition      smallint NOT NULL,
  PRIMARY KEY (watch_space)
) WITH (fillfactor = 90);

-- The evenings of a month, and under month 0 those of all. A row of nothing may be left of what was taken back.
CREATE TABLE read_analytics.months (
  watch_space uuid NOT NULL,
  month       integer NOT NULL,                -- 202611
  sessions    bigint NOT NULL,
  episodes    bigint NOT NULL,
  minutes     bigint NOT NULL,
  untimed     bigint NOT NULL,
  partition   smallint NOT NULL,
  PRIMARY KEY (watch_space, month)
) WITH (fillfactor = 90);

-- The same of one who was there, of former members too.
CREATE TABLE read_analytics.member_months (
  watch_space uuid NOT NULL,
  month       integer NOT NULL,
  profile     uuid NOT NULL,
  sessions    bigint NOT NULL,
  episodes    bigint NOT NULL,
  minutes     bigint NOT NULL,
  untimed     bigint NOT NULL,
  partition   smallint NOT NULL,
  PRIMARY KEY (watch_space, month, profile)
) WITH (fillfactor = 90);

-- Days with evenings, numbered from 1970-01-01: what streaks are made of.
CREATE TABLE read_analytics.days (
  watch_space uuid NOT NULL,
  day         integer NOT NULL,
  sessions    bigint NOT NULL,
  partition   smallint NOT NULL,
  PRIMARY KEY (watch_space, day)
) WITH (fillfactor = 90);

CREATE TABLE read_analytics.scores (
  watch_space  uuid NOT NULL,
  profile      uuid NOT NULL,
  score_tenths smallint NOT NULL,
  anime        bigint NOT NULL,                -- how many got this score
  partition    smallint NOT NULL,
  PRIMARY KEY (watch_space, profile, score_tenths)
) WITH (fillfactor = 90);

-- The timeline.
CREATE TABLE read_analytics.moments (
  watch_space uuid NOT NULL,
  position    bigint NOT NULL,                 -- of the event that says it
  at          timestamptz NOT NULL,            -- a session's date; of all others the time of recording
  kind        text COLLATE "C" NOT NULL,
  profile     uuid,                            -- who did it; of joining and leaving, who came or went
  anime       uuid,
  session     uuid,
  partition   smallint NOT NULL,
  PRIMARY KEY (watch_space, position)
) WITH (fillfactor = 90);
CREATE INDEX ON read_analytics.moments (watch_space, at, position);

-- The page of rating gaps walks them by their width, both ways.
CREATE INDEX ON read_dashboard.gaps (watch_space, gap_tenths, anime);
DROP INDEX read_dashboard.gaps_watch_space_idx;
