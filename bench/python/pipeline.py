"""What the processes of the Python pipeline share: settings, clients, the wish to stop.

    produce.py -> raw -> enrich.py (one per core) -> enriched -> sink.py -> mentions, minute_counts

Every process is called with one argument, a JSON file:

    {"brokers", "clickhouse_host", "clickhouse_port", "user", "password_file",
     "posts", "brands", "partitions", "ahead", "variant"}

`variant` is one of those in tools.py; each has topics and tables of its own.
"""

import json
import pathlib
import signal
import sys
from dataclasses import dataclass

import clickhouse_connect
from confluent_kafka import Consumer, KafkaException, Producer

import tools


@dataclass(frozen=True)
class Settings:
    brokers: str
    clickhouse_host: str
    clickhouse_port: int
    user: str
    password_file: str
    posts: str
    brands: str
    partitions: int
    ahead: int
    variant: str

    @property
    def raw(self) -> str:
        return f"python.{self.variant}.raw"

    @property
    def enriched(self) -> str:
        return f"python.{self.variant}.enriched"

    @property
    def database(self) -> str:
        return f"echolot_python_{self.variant}"


def settings() -> Settings:
    return Settings(**json.loads(pathlib.Path(sys.argv[1]).read_text()))


def library(settings: Settings):
    """(loads, dumps, language of a text with its confidence)."""
    return tools.VARIANTS[settings.variant]()


def store(settings: Settings):
    return clickhouse_connect.get_client(
        host=settings.clickhouse_host,
        port=settings.clickhouse_port,
        username=settings.user,
        password=pathlib.Path(settings.password_file).read_text().strip(),
    )


def producer(settings: Settings) -> Producer:
    return Producer(
        {
            "bootstrap.servers": settings.brokers,
            "acks": "all",
            "enable.idempotence": True,
            "compression.type": "lz4",
            "linger.ms": 20,
            "queue.buffering.max.messages": 500_000,
        }
    )


def consumer(settings: Settings, group: str, topic: str) -> Consumer:
    client = Consumer(
        {
            "bootstrap.servers": settings.brokers,
            "group.id": f"{group}-{settings.variant}",
            "enable.auto.commit": False,
            "auto.offset.reset": "earliest",
            "queued.max.messages.kbytes": 32_768,
        }
    )
    client.subscribe([topic])
    return client


def send(producer: Producer, topic: str, value: bytes, key: bytes | str, **place: int) -> None:
    """Queues a record; waits while the queue is full."""
    while True:
        try:
            producer.produce(topic, value, key, on_delivery=_require_delivery, **place)
            return
        except BufferError:
            producer.poll(0.1)


def _require_delivery(error, _message) -> None:
    if error is not None:
        raise KafkaException(error)


def batches(consumer: Consumer, most: int, wait: float):
    """Batches of messages until told to stop; an empty one when nothing came in time."""
    stopping = []
    signal.signal(signal.SIGTERM, lambda *_: stopping.append(True))
    while not stopping:
        batch = consumer.consume(most, wait)
        for message in batch:
            if message.error():
                raise KafkaException(message.error())
        yield batch
    consumer.close()
