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
    internal Bool COMMENT 'True for sources inside the company',
    brand_groups Array(LowCardinality(String)) COMMENT 'For each of brands, the group inside which its share of voice is compared',
    brand_owned Array(Bool) COMMENT 'For each of brands, whether one of its own accounts wrote the mention',
    brand_polarity Array(Enum8('negative' = -1, 'neutral' = 0, 'positive' = 1)) COMMENT 'For each of brands, the sentiment of what concerns it; mentions_by_brand has one row for each',
    text_group UInt64 COMMENT 'The same for copies, near copies and reposts that one sink stored: uniqExact(text_group) counts distinct texts, a few too many with several sinks; mentions_collapsed has one row for each',
    repost Bool COMMENT 'True for a text that says it repeats another: RT @name',
    spam Float32 COMMENT 'How likely it is spam, 0 to 1, by the reasons beside: to order by, not measured',
    spam_reasons Array(LowCardinality(String)) COMMENT 'Why it may be spam: accounts, campaign, hashtags, hidden, link_farm, repeated_by_author, shouting'
)
DEFINER = CURRENT_USER SQL SECURITY DEFINER
AS SELECT
    id, published_at, source, native_id, text, title, url, edited_at, observed_at,
    language, language_confidence, declared_language,
    polarity, negative, neutral, positive, brands,
    author, author_handle, parent_id, thread_id,
    likes, replies, shares, reach, tags, country, rating, internal,
    brand_groups, brand_owned, brand_polarity, text_group, repost, spam, spam_reasons
FROM {generation}.mentions FINAL
COMMENT 'Every mention that counts, in its latest state, once';
