CREATE OR REPLACE VIEW {published}.score_provenance
(
    id UUID COMMENT 'Mention id',
    published_at DateTime64(3, 'UTC') COMMENT 'When it was published',
    raw_partition UInt16 COMMENT 'Partition of mentions.raw that holds the event the scores were derived from',
    raw_offset UInt64 COMMENT 'Offset in that partition',
    observed_at DateTime64(3, 'UTC') COMMENT 'When ingest accepted that event',
    enriched_at DateTime64(3, 'UTC') COMMENT 'When it was scored',
    stored_at DateTime64(3, 'UTC') COMMENT 'When the scores were stored',
    language LowCardinality(String) COMMENT 'Detected language',
    language_confidence Float32 COMMENT 'Its confidence, 0 to 1',
    language_model LowCardinality(String) COMMENT 'Id of the language detector',
    language_model_version LowCardinality(String) COMMENT 'Its version',
    language_model_hash LowCardinality(String) COMMENT 'First 12 hex digits of the SHA-256 over its data',
    polarity Enum8('negative' = -1, 'neutral' = 0, 'positive' = 1) COMMENT 'Most probable sentiment',
    negative Float32 COMMENT 'Probability of negative, 0 to 1',
    neutral Float32 COMMENT 'Probability of neutral, 0 to 1',
    positive Float32 COMMENT 'Probability of positive, 0 to 1',
    sentiment_model LowCardinality(String) COMMENT 'Id of the sentiment model',
    sentiment_model_version LowCardinality(String) COMMENT 'Its version',
    sentiment_model_hash LowCardinality(String) COMMENT 'First 12 hex digits of the SHA-256 over its weights or word list',
    brands Array(LowCardinality(String)) COMMENT 'Brands it is about',
    brand_versions Array(LowCardinality(String)) COMMENT 'For each of brands, the version of the definition that matched'
)
DEFINER = CURRENT_USER SQL SECURITY DEFINER
AS SELECT
    id, published_at, raw_partition, raw_offset, observed_at, enriched_at, stored_at,
    language, language_confidence, language_model, language_model_version, language_model_hash,
    polarity, negative, neutral, positive,
    sentiment_model, sentiment_model_version, sentiment_model_hash, brands, brand_versions
FROM {generation}.mentions FINAL
COMMENT 'Where every score comes from: the raw event, the models and the brand definitions behind it';
