-- Counts apart by group and by who wrote: what a brand says of itself is no voice about it. Rows from
-- before have no group and are replaced when their buckets are next recomputed.
ALTER TABLE {generation}.sentiment_10s
    ADD COLUMN IF NOT EXISTS brand_group LowCardinality(String) COMMENT 'Group of the brand; empty for the empty brand and *',
    ADD COLUMN IF NOT EXISTS owned Bool COMMENT 'True for mentions that the brand''s own accounts wrote; for *, those of any brand''s',
    MODIFY ORDER BY (bucket, brand, source, language, raw_partition, brand_group, owned)
