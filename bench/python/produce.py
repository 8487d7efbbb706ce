"""The input side: the load's posts, again and again under new ids, straight into Kafka.

Never more than `ahead` mentions before what is counted, as the load of the other pipeline.
"""

import itertools
import signal
import time
import uuid

from backports import zstd

import pipeline

BATCH = 2_000
LOOK_EVERY = 0.5


def main() -> None:
    settings = pipeline.settings()
    loads, dumps, _ = pipeline.library(settings)
    with zstd.open(settings.posts) as lines:
        texts = [loads(line)["text"] for line in lines]
    store, producer = pipeline.store(settings), pipeline.producer(settings)
    namespace = uuid.uuid5(uuid.NAMESPACE_URL, "bench")
    stopping = []
    signal.signal(signal.SIGTERM, lambda *_: stopping.append(True))
    counted, looked_at = 0, 0.0
    for first in itertools.count(0, BATCH):
        while not stopping and (first + BATCH > counted + settings.ahead):
            time.sleep(max(0.0, looked_at + LOOK_EVERY - time.monotonic()))
            looked_at = time.monotonic()
            counted = store.command(
                f"SELECT sum(mentions) FROM {settings.database}.minute_counts WHERE brand = '*'"
            )
        if stopping:
            break
        now = time.time_ns() // 1_000_000
        for number in range(first, first + BATCH):
            native_id = str(number)
            key = str(uuid.uuid5(namespace, native_id))
            mention = {
                "id": key,
                "source": "bench",
                "native_id": native_id,
                "text": texts[number % len(texts)],
                "published_at": now,
                "observed_at": now,
            }
            pipeline.send(producer, settings.raw, dumps(mention), key)
        producer.poll(0)
    producer.flush()


if __name__ == "__main__":
    main()
