-- A recap begins with the first session of its first day and ends with the last of its last, however many the day has.
-- Writes: the projector. Reads: query-service.

CREATE INDEX ON read_recaps.evenings (watch_space, day, session_date, session);
DROP INDEX read_recaps.evenings_watch_space_day_idx;
