-- Times of which mentions of a source may be missing.
CREATE TABLE IF NOT EXISTS {published}.source_gaps
(
    source LowCardinality(String) COMMENT 'Name of the source',
    from_time DateTime64(3, 'UTC') COMMENT 'From when',
    to_time Nullable(DateTime64(3, 'UTC')) COMMENT 'Until when; null while it lasts',
    why LowCardinality(String) COMMENT 'outage, rate_limit, clamped_cursor, window, unauthorised or closed',
    caught_up Bool COMMENT 'True when the source told everything afterwards, so that nothing is missing',
    at DateTime64(3, 'UTC') COMMENT 'When ingest wrote this'
)
ENGINE = ReplacingMergeTree(at)
ORDER BY (source, from_time, why)
COMMENT 'Gaps in the coverage of each source. Read with FINAL'
