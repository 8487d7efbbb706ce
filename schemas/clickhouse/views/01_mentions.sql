CREATE OR REPLACE VIEW {published}.mentions
(
    id UUID COMMENT 'Mention id: the same post is the same id for ever',
    published_at DateTime64(3, 'UTC') COMMENT 'When it was published, as its first observation said',
    source LowCardinality(String) COMMENT 'Configured name of the source',
    native_id String COMMENT 'Id that the source itself uses',
    text String COMMENT 'Plain text as last observed',
    title String COMMENT 'Headline, empty where there is none',
    url String COMMENT 'Where a person can read it, empty where there is none',
    edited_at Nullable(DateTime64(3, 'UTC')) COMMENT 'Last edit at the source, if any',
    observed_at DateTime64(3, 'UTC') COMMENT 'When this state was accepted',
    language LowCardinality(String) COMMENT 'Detected language, ISO 639-1, or und when unsure',
    language_confidence Float32 COMMENT 'Confidence of the detected language, 0 to 1',
    declared_language LowCardinality(String) COMMENT 'Language tag (BCP 47) that the source declares, empty where it does not',
    polarity Enum8('negative' = -1, 'neutral' = 0, 'positive' = 1) COMMENT 'Most probable sentiment',
    negative Float32 COMMENT 'Probability of negative, 0 to 1',
    neutral Float32 COMMENT 'Probability of neutral, 0 to 1',
    positive Float32 COMMENT 'Probability of positive, 0 to 1',
    brands Array(LowCardinality(String)) COMMENT 'Brands it is about; arrayJoin(brands) gives one row for each',
    author String COMMENT 'Author''s pseudonym, empty where unknown',
    author_handle String COMMENT 'Visible handle, only where the operator chose to keep it',
    parent_id Nullable(UUID) COMMENT 'The mention that this one answers',
    thread_id Nullable(UUID) COMMENT 'First mention of the conversation',
    likes Nullable(UInt64) COMMENT 'Likes, NULL where the source does not tell',
    replies Nullable(UInt64) COMMENT 'Direct replies, NULL where the source does not tell',
    shares Nullable(UInt64) COMMENT 'Shares, boosts, reposts, quotes, NULL where the source does not tell',
    reach Nullable(UInt64) COMMENT 'People or views reached, NULL where the source does not tell',
    tags Array(String) COMMENT 'Hashtags, categories, topics, without #',
    country LowCardinality(String) COMMENT 'Country (ISO 3166-1 alpha-2), empty where unknown',
    rating UInt8 COMMENT 'Stars 1 to 5, 0 where there are none',
    internal Bool COMMENT 'True for sources inside the company'
)
DEFINER = CURRENT_USER SQL SECURITY DEFINER
AS SELECT
    id, published_at, source, native_id, text, title, url, edited_at, observed_at,
    language, language_confidence, declared_language,
    polarity, negative, neutral, positive, brands,
    author, author_handle, parent_id, thread_id,
    likes, replies, shares, reach, tags, country, rating, internal
FROM {generation}.mentions FINAL
COMMENT 'Every mention that counts, in its latest state, once';
