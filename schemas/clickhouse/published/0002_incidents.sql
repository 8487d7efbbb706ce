-- Every change of every incident. It outlives generations: what was told stays told.
CREATE TABLE IF NOT EXISTS {published}.incidents
(
    incident UUID COMMENT 'Incident id: UUIDv5 of brand, kind and opening minute',
    step UInt32 COMMENT 'Number of the change: 0 opened, then each escalation, 4294967295 closed',
    brand LowCardinality(String) COMMENT 'Brand',
    kind LowCardinality(String) COMMENT 'negative, positive, volume, silence or threshold',
    phase LowCardinality(String) COMMENT 'opened, escalated or closed',
    severity LowCardinality(String) COMMENT 'warning, high or critical: the worst so far',
    at DateTime('UTC') COMMENT 'Minute of the change',
    opened_at DateTime('UTC') COMMENT 'Minute in which the incident was opened',
    started_at DateTime('UTC') COMMENT 'First minute of the window that made it fire',
    window_minutes UInt32 COMMENT 'Length of that window',
    observed Float64 COMMENT 'Counts in the window that speak for it: for negative ones at most one for each author and text',
    expected Float64 COMMENT 'What was expected in the window',
    chance Float64 COMMENT 'Chance of that, were nothing the matter',
    share Float64 COMMENT 'Share of them among the mentions of the window, not a number for silence',
    usual_share Float64 COMMENT 'The usual share',
    authors UInt32 COMMENT 'Different authors of the negative ones in the window, about',
    peak Float64 COMMENT 'Highest count of such a window so far',
    why String COMMENT 'What stands out, as JSON: terms, top mentions, sources, languages, first mention',
    noted_at DateTime64(3, 'UTC') DEFAULT now64(3, 'UTC') COMMENT 'When it was noted'
)
ENGINE = ReplacingMergeTree(noted_at)
ORDER BY (incident, step)
COMMENT 'Incidents, one row for each change. Read with FINAL; noting a change again changes nothing';
