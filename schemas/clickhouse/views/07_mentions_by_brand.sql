CREATE OR REPLACE VIEW {published}.mentions_by_brand
(
    id UUID COMMENT 'Mention id',
    published_at DateTime64(3, 'UTC') COMMENT 'When it was published',
    source LowCardinality(String) COMMENT 'Configured name of the source',
    language LowCardinality(String) COMMENT 'Detected language',
    brand LowCardinality(String) COMMENT 'Brand: one row for each that the mention is about',
    brand_group LowCardinality(String) COMMENT 'Group of the brand',
    brand_version LowCardinality(String) COMMENT 'Version of the definition that matched',
    owned Bool COMMENT 'True when one of the brand''s own accounts wrote it',
    polarity Enum8('negative' = -1, 'neutral' = 0, 'positive' = 1) COMMENT 'Most probable sentiment of what concerns the brand',
    negative Float32 COMMENT 'Probability of negative, 0 to 1',
    neutral Float32 COMMENT 'Probability of neutral, 0 to 1',
    positive Float32 COMMENT 'Probability of positive, 0 to 1',
    target String COMMENT 'The parts of the text that concern the brand, joined by blanks; all of it for a mention of one brand',
    text String COMMENT 'The whole text',
    title String COMMENT 'Headline, empty where there is none',
    url String COMMENT 'Where a person can read it, empty where there is none',
    author String COMMENT 'Author''s pseudonym, empty where unknown',
    text_group UInt64 COMMENT 'The same for copies, near copies and reposts that one sink stored: uniqExact(text_group) counts distinct texts, a few too many with several sinks',
    spam Float32 COMMENT 'How likely it is spam, 0 to 1: to order by, not measured'
)
DEFINER = CURRENT_USER SQL SECURITY DEFINER
AS SELECT
    id, published_at, source, language,
    b.1 AS brand, b.2 AS brand_group, b.3 AS brand_version, b.4 AS owned,
    b.5 AS polarity, b.6 AS negative, b.7 AS neutral, b.8 AS positive,
    if(empty(b.9), text, arrayStringConcat(arrayMap(part -> substring(text, part.1 + 1, part.2 - part.1), b.9), ' ')) AS target,
    text, title, url, author, text_group, spam
FROM
(
    SELECT
        id, published_at, source, language, text, title, url, author, text_group, spam,
        arrayJoin(arrayZip(brands, brand_groups, brand_versions, brand_owned, brand_polarity, brand_negative, brand_neutral, brand_positive, brand_targets)) AS b
    FROM {generation}.mentions FINAL
)
COMMENT 'Mentions once for each brand they are about, with what each is told';
