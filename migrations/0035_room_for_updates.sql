-- Room for the new versions of rows that ratings rewrite. A projector that has a backlog writes most rows of a page in one transaction: with
-- a tenth of the page free few of them find room there, and the others cost a new entry in every index. Only pages filled from now on are
-- emptier; rebuilds take the setting along.
-- Writes: the projector. Reads: query-service.

ALTER TABLE read_tracking.entries SET (fillfactor = 50);
ALTER TABLE read_dashboard.anime SET (fillfactor = 50);
ALTER TABLE read_dashboard.pairs SET (fillfactor = 50);
ALTER TABLE read_analytics.anime SET (fillfactor = 50);
ALTER TABLE read_analytics.scores SET (fillfactor = 50);
