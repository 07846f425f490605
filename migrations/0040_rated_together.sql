-- How many anime of a space the same people have rated, by the set of them: pages of groups count over the sets what they counted over all
-- anime. A part of the read model `dashboard`; filled here from the scores that stand, and folded anew by the model's next version.
-- Writes: the projector (projector/dashboard/dashboard.h). Reads: query-service.

CREATE TABLE read_dashboard.rated_together (
  watch_space uuid NOT NULL,
  raters      bytea NOT NULL,              -- their ids in order, sixteen bytes each; two or more
  anime       bigint NOT NULL,
  partition   smallint NOT NULL,
  PRIMARY KEY (watch_space, raters)
) WITH (fillfactor = 90);

INSERT INTO read_dashboard.rated_together
SELECT watch_space, sets.raters, count(*), partition
FROM read_dashboard.anime,
     LATERAL (SELECT string_agg(uuid_send(profile::uuid), ''::bytea ORDER BY profile::uuid) AS raters
              FROM jsonb_object_keys(score_tenths) AS profile) AS sets
WHERE anime.raters >= 2 AND watch_space IS NOT NULL
GROUP BY watch_space, sets.raters, partition;
