"""Creates the topics and tables of the Python pipeline."""

from confluent_kafka.admin import AdminClient, NewTopic

import pipeline

TABLES = """
CREATE DATABASE {database};
CREATE TABLE {database}.mentions
(
    id UUID,
    published_at DateTime64(3, 'UTC'),
    source LowCardinality(String),
    native_id String,
    text String,
    language LowCardinality(String),
    language_confidence Float32,
    negative Float32,
    neutral Float32,
    positive Float32,
    compound Float32,
    brands Array(LowCardinality(String))
)
ENGINE = MergeTree ORDER BY published_at;
CREATE TABLE {database}.minute_counts
(
    minute DateTime('UTC'),
    brand LowCardinality(String),
    language LowCardinality(String),
    mentions UInt64,
    negative UInt64,
    neutral UInt64,
    positive UInt64
)
ENGINE = SummingMergeTree ORDER BY (minute, brand, language)
"""


def main() -> None:
    settings = pipeline.settings()
    admin = AdminClient({"bootstrap.servers": settings.brokers})
    topics = [
        NewTopic(name, num_partitions=settings.partitions, replication_factor=1)
        for name in (settings.raw, settings.enriched)
    ]
    for created in admin.create_topics(topics).values():
        created.result()
    store = pipeline.store(settings)
    for statement in TABLES.format(database=settings.database).split(";"):
        store.command(statement)


if __name__ == "__main__":
    main()
