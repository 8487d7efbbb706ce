-- How well each source is covered, so that "no mentions" is never taken for "source down".
CREATE TABLE IF NOT EXISTS {published}.source_coverage
(
    source LowCardinality(String) COMMENT 'Name of the source',
    at DateTime64(3, 'UTC') COMMENT 'When ingest wrote this',
    state LowCardinality(String) COMMENT 'ok: it answers. failing: it does not and is asked again. stopped: it is not asked until an operator mends it',
    detail String COMMENT 'Why it is not well; empty when it is',
    last_success Nullable(DateTime64(3, 'UTC')) COMMENT 'When it last answered and all it said was safe',
    newest Nullable(DateTime64(3, 'UTC')) COMMENT 'Publication time of the newest mention it ever told',
    lag_seconds Nullable(Float64) COMMENT 'Age of the newest mention in the last page that held any, when it was observed',
    accepted UInt64 COMMENT 'Events accepted since the source was first seen',
    rejected UInt64 COMMENT 'What it said that was no mention',
    lost UInt64 COMMENT 'Mentions known to be missing'
)
ENGINE = ReplacingMergeTree(at)
ORDER BY source
COMMENT 'Coverage of each source, newest state. Read with FINAL'
