-- What an undo brings back is as it was, also when: each time that an anime was finished with the events that say whether that stands, and
-- the month of a score that was cleared or replaced. Filled here as far as the rows and the log tell; folded anew by the models' next
-- versions.
-- Writes: the projector (projector/analytics/analytics.h, projector/recaps/recaps.h). Reads: the projector.

-- [{"position", "by": profile, "at", "stands", "saidBy": [events]}], in their order
ALTER TABLE read_analytics.anime ADD COLUMN finishes jsonb NOT NULL DEFAULT '[]';

UPDATE read_analytics.anime AS a
SET finishes = jsonb_build_array(jsonb_build_object(
  'position', a.finished_position,
  'by', a.finished_by,
  'at', to_char(a.finished_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'),
  'stands', true,
  'saidBy', jsonb_build_array(e.event_id)))
FROM log.events AS e
WHERE e.position = a.finished_position;

ALTER TABLE read_analytics.anime DROP COLUMN finished_by, DROP COLUMN finished_at, DROP COLUMN finished_position;

-- {"<profile>": [{"endedBy": event, "month": when it was given, 0 if not known}]}
ALTER TABLE read_recaps.anime ADD COLUMN former_scores jsonb NOT NULL DEFAULT '{}';
