-- What spaces do with titles, by the title: how it is rated here, and which anime of a space is it. A part of the read models `analytics`
-- (whose rows of anime know the score that a new one replaces) and `tracking`.
-- Writes: the projector (projector/analytics/analytics.h, projector/tracking/tracking.h). Reads: query-service, over all ids of a title
-- (read_catalog.aliases).

-- What the community score is made of.
CREATE TABLE read_analytics.votes (
  title           uuid NOT NULL,               -- as the space tracks it
  space_partition smallint NOT NULL,           -- of the log, so that each row has one writer
  score_tenths    smallint NOT NULL,
  votes           bigint NOT NULL,             -- one a participant of an anime that stands
  partition       smallint NOT NULL,
  PRIMARY KEY (title, space_partition, score_tenths)
) WITH (fillfactor = 90);

-- Which anime of a space is a title, under the id that it was added with: two may turn out to be one title.
CREATE TABLE read_tracking.titles (
  watch_space uuid NOT NULL,
  title       uuid NOT NULL,
  anime       uuid NOT NULL,
  partition   smallint NOT NULL,
  PRIMARY KEY (watch_space, title, anime)
);
