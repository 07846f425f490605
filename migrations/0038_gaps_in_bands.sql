-- The widest gaps of a space are found by bands of two and a half points: within a band a page sorts, from band to band it walks the index. The
-- gap itself is in no index, so a score that changes rewrites its gap in place (heap-only tuples) unless the gap leaves its band; before, each
-- changed score cost an entry in both indexes of the table.
-- Writes: the projector. Reads: query-service.

ALTER TABLE read_dashboard.gaps ADD COLUMN band smallint NOT NULL GENERATED ALWAYS AS (gap_tenths / 25) STORED;
DROP INDEX read_dashboard.gaps_watch_space_gap_tenths_anime_idx;
CREATE INDEX ON read_dashboard.gaps (watch_space, band);
ALTER TABLE read_dashboard.gaps SET (fillfactor = 50);
