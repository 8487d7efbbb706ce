CREATE OR REPLACE VIEW {published}.sentiment_by_minute
(
    minute DateTime('UTC') COMMENT 'Start of the minute, by the mentions'' published_at',
    brand LowCardinality(String) COMMENT 'Brand; empty: mentions about no brand; *: all mentions, each once. Never add rows of * to those of other brands',
    source LowCardinality(String) COMMENT 'Source of the mentions',
    language LowCardinality(String) COMMENT 'Detected language of the mentions',
    mentions UInt64 COMMENT 'Mentions',
    negative UInt64 COMMENT 'Of these, negative ones',
    neutral UInt64 COMMENT 'Of these, neutral ones',
    positive UInt64 COMMENT 'Of these, positive ones',
    net_sentiment Float64 COMMENT 'Mean of positive minus negative probability, -1 to 1; when adding rows up, weigh it by mentions',
    likes UInt64 COMMENT 'Sum of likes',
    replies UInt64 COMMENT 'Sum of direct replies',
    shares UInt64 COMMENT 'Sum of shares, boosts, reposts, quotes',
    reach UInt64 COMMENT 'Sum of people or views reached'
)
DEFINER = CURRENT_USER SQL SECURITY DEFINER
AS SELECT
    toStartOfMinute(c.bucket) AS minute,
    brand,
    source,
    language,
    sum(c.mentions) AS mentions,
    sum(c.negative) AS negative,
    sum(c.neutral) AS neutral,
    sum(c.positive) AS positive,
    toFloat64(sum(c.net)) / mentions AS net_sentiment,
    sum(c.likes) AS likes,
    sum(c.replies) AS replies,
    sum(c.shares) AS shares,
    sum(c.reach) AS reach
FROM {generation}.sentiment_10s AS c FINAL
GROUP BY minute, brand, source, language
HAVING mentions > 0
COMMENT 'Mentions and sentiment per minute, brand, source and language';
