"""Adds language, sentiment and brands to what stands on the raw topic."""

import re
import time
import tomllib

from vaderSentiment.vaderSentiment import SentimentIntensityAnalyzer

import pipeline

COMMIT_EVERY = 1.0
# Where VADER's authors put the borders of neutral.
NEUTRAL_BELOW = 0.05


def brand_finder(path: str):
    with open(path, "rb") as file:
        brands = tomllib.load(file)["brand"]
    by_keyword = {
        keyword.strip('"'): brand["name"]
        for brand in brands
        for keyword in brand["query"].split(" OR ")
    }
    words = "|".join(re.escape(keyword) for keyword in sorted(by_keyword, key=len, reverse=True))
    pattern = re.compile(rf"\b(?:{words})\b")

    def find(text: str) -> list[str]:
        return sorted({by_keyword[keyword] for keyword in pattern.findall(text.lower())})

    return find


def main() -> None:
    settings = pipeline.settings()
    consumer = pipeline.consumer(settings, "python-enrich", settings.raw)
    producer = pipeline.producer(settings)
    loads, dumps, language = pipeline.library(settings)
    score, find_brands = SentimentIntensityAnalyzer().polarity_scores, brand_finder(settings.brands)
    committed, open_batches = time.monotonic(), False
    for batch in pipeline.batches(consumer, 2_000, 0.05):
        for message in batch:
            mention = loads(message.value())
            text = mention["text"]
            scores = score(text)
            compound = scores["compound"]
            mention["language"], mention["language_confidence"] = language(text)
            mention["negative"] = scores["neg"]
            mention["neutral"] = scores["neu"]
            mention["positive"] = scores["pos"]
            mention["compound"] = compound
            mention["polarity"] = (
                "neutral" if abs(compound) < NEUTRAL_BELOW
                else "positive" if compound > 0 else "negative"
            )
            mention["brands"] = find_brands(text)
            pipeline.send(
                producer, settings.enriched, dumps(mention), message.key(),
                partition=message.partition(),
            )
        producer.poll(0)
        open_batches = open_batches or bool(batch)
        if open_batches and time.monotonic() - committed >= COMMIT_EVERY:
            producer.flush()
            consumer.commit(asynchronous=False)
            committed, open_batches = time.monotonic(), False


if __name__ == "__main__":
    main()
