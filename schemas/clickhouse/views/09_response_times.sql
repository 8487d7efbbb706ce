CREATE OR REPLACE VIEW {published}.response_times
(
    id UUID COMMENT 'Mention id of the question',
    published_at DateTime64(3, 'UTC') COMMENT 'When it was asked',
    source LowCardinality(String) COMMENT 'Source where it was asked',
    language LowCardinality(String) COMMENT 'Detected language',
    brands Array(LowCardinality(String)) COMMENT 'Brands it is about; arrayJoin(brands) gives one row for each',
    tags Array(String) COMMENT 'Hashtags, categories, topics, without #',
    internal Bool COMMENT 'True for sources inside the company',
    answers UInt64 COMMENT 'Direct answers by anyone but who asked; 0 while it is unanswered',
    first_answer_at Nullable(DateTime64(3, 'UTC')) COMMENT 'When the first of them was published, NULL while there is none',
    seconds_to_answer Nullable(Float64) COMMENT 'How long that took, in seconds; NULL while there is none',
    first_own_answer_at Nullable(DateTime64(3, 'UTC')) COMMENT 'When an own account of a brand first answered, NULL while none did',
    seconds_to_own_answer Nullable(Float64) COMMENT 'How long that took, in seconds; NULL while none did'
)
DEFINER = CURRENT_USER SQL SECURITY DEFINER
AS WITH
    arrayFilter(answer -> answer.1 = '' OR answer.1 != q.author, a.said) AS others,
    arrayFilter(answer -> answer.3, others) AS own
SELECT
    q.id AS id,
    q.published_at AS published_at,
    q.source AS source,
    q.language AS language,
    q.brands AS brands,
    q.tags AS tags,
    q.internal AS internal,
    length(others) AS answers,
    if(empty(others), NULL, arrayMin(answer -> answer.2, others)) AS first_answer_at,
    -- Not by greatest alone, which takes NULL for the smaller one.
    if(empty(others), NULL, greatest(0, dateDiff('millisecond', q.published_at, first_answer_at)) / 1000) AS seconds_to_answer,
    if(empty(own), NULL, arrayMin(answer -> answer.2, own)) AS first_own_answer_at,
    if(empty(own), NULL, greatest(0, dateDiff('millisecond', q.published_at, first_own_answer_at)) / 1000) AS seconds_to_own_answer
FROM
(
    SELECT id, published_at, source, language, brands, tags, internal, author
    FROM {published}.mentions
    WHERE question
) AS q
LEFT JOIN
(
    SELECT assumeNotNull(parent_id) AS question, groupArray((author, published_at, has(brand_owned, true))) AS said
    FROM {generation}.mentions FINAL
    WHERE isNotNull(parent_id)
    GROUP BY question
) AS a ON a.question = q.id
COMMENT 'Every question by others, and how long it took until it was answered. It tells of questions, never of who answered'
