-- Counts per ten seconds, always recomputed from `mentions`, never added up.
CREATE TABLE IF NOT EXISTS {generation}.sentiment_10s
(
    bucket DateTime('UTC') COMMENT 'Start of the ten seconds, by the mentions'' published_at' CODEC(Delta, ZSTD(1)),
    brand LowCardinality(String) COMMENT 'Brand; empty: mentions about no brand; *: all mentions, each once, however many brands it is about',
    source LowCardinality(String) COMMENT 'Source of the mentions',
    language LowCardinality(String) COMMENT 'Detected language of the mentions',
    raw_partition UInt16 COMMENT 'Partition of mentions.raw they come from: each is written by one sink only',
    version UInt64 COMMENT 'Last raw offset seen in that partition times 65536, plus the number of recomputations at that offset: the latest row counts' CODEC(Delta, ZSTD(1)),
    mentions UInt64 COMMENT 'Mentions; 0 where a key has none any more' CODEC(ZSTD(1)),
    negative UInt64 COMMENT 'Of these, negative ones' CODEC(ZSTD(1)),
    neutral UInt64 COMMENT 'Of these, neutral ones' CODEC(ZSTD(1)),
    positive UInt64 COMMENT 'Of these, positive ones' CODEC(ZSTD(1)),
    net Decimal(18, 6) COMMENT 'Sum over the mentions of positive minus negative probability; exact, so that equal mentions give equal sums' CODEC(ZSTD(1)),
    likes UInt64 COMMENT 'Sum of likes, unknown ones as 0' CODEC(ZSTD(1)),
    replies UInt64 COMMENT 'Sum of direct replies, unknown ones as 0' CODEC(ZSTD(1)),
    shares UInt64 COMMENT 'Sum of shares, unknown ones as 0' CODEC(ZSTD(1)),
    reach UInt64 COMMENT 'Sum of people or views reached, unknown ones as 0' CODEC(ZSTD(1))
)
ENGINE = ReplacingMergeTree(version)
PARTITION BY toYYYYMM(bucket)
ORDER BY (bucket, brand, source, language, raw_partition)
SETTINGS index_granularity = 2048
COMMENT 'Mentions and sentiment per ten seconds, brand, source, language and raw partition. Read with FINAL, or through the published sentiment_by_ views';
