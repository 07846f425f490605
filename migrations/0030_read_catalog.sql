-- The read model `catalog`: the titles, by what else they are known, and the lists that they are in.
-- Writes: the projector (projector/catalog/catalog.h). Reads: query-service; its search builds its index from read_catalog.titles.
--
-- What search may rely on: one row a title; `position` is that of the last event that changed the row, so a row whose position is beyond
-- the lowest checkpoint that was looked at is new or has changed, and one that has not is neither; a title that was merged keeps its row,
-- with `merged_into`. Rows are never removed. After a rebuild positions are the same.

CREATE SCHEMA read_catalog;

CREATE TABLE read_catalog.titles (
  title            uuid NOT NULL,
  name             text NOT NULL,              -- what it is called where one name is wanted
  names            jsonb NOT NULL,             -- [{"text", "language" or null, "kind": "main" | "english" | "native" | "synonym", "source"}]
  format           text COLLATE "C",           -- TV, MOVIE, OVA, ONA, SPECIAL, MUSIC
  airing           text COLLATE "C",           -- upcoming, airing, finished
  season           text COLLATE "C",           -- winter, spring, summer, fall
  season_year      integer,
  episodes         integer,
  minutes          integer,                    -- of an episode
  picture_url      text,
  thumbnail_url    text,
  synopsis         text,
  starts_on        jsonb,                      -- {"year", "month", "day"}, the last two may be null
  ends_on          jsonb,
  content_rating   text,
  genres           jsonb NOT NULL,             -- ["action"]
  tags             jsonb NOT NULL,
  studios          jsonb NOT NULL,             -- [{"slug", "name", "role": "studio" | "producer"}]
  related          jsonb NOT NULL,             -- [{"source", "id", "alias"}]; alias as in read_catalog.aliases
  external_ids     jsonb NOT NULL,             -- [{"source", "id"}]
  offers           jsonb NOT NULL,             -- [{"provider", "region", "kind", "url", "checkedAt"}]: where it can be watched
  score_hundredths integer,                    -- of its source, of ten: 937 is 9.37
  popularity       bigint NOT NULL,            -- members at its source; 0: not known
  sources          jsonb NOT NULL,             -- {"<fact>": "<source>"}
  merged_into      uuid,                       -- null: it lives
  added_at         timestamptz NOT NULL,
  updated_at       timestamptz NOT NULL,
  version          bigint NOT NULL,
  position         bigint NOT NULL,
  partition        smallint NOT NULL,
  PRIMARY KEY (title)
) WITH (fillfactor = 90);
CREATE INDEX ON read_catalog.titles (position);
CREATE INDEX ON read_catalog.titles (popularity DESC, title DESC) WHERE merged_into IS NULL;
CREATE INDEX ON read_catalog.titles (season_year, season, popularity DESC, title DESC) WHERE merged_into IS NULL;
CREATE INDEX ON read_catalog.titles (season_year, popularity DESC, title DESC) WHERE merged_into IS NULL;
CREATE INDEX ON read_catalog.titles (format, popularity DESC, title DESC) WHERE merged_into IS NULL;

-- Ids that lead to a title: its own, the UUIDv5 of each of its references, those of titles merged into it. An alias may lead to several of
-- which one lives.
CREATE TABLE read_catalog.aliases (
  alias     uuid NOT NULL,
  title     uuid NOT NULL,
  partition smallint NOT NULL,
  PRIMARY KEY (alias, title)
);
CREATE INDEX ON read_catalog.aliases (title);

-- The lists of genres and studios: `listing` is the UUIDv5 of kind and value (events/ids.h).
CREATE TABLE read_catalog.listings (
  listing    uuid NOT NULL,
  title      uuid NOT NULL,
  popularity bigint NOT NULL,
  partition  smallint NOT NULL,
  PRIMARY KEY (listing, title)
) WITH (fillfactor = 90);
CREATE INDEX ON read_catalog.listings (listing, popularity DESC, title DESC);
