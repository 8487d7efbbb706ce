-- Which projections there are. The views beside this table show the promoted one.
CREATE TABLE IF NOT EXISTS {published}.generations
(
    generation UInt32 COMMENT 'Number of the generation; its tables are in the database of that number',
    state Enum8('building' = 0, 'promoted' = 1, 'retired' = 2, 'dropped' = 3) COMMENT 'building: being filled. promoted: shown by the views. retired: was promoted before. dropped: its database is gone',
    changed_at DateTime64(6, 'UTC') DEFAULT now64(6, 'UTC') COMMENT 'When it came into this state'
)
ENGINE = ReplacingMergeTree(changed_at)
ORDER BY generation
COMMENT 'Generations of the projection. Read with FINAL';
