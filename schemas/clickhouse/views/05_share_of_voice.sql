CREATE OR REPLACE VIEW {published}.share_of_voice
(
    day Date COMMENT 'Day (UTC), by the mentions'' published_at',
    brand LowCardinality(String) COMMENT 'Brand',
    mentions UInt64 COMMENT 'Mentions of the brand',
    share Float64 COMMENT 'Mentions of the brand divided by those of all brands on that day, 0 to 1; a mention of two brands counts for both',
    net_sentiment Float64 COMMENT 'Mean of positive minus negative probability, -1 to 1'
)
DEFINER = CURRENT_USER SQL SECURITY DEFINER
AS SELECT
    toDate(c.bucket) AS day,
    brand,
    sum(c.mentions) AS mentions,
    mentions / sum(mentions) OVER (PARTITION BY day) AS share,
    toFloat64(sum(c.net)) / mentions AS net_sentiment
FROM {generation}.sentiment_10s AS c FINAL
WHERE brand NOT IN ('', '*')
GROUP BY day, brand
HAVING mentions > 0
COMMENT 'How much of what is said about brands is about each of them, per day';
