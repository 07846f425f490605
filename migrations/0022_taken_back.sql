-- What was taken back stays in its read models and belongs nowhere, so that every keyed page misses it; restored, it is back whole.
-- Writes: the projector (projector/tracking/tracking.h, projector/dashboard/dashboard.h). Reads: query-service.

ALTER TABLE read_tracking.anime ALTER COLUMN watch_space DROP NOT NULL;
ALTER TABLE read_tracking.sessions ALTER COLUMN watch_space DROP NOT NULL, ALTER COLUMN anime DROP NOT NULL;
ALTER TABLE read_dashboard.anime ALTER COLUMN watch_space DROP NOT NULL;
