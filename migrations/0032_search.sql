-- How search finds the titles that have changed: those of each partition beyond the checkpoint of that partition that it last saw (a feed
-- by partition folds them at different speeds).
-- Writes: nobody but Postgres. Reads: query-service (query-service/search/catalog_rows.cpp).

CREATE INDEX ON read_catalog.titles (partition, position);
