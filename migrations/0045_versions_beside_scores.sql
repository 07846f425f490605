-- A small space's dashboard is shown from its anime and their scores alone: what else says how new an anime is (its participants' entries) is
-- said beside the scores. A part of the read model `dashboard`; filled here from the entries that there are, and folded anew by the model's
-- next version.
-- Writes: the projector (projector/dashboard/dashboard.h). Reads: query-service.

ALTER TABLE read_dashboard.anime ADD COLUMN version bigint NOT NULL DEFAULT 0;

UPDATE read_dashboard.anime AS d
SET version = e.version
FROM (SELECT anime, max(version) AS version FROM read_tracking.entries GROUP BY anime) AS e
WHERE e.anime = d.anime;
