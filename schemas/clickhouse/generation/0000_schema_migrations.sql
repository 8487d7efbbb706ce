-- First of all, so that every other migration can be noted here.
CREATE TABLE IF NOT EXISTS {generation}.schema_migrations
(
    number UInt32 COMMENT 'Number at the head of the migration''s file name',
    name String COMMENT 'File name without its number',
    sha256 FixedString(64) COMMENT 'SHA-256 of the file, hexadecimal: an applied migration never changes',
    applied_at DateTime64(3, 'UTC') DEFAULT now64(3, 'UTC') COMMENT 'When it was applied'
)
ENGINE = ReplacingMergeTree(applied_at)
ORDER BY number
COMMENT 'Migrations that were applied to this generation';
