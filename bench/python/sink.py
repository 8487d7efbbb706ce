"""Writes enriched mentions into the store and adds them to the minute counts.

Offsets are committed after both. What dies in between is counted again: plain at-least-once.
"""

from collections import Counter
from datetime import datetime, timezone
from uuid import UUID

import pipeline

MENTIONS = [
    "id", "published_at", "source", "native_id", "text", "language", "language_confidence",
    "negative", "neutral", "positive", "compound", "brands",
]
COUNTS = ["minute", "brand", "language", "mentions", "negative", "neutral", "positive"]
POLARITIES = ("negative", "neutral", "positive")
MINUTE = 60_000


def instant(millis: int) -> datetime:
    return datetime.fromtimestamp(millis / 1000, timezone.utc)


def main() -> None:
    settings = pipeline.settings()
    consumer = pipeline.consumer(settings, "python-sink", settings.enriched)
    store = pipeline.store(settings)
    loads, _, _ = pipeline.library(settings)
    for batch in pipeline.batches(consumer, 20_000, 0.2):
        if not batch:
            continue
        mentions = [loads(message.value()) for message in batch]
        counts = Counter()
        for mention in mentions:
            minute = mention["published_at"] // MINUTE * MINUTE
            for brand in ("*", *(mention["brands"] or ("",))):
                counts[minute, brand, mention["language"], mention["polarity"]] += 1
            mention["published_at"] = instant(mention["published_at"])
            mention["id"] = UUID(mention["id"])
        columns = [[mention[name] for mention in mentions] for name in MENTIONS]
        store.insert(
            f"{settings.database}.mentions", columns, column_names=MENTIONS, column_oriented=True
        )
        rows = [
            [instant(minute), brand, language, count, *(count * (polarity == p) for p in POLARITIES)]
            for (minute, brand, language, polarity), count in counts.items()
        ]
        store.insert(f"{settings.database}.minute_counts", rows, column_names=COUNTS)
        consumer.commit(asynchronous=False)


if __name__ == "__main__":
    main()
