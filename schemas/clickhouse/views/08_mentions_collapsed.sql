CREATE OR REPLACE VIEW {published}.mentions_collapsed
(
    text_group UInt64 COMMENT 'Group of copies, near copies and reposts',
    id UUID COMMENT 'The original: first published, a repost only where nothing else is stored',
    published_at DateTime64(3, 'UTC') COMMENT 'When the original was published',
    last_published_at DateTime64(3, 'UTC') COMMENT 'When the last of the group was published',
    source LowCardinality(String) COMMENT 'Source of the original',
    author String COMMENT 'Pseudonym of the original''s author, empty where unknown',
    text String COMMENT 'Text of the original',
    brands Array(LowCardinality(String)) COMMENT 'Brands that any of the group is about',
    mentions UInt64 COMMENT 'Mentions of the group, the original included',
    reposts UInt64 COMMENT 'Of these, texts that say they repeat another: RT @name',
    copies UInt64 COMMENT 'Of these, neither original nor repost',
    wordings UInt64 COMMENT 'Different texts among them, by their words',
    authors UInt64 COMMENT 'Different authors, where known',
    spam Float32 COMMENT 'Highest spam score of the group, 0 to 1',
    spam_reasons Array(LowCardinality(String)) COMMENT 'Reasons given for any of the group'
)
DEFINER = CURRENT_USER SQL SECURITY DEFINER
AS SELECT
    text_group,
    argMin(m.id, (repost, m.published_at, m.id)) AS id,
    argMin(m.published_at, (repost, m.published_at, m.id)) AS published_at,
    max(m.published_at) AS last_published_at,
    argMin(m.source, (repost, m.published_at, m.id)) AS source,
    argMin(m.author, (repost, m.published_at, m.id)) AS author,
    argMin(m.text, (repost, m.published_at, m.id)) AS text,
    arraySort(groupUniqArrayArray(m.brands)) AS brands,
    count() AS mentions,
    countIf(repost) AS reposts,
    mentions - 1 - (reposts - if(reposts = mentions, 1, 0)) AS copies,
    uniqExact(text_hash) AS wordings,
    uniqExactIf(m.author, m.author != '') AS authors,
    max(m.spam) AS spam,
    arraySort(groupUniqArrayArray(m.spam_reasons)) AS spam_reasons
FROM {generation}.mentions AS m FINAL
GROUP BY text_group
COMMENT 'Every distinct text once, with how often it was said: copies, near copies and reposts collapsed into the original. Nothing is left out';
