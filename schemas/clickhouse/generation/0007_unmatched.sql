-- What a replay from mentions.raw found to be about no brand: mentions.enriched tells of its own day only.
CREATE TABLE IF NOT EXISTS {generation}.unmatched
(
    raw_partition UInt16 COMMENT 'Partition of mentions.raw',
    raw_offset UInt64 COMMENT 'Offset of the raw event in it' CODEC(Delta, ZSTD(1))
)
ENGINE = ReplacingMergeTree
ORDER BY (raw_partition, raw_offset)
COMMENT 'Raw events that a replay from mentions.raw found to be about no brand and did not keep; read by echolot audit';
