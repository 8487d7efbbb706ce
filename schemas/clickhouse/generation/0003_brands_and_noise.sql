-- What each brand's own part of a mention says, and what there is of copies and spam.
--
-- The expressions give rows from before these columns what a mention of one brand has.
ALTER TABLE {generation}.mentions
    ADD COLUMN IF NOT EXISTS brand_groups Array(LowCardinality(String)) DEFAULT brands COMMENT 'For each of brands, the group inside which its share of voice is compared',
    ADD COLUMN IF NOT EXISTS brand_owned Array(Bool) DEFAULT arrayMap(b -> false, brands) COMMENT 'For each of brands, whether one of its own accounts wrote the mention',
    ADD COLUMN IF NOT EXISTS brand_targets Array(Array(Tuple(UInt32, UInt32))) DEFAULT arrayMap(b -> CAST([], 'Array(Tuple(UInt32, UInt32))'), brands) COMMENT 'For each of brands, the parts of the text that concern it: first byte and the byte behind the last, from 0; none: all of it' CODEC(ZSTD(1)),
    ADD COLUMN IF NOT EXISTS brand_polarity Array(Enum8('negative' = -1, 'neutral' = 0, 'positive' = 1)) DEFAULT arrayMap(b -> polarity, brands) COMMENT 'For each of brands, the most probable sentiment of its parts',
    ADD COLUMN IF NOT EXISTS brand_negative Array(Float32) DEFAULT arrayMap(b -> negative, brands) COMMENT 'For each of brands, the probability of negative, 0 to 1',
    ADD COLUMN IF NOT EXISTS brand_neutral Array(Float32) DEFAULT arrayMap(b -> neutral, brands) COMMENT 'For each of brands, the probability of neutral, 0 to 1',
    ADD COLUMN IF NOT EXISTS brand_positive Array(Float32) DEFAULT arrayMap(b -> positive, brands) COMMENT 'For each of brands, the probability of positive, 0 to 1',
    ADD COLUMN IF NOT EXISTS text_hash UInt64 DEFAULT cityHash64(id) COMMENT 'Hash of the words: equal for texts that differ only in case, signs, links and names' CODEC(ZSTD(1)),
    ADD COLUMN IF NOT EXISTS text_group UInt64 DEFAULT cityHash64(id) COMMENT 'text_hash of the first text of which this one is a copy, nearly a copy, or a repost: uniqExact(text_group) counts distinct texts' CODEC(ZSTD(1)),
    ADD COLUMN IF NOT EXISTS repost Bool DEFAULT false COMMENT 'True for a text that says it repeats another: RT @name',
    ADD COLUMN IF NOT EXISTS spam Float32 DEFAULT 0 COMMENT 'How likely it is spam, 0 to 1, by the reasons beside: to order by, not measured. Nothing is left out because of it',
    ADD COLUMN IF NOT EXISTS spam_reasons Array(LowCardinality(String)) DEFAULT [] COMMENT 'Why it may be spam: accounts, campaign, hashtags, hidden, link_farm, repeated_by_author, shouting'
