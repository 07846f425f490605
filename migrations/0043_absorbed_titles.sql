-- Which titles were merged into a title: their ids lead to it also when their references mean another one again. A part of the read model
-- `catalog`; filled here as far as the rows tell, and folded anew by the model's next version.
-- Writes: the projector (projector/catalog/catalog.h). Reads: query-service.

-- ["<title>"]
ALTER TABLE read_catalog.titles ADD COLUMN absorbed jsonb NOT NULL DEFAULT '[]';

UPDATE read_catalog.titles AS t
SET absorbed = m.absorbed
FROM (SELECT merged_into, jsonb_agg(title) AS absorbed FROM read_catalog.titles WHERE merged_into IS NOT NULL GROUP BY merged_into) AS m
WHERE m.merged_into = t.title;

INSERT INTO read_catalog.aliases (alias, title, partition)
SELECT m.title, t.title, t.partition
FROM read_catalog.titles AS m JOIN read_catalog.titles AS t ON t.title = m.merged_into
ON CONFLICT DO NOTHING;
