-- The read model `dashboard`: what must be kept by folding so that a space's dashboard is a few keyed reads. Names, titles, who is a member
-- and who is in which episode are joined from the other models by the page.
-- Writes: the projector (projector/dashboard/dashboard.h). Reads: query-service.

CREATE SCHEMA read_dashboard;

CREATE TABLE read_dashboard.anime (
  anime           uuid NOT NULL,
  watch_space     uuid NOT NULL,
  shared_status   text COLLATE "C" NOT NULL,
  shared_episodes integer NOT NULL,
  raters          smallint NOT NULL,          -- how many scores there are, of former members too
  score_tenths    jsonb NOT NULL,             -- {"<profile>": tenths}
  partition       smallint NOT NULL,
  PRIMARY KEY (anime)
) WITH (fillfactor = 90);
-- What two or more have rated: shared ratings, and the count of them in groups.
CREATE INDEX ON read_dashboard.anime (watch_space, anime) WHERE raters >= 2;

-- Two profiles, the lower id first: over all anime of the space that both have rated.
CREATE TABLE read_dashboard.pairs (
  watch_space uuid NOT NULL,
  low         uuid NOT NULL,
  high        uuid NOT NULL,
  rated       bigint NOT NULL,                -- how many
  gap_tenths  bigint NOT NULL,                -- sum of the absolute differences
  partition   smallint NOT NULL,
  PRIMARY KEY (watch_space, low, high)
) WITH (fillfactor = 90);

CREATE TABLE read_dashboard.gaps (
  watch_space uuid NOT NULL,
  anime       uuid NOT NULL,
  low         uuid NOT NULL,
  high        uuid NOT NULL,
  gap_tenths  smallint NOT NULL,
  partition   smallint NOT NULL,
  PRIMARY KEY (anime, low, high)
) WITH (fillfactor = 90);
-- Without the gap in it: a score that changes then touches no index. The page sorts the gaps of its space.
CREATE INDEX ON read_dashboard.gaps (watch_space);

CREATE TABLE read_dashboard.spaces (
  watch_space       uuid NOT NULL,
  shows             bigint NOT NULL,
  watching          bigint NOT NULL,
  finished          bigint NOT NULL,
  episodes_together bigint NOT NULL,          -- sum of shared progress
  partition         smallint NOT NULL,
  PRIMARY KEY (watch_space)
) WITH (fillfactor = 90);
