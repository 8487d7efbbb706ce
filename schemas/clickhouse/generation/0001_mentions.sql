-- Every mention's latest state, one row per mention once merged or read with FINAL.
--
-- A row always lands on the same (bucket, id): `published_at` is that of the first observation, for
-- ever. So the row with the highest `raw_offset` replaces all others of its mention, and writing a
-- row again changes nothing.
CREATE TABLE IF NOT EXISTS {generation}.mentions
(
    id UUID COMMENT 'Mention id: UUIDv5 of source and native id; the same post is the same id for ever',
    bucket DateTime('UTC') MATERIALIZED toStartOfInterval(toDateTime(published_at, 'UTC'), INTERVAL 10 SECOND) COMMENT 'The ten seconds that the mention is counted in, by published_at' CODEC(Delta, ZSTD(1)),
    published_at DateTime64(3, 'UTC') COMMENT 'When it was published, as its first observation said; never changes. For a tombstone of a mention never seen: when the deletion was observed' CODEC(Delta, ZSTD(1)),
    source LowCardinality(String) COMMENT 'Configured name of the source it comes from',
    native_id String COMMENT 'Id that the source itself uses; empty once erased or unmatched' CODEC(ZSTD(1)),
    text String COMMENT 'Plain text as last observed; empty once erased or unmatched' CODEC(ZSTD(1)),
    title String COMMENT 'Headline, empty where there is none' CODEC(ZSTD(1)),
    url String COMMENT 'Where a person can read it, empty where there is none' CODEC(ZSTD(1)),
    edited_at Nullable(DateTime64(3, 'UTC')) COMMENT 'Last edit at the source, if any' CODEC(ZSTD(1)),
    observed_at DateTime64(3, 'UTC') COMMENT 'When ingest accepted this state' CODEC(Delta, ZSTD(1)),
    enriched_at DateTime64(3, 'UTC') COMMENT 'When enrichment finished; equals observed_at for erased and unmatched ones' CODEC(Delta, ZSTD(1)),
    declared_language LowCardinality(String) COMMENT 'Language tag (BCP 47) that the source declares, empty where it does not',
    language LowCardinality(String) COMMENT 'Detected language, ISO 639-1, or und when unsure',
    language_confidence Float32 COMMENT 'Confidence of the detected language, 0 to 1',
    language_model LowCardinality(String) COMMENT 'Id of the language detector',
    language_model_version LowCardinality(String) COMMENT 'Version of the language detector',
    language_model_hash LowCardinality(String) COMMENT 'First 12 hex digits of the SHA-256 over the language detector''s data',
    polarity Enum8('negative' = -1, 'neutral' = 0, 'positive' = 1) COMMENT 'Most probable sentiment of the whole text',
    negative Float32 COMMENT 'Probability of negative, 0 to 1',
    neutral Float32 COMMENT 'Probability of neutral, 0 to 1',
    positive Float32 COMMENT 'Probability of positive, 0 to 1',
    sentiment_model LowCardinality(String) COMMENT 'Id of the sentiment model',
    sentiment_model_version LowCardinality(String) COMMENT 'Version of the sentiment model',
    sentiment_model_hash LowCardinality(String) COMMENT 'First 12 hex digits of the SHA-256 over the sentiment model''s weights or word list',
    brands Array(LowCardinality(String)) COMMENT 'Brands it is about, each once; empty for none',
    brand_versions Array(LowCardinality(String)) COMMENT 'For each of brands, the version of the definition that matched',
    author String COMMENT 'Author''s pseudonym: keyed hash, the same author gives the same pseudonym; empty where unknown' CODEC(ZSTD(1)),
    author_handle String COMMENT 'Visible handle, only where the operator chose to keep it' CODEC(ZSTD(1)),
    parent_id Nullable(UUID) COMMENT 'The mention that this one answers',
    thread_id Nullable(UUID) COMMENT 'First mention of the conversation',
    likes Nullable(UInt64) COMMENT 'Likes as last counted by the source, NULL where it does not tell' CODEC(ZSTD(1)),
    replies Nullable(UInt64) COMMENT 'Direct replies, NULL where the source does not tell' CODEC(ZSTD(1)),
    shares Nullable(UInt64) COMMENT 'Shares, boosts, reposts, quotes, NULL where the source does not tell' CODEC(ZSTD(1)),
    reach Nullable(UInt64) COMMENT 'People or views reached, NULL where the source does not tell' CODEC(ZSTD(1)),
    tags Array(String) COMMENT 'Hashtags, categories, topics, without #' CODEC(ZSTD(1)),
    country LowCardinality(String) COMMENT 'Country (ISO 3166-1 alpha-2), empty where unknown',
    rating UInt8 COMMENT 'Stars 1 to 5, 0 where there are none',
    internal Bool COMMENT 'True for sources inside the company',
    raw_partition UInt16 COMMENT 'Partition of mentions.raw that holds the event this state was derived from',
    raw_offset UInt64 COMMENT 'Offset in that partition: the version of this row' CODEC(Delta, ZSTD(1)),
    state Enum8('live' = 0, 'unmatched' = 1, 'erased' = 2) COMMENT 'live: counted. unmatched: about no brand any more, may come back. erased: deleted at its source, never comes back',
    is_deleted UInt8 MATERIALIZED state != 'live' COMMENT '1 hides the row from FINAL',
    stored_at DateTime64(3, 'UTC') MATERIALIZED now64(3, 'UTC') COMMENT 'When the sink wrote the row' CODEC(Delta, ZSTD(1)),

    -- Finds a mention by id alone, wherever its time lies: deletes carry no time, and an edit may
    -- carry another one. It is part of every data part, so it can neither lag nor differ.
    PROJECTION by_id
    (
        SELECT id, published_at, raw_offset, state ORDER BY id
    ) WITH SETTINGS (index_granularity = 256),
    -- Analysts filter by `published_at`, the primary key holds `bucket`.
    INDEX published published_at TYPE minmax GRANULARITY 1,

    -- Past these a row would be counted wrongly, so it is refused and becomes a dead letter.
    CONSTRAINT published_at_fits_a_bucket CHECK published_at >= toDateTime64('2000-01-01 00:00:00', 3, 'UTC') AND published_at < toDateTime64('2100-01-01 00:00:00', 3, 'UTC'),
    CONSTRAINT brands_are_names CHECK NOT hasAny(brands, ['', '*']) AND length(brands) = length(brand_versions) AND length(brands) = length(arrayDistinct(brands)),
    CONSTRAINT engagement_adds_up CHECK greatest(ifNull(likes, 0), ifNull(replies, 0), ifNull(shares, 0), ifNull(reach, 0)) <= 1000000000000,
    CONSTRAINT sentiment_is_a_distribution CHECK isFinite(negative + neutral + positive) AND least(negative, neutral, positive) >= 0 AND greatest(negative, neutral, positive) <= 1
)
ENGINE = ReplacingMergeTree(raw_offset, is_deleted)
PARTITION BY toYYYYMM(published_at)
ORDER BY (bucket, id)
SETTINGS
    index_granularity = 2048,
    -- The projection follows its part when rows are replaced by a merge.
    deduplicate_merge_projection_mode = 'rebuild',
    -- Superseded and erased texts are gone from disk within a fortnight: parts older than a week
    -- are merged, whatever their size. The law leaves a month (GDPR, art. 12 (3)).
    min_age_to_force_merge_seconds = 604800,
    min_age_to_force_merge_on_partition_only = 0
COMMENT 'Mentions in their latest state. Read with FINAL, or through the published view of the same name';
