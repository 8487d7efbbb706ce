CREATE OR REPLACE VIEW {published}.sentiment_by_hour
(
    hour DateTime('UTC') COMMENT 'Start of the hour, by the mentions'' published_at',
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
    reach UInt64 COMMENT 'Sum of people or views reached',
    brand_group LowCardinality(String) COMMENT 'Group of the brand; empty for the empty brand and *',
    owned Bool COMMENT 'Rows of what the brand''s own accounts wrote stand apart; for *, of any brand''s. WHERE NOT owned leaves them out'
)
DEFINER = CURRENT_USER SQL SECURITY DEFINER
AS SELECT
    toStartOfHour(c.bucket) AS hour,
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
    sum(c.reach) AS reach,
    brand_group,
    owned
FROM {generation}.sentiment_10s AS c FINAL
GROUP BY hour, brand, source, language, brand_group, owned
HAVING mentions > 0
COMMENT 'Mentions and sentiment per hour, brand, source, language, and by who wrote. The sentiment of a brand is that of the parts of texts that concern it';
