CREATE OR REPLACE VIEW {published}.mentions_collapsed
(
    text_group UInt64 COMMENT 'Group of copies, near copies and reposts: the smallest that any of its mentions was stored with',
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
    w.least_group AS text_group,
    argMin(w.id, w.rank) AS id,
    argMin(w.published_at, w.rank) AS published_at,
    max(w.last_published_at) AS last_published_at,
    argMin(w.source, w.rank) AS source,
    argMin(w.author, w.rank) AS author,
    argMin(w.text, w.rank) AS text,
    arraySort(groupUniqArrayArray(w.brands)) AS brands,
    sum(w.mentions) AS mentions,
    sum(w.reposts) AS reposts,
    mentions - 1 - (reposts - if(reposts = mentions, 1, 0)) AS copies,
    count() AS wordings,
    uniqExactIfMerge(w.authors) AS authors,
    max(w.spam) AS spam,
    arraySort(groupUniqArrayArray(w.spam_reasons)) AS spam_reasons
FROM
(
    -- Every wording once. Two sinks may have put the same wording into two groups.
    SELECT
        min(m.text_group) AS least_group,
        min((m.repost, m.published_at, m.id)) AS rank,
        argMin(m.id, (m.repost, m.published_at, m.id)) AS id,
        argMin(m.published_at, (m.repost, m.published_at, m.id)) AS published_at,
        max(m.published_at) AS last_published_at,
        argMin(m.source, (m.repost, m.published_at, m.id)) AS source,
        argMin(m.author, (m.repost, m.published_at, m.id)) AS author,
        argMin(m.text, (m.repost, m.published_at, m.id)) AS text,
        groupUniqArrayArray(m.brands) AS brands,
        count() AS mentions,
        countIf(m.repost) AS reposts,
        uniqExactIfState(m.author, m.author != '') AS authors,
        max(m.spam) AS spam,
        groupUniqArrayArray(m.spam_reasons) AS spam_reasons
    FROM {generation}.mentions AS m FINAL
    GROUP BY m.text_hash
) AS w
GROUP BY w.least_group
COMMENT 'Every distinct text once, with how often it was said: copies, near copies and reposts collapsed into the original. Nothing is left out'
