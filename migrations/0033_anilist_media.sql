-- What AniList told of anime, kept so that it need not be asked again within a day, and so that there is something to show while it is
-- down. A cache beside the log: no event says it and no read model is folded from it; emptied, it fills anew.
-- Writes: query-service's AniList discovery (the one thing it writes; ops/decisions/0008). Reads: the same, and whoever wants to know one
-- title by its key. Bounded: whoever writes sweeps what is too old or too much.

CREATE SCHEMA anilist;

CREATE TABLE anilist.media (
  id         integer PRIMARY KEY CHECK (id > 0),  -- AniList's own
  fetched_at timestamptz NOT NULL,
  titles     text NOT NULL,                       -- all of its titles in lower case, a line each: to be searched when nothing else can be
  popularity integer NOT NULL DEFAULT 0,          -- which of those found to show first
  media      jsonb NOT NULL                       -- as answered to clients (query-service/anilist/media.h)
);
CREATE INDEX media_fetched_at ON anilist.media (fetched_at);
