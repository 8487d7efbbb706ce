CREATE OR REPLACE VIEW {published}.share_of_voice
(
    day Date COMMENT 'Day (UTC), by the mentions'' published_at',
    brand LowCardinality(String) COMMENT 'Brand',
    mentions UInt64 COMMENT 'Mentions of the brand by others: what its own accounts wrote is left out',
    share Float64 COMMENT 'Mentions of the brand divided by those of all brands on that day, 0 to 1; a mention of two brands counts for both',
    net_sentiment Float64 COMMENT 'Mean of positive minus negative probability of what concerns the brand, -1 to 1',
    brand_group LowCardinality(String) COMMENT 'Group of the brand; its own name where its file names none',
    group_share Float64 COMMENT 'Mentions of the brand divided by those of the brands of its group on that day, 0 to 1'
)
DEFINER = CURRENT_USER SQL SECURITY DEFINER
AS SELECT
    toDate(c.bucket) AS day,
    brand,
    sum(c.mentions) AS mentions,
    mentions / sum(mentions) OVER (PARTITION BY day) AS share,
    toFloat64(sum(c.net)) / mentions AS net_sentiment,
    brand_group,
    mentions / sum(mentions) OVER (PARTITION BY day, brand_group) AS group_share
FROM {generation}.sentiment_10s AS c FINAL
WHERE brand NOT IN ('', '*') AND NOT owned
GROUP BY day, brand, brand_group
HAVING mentions > 0
COMMENT 'How much of what others say about brands is about each of them, per day, among all and inside of its group';
