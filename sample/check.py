#!/usr/bin/env python3
"""Validate the shipped sample and print its counts.

Reads posts.ndjson, gold.tsv, brands.toml and README.md from this folder.
Prints the counts and exits 0, or prints one `file:line: fault` per fault and
exits 1. Needs Python 3.11 or later and nothing else.
"""

import json
import re
import sys
import tomllib
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

HERE = Path(__file__).parent

SOURCES = ("forum", "ideas", "bluesky", "mastodon", "news", "reviews")
LABELS = ("negative", "neutral", "positive")
LEAST_POSTS = 640
LEAST_PER_LANGUAGE = {"de": 330, "en": 100, "fr": 50, "es": 50, "it": 50, "pt": 50}
SHARE_OUTSIDE_INCIDENT = {"negative": (0.30, 0.40), "neutral": (0.30, 0.40), "positive": (0.25, 0.35)}
LONGEST_TEXT = 2000

FIRST = datetime(2026, 6, 1, tzinfo=UTC)
LAST = datetime(2026, 6, 14, 23, 59, 59, tzinfo=UTC)
INCIDENT_BRAND = "tramio"
INCIDENT_START = datetime(2026, 6, 10, 14, tzinfo=UTC)
INCIDENT_END = datetime(2026, 6, 10, 20, tzinfo=UTC)
LEAST_SPIKE = 10  # negative posts in the incident, as a multiple of the same hours on the busiest other day

REQUIRED = {
    "id": str, "source": str, "published_at": str, "language": str, "author": str, "text": str,
    "url": str, "thread": str, "engagement": dict, "tags": list,
}
OPTIONAL = {"title": str, "parent": str}
GOLD_COLUMNS = ["source", "id", "label", "brands", "language"]

URL = re.compile(r"\w+://[^\s<>\"']+")
HANDLE = re.compile(r"[a-z0-9_]{3,40}")


class Faults:
    """Collects faults as `file:line: what`; the line is 0 for the file as a whole."""

    def __init__(self):
        self.lines = []

    def add(self, file, line, what):
        self.lines.append(f"{file}:{line}: {what}")


def read_lines(name, faults):
    """The file's lines; reports a missing file and a missing or extra line end."""
    path = HERE / name
    try:
        content = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        faults.add(name, 0, f"cannot be read: {error}")
        return []
    if not content.endswith("\n"):
        faults.add(name, content.count("\n") + 1, "the last line has no line end")
    return content.removesuffix("\n").split("\n")


def read_brands(faults):
    """The brands' names. Their queries are checked by `echolot brands check` and a test of enrich."""
    try:
        brands = tomllib.loads((HERE / "brands.toml").read_text(encoding="utf-8"))["brand"]
        return [brand["name"] for brand in brands]
    except (OSError, tomllib.TOMLDecodeError, KeyError, TypeError) as error:
        faults.add("brands.toml", 0, f"is not a list of brands with names: {error!r}")
        return []


def read_posts(faults):
    """Parsed posts as (line number, post); lines that are not a well-formed post are reported and left out."""
    posts = []
    for number, line in enumerate(read_lines("posts.ndjson", faults), 1):
        try:
            post = json.loads(line)
        except json.JSONDecodeError as error:
            faults.add("posts.ndjson", number, f"is not JSON: {error}")
            continue
        wrong = shape_faults(post)
        for what in wrong:
            faults.add("posts.ndjson", number, what)
        if not wrong:
            posts.append((number, post))
    return posts


def shape_faults(post):
    """What is wrong with the fields of one post, without looking at other posts."""
    if not isinstance(post, dict):
        return ["is not a JSON object"]
    known = REQUIRED | OPTIONAL
    wrong = [f"field {name!r} is missing" for name in REQUIRED if name not in post]
    wrong += [f"field {name!r} is unknown" for name in post if name not in known]
    wrong += [
        f"field {name!r} is not a {kind.__name__}"
        for name, kind in known.items()
        if name in post and not isinstance(post[name], kind)
    ]
    if wrong:
        return wrong

    if post["source"] not in SOURCES:
        wrong.append(f"source {post['source']!r} is unknown")
    if post["language"] not in LEAST_PER_LANGUAGE:
        wrong.append(f"language {post['language']!r} is unknown")
    if not HANDLE.fullmatch(post["author"]):
        wrong.append(f"author {post['author']!r} is not a handle of a-z, 0-9 and _")
    if not post["text"].strip():
        wrong.append("text is empty")
    if len(post["text"]) > LONGEST_TEXT:
        wrong.append(f"text has {len(post['text'])} characters, at most {LONGEST_TEXT} are allowed")
    counts = post["engagement"]
    if set(counts) != {"likes", "replies", "shares"} or any(type(n) is not int or n < 0 for n in counts.values()):
        wrong.append("engagement is not likes, replies and shares as whole numbers from 0")
    if not all(isinstance(tag, str) and tag for tag in post["tags"]) or len(set(post["tags"])) != len(post["tags"]):
        wrong.append("tags is not a list of distinct, non-empty strings")
    for url in [post["url"], *URL.findall(post["text"])]:
        parts = urlsplit(url)
        if parts.scheme != "https" or not (parts.hostname or "").endswith(".example"):
            wrong.append(f"url {url!r} is not https under .example")
    try:
        if not FIRST <= published(post) <= LAST:
            wrong.append(f"published_at {post['published_at']} is outside {FIRST:%Y-%m-%d} to {LAST:%Y-%m-%d}")
    except ValueError:
        wrong.append(f"published_at {post['published_at']!r} is not YYYY-MM-DDTHH:MM:SSZ")
    return wrong


def published(post):
    return datetime.strptime(post["published_at"], "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)


def check_together(posts, faults):
    """Order, uniqueness and threads: what one post alone cannot show."""
    seen, texts, previous = {}, {}, FIRST
    children = Counter((post["source"], post["parent"]) for _, post in posts if "parent" in post)
    for number, post in posts:
        def fault(what, number=number):
            faults.add("posts.ndjson", number, what)

        key = (post["source"], post["id"])
        if key in seen:
            fault(f"id {post['id']!r} is already used in source {post['source']}")
        if published(post) < previous:
            fault("is older than the line before")
        previous = published(post)

        text = " ".join(post["text"].casefold().split())
        if text in texts:
            fault(f"has the same text as line {texts[text]}")
        texts.setdefault(text, number)

        if "parent" in post:
            parent = seen.get((post["source"], post["parent"]))
            if parent is None:
                fault(f"parent {post['parent']!r} is not an earlier post of source {post['source']}")
            elif parent["thread"] != post["thread"]:
                fault(f"thread is {post['thread']!r}, its parent's is {parent['thread']!r}")
        elif post["thread"] != post["id"]:
            fault("has no parent, so its thread must be its own id")
        if post["engagement"]["replies"] < children[key]:
            fault(f"engagement tells {post['engagement']['replies']} replies, the sample holds {children[key]}")
        seen.setdefault(key, post)


def read_gold(posts, brands, faults):
    """Gold rows as (label, brand names), one per post, in the order of the posts."""
    lines = read_lines("gold.tsv", faults)
    if not lines or lines[0].split("\t") != GOLD_COLUMNS:
        faults.add("gold.tsv", 1, f"header is not {GOLD_COLUMNS}")
        return []
    if len(lines) - 1 != len(posts):
        faults.add("gold.tsv", len(lines), f"has {len(lines) - 1} rows for {len(posts)} well-formed posts")
        return []
    gold = []
    for number, (line, (post_line, post)) in enumerate(zip(lines[1:], posts, strict=True), 2):
        cells = line.split("\t")
        if len(cells) != len(GOLD_COLUMNS):
            faults.add("gold.tsv", number, f"has {len(cells)} columns, not {len(GOLD_COLUMNS)}")
            continue
        source, native_id, label, names, language = cells
        if (source, native_id, language) != (post["source"], post["id"], post["language"]):
            faults.add("gold.tsv", number, f"is not about the post in posts.ndjson:{post_line}")
        if label not in LABELS:
            faults.add("gold.tsv", number, f"label {label!r} is unknown")
        talked_about = names.split(",") if names else []
        if len(set(talked_about)) != len(talked_about) or not set(talked_about) <= set(brands):
            faults.add("gold.tsv", number, f"brands {names!r} are not distinct names of brands.toml")
        gold.append((label, talked_about))
    return gold


def in_incident(post):
    return INCIDENT_START <= published(post) < INCIDENT_END


def check_amounts(posts, gold, faults):
    """Enough posts, languages in proportion, labels in balance, and one incident that stands out."""
    if len(posts) < LEAST_POSTS:
        faults.add("posts.ndjson", 0, f"holds {len(posts)} posts, at least {LEAST_POSTS} are wanted")
    languages = Counter(post["language"] for _, post in posts)
    for language, least in LEAST_PER_LANGUAGE.items():
        if languages[language] < least:
            faults.add("posts.ndjson", 0, f"holds {languages[language]} posts in {language}, at least {least} are wanted")

    usual = Counter(label for (_, post), (label, _) in zip(posts, gold, strict=True) if not in_incident(post))
    for label, (least, most) in SHARE_OUTSIDE_INCIDENT.items():
        share = usual[label] / max(1, usual.total())
        if not least <= share <= most:
            faults.add("gold.tsv", 0, f"{share:.1%} of the posts outside the incident are {label}, wanted {least:.0%} to {most:.0%}")

    same_hours = negative_by_day(posts, gold)
    incident = same_hours.pop(INCIDENT_START.date(), 0)
    busiest = max(same_hours.values(), default=0)
    if incident < LEAST_SPIKE * max(1, busiest):
        faults.add("gold.tsv", 0, f"{incident} negative posts in the incident, {busiest} in the same hours of another day: no spike")


def negative_by_day(posts, gold):
    """Date -> negative posts about the incident's brand in the incident's hours of that day."""
    return Counter(
        published(post).date()
        for (_, post), (label, names) in zip(posts, gold, strict=True)
        if label == "negative" and INCIDENT_BRAND in names
        and INCIDENT_START.hour <= published(post).hour < INCIDENT_END.hour
    )


def table(title, rows, labels_of):
    """A Markdown table of label counts, one line per row name."""
    lines = [f"| {title} | posts | negative | neutral | positive |", "|---|---:|---:|---:|---:|"]
    for row in rows:
        labels = Counter(labels_of(row))
        lines.append(f"| {row} | {labels.total()} | " + " | ".join(str(labels[label]) for label in LABELS) + " |")
    return lines


def report(posts, gold, brands):
    """The counts as Markdown, as README.md shows them."""
    both = list(zip((post for _, post in posts), gold, strict=True))
    spans = {
        "incident": [label for post, (label, _) in both if in_incident(post)],
        "other hours": [label for post, (label, _) in both if not in_incident(post)],
        "all": [label for label, _ in gold],
    }
    by_brand = {name: [label for label, names in gold if name in names] for name in brands}
    by_brand["(none)"] = [label for label, names in gold if not names]
    sections = [
        table("hours", spans, spans.__getitem__),
        table("language", LEAST_PER_LANGUAGE, lambda row: [g[0] for post, g in both if post["language"] == row]),
        table("source", SOURCES, lambda row: [g[0] for post, g in both if post["source"] == row]),
        table("brand", by_brand, by_brand.__getitem__),
    ]
    return "\n\n".join("\n".join(section) for section in sections)


def main():
    faults = Faults()
    brands = read_brands(faults)
    posts = read_posts(faults)
    check_together(posts, faults)
    gold = read_gold(posts, brands, faults)
    if len(gold) == len(posts):
        check_amounts(posts, gold, faults)
        counts = report(posts, gold, brands)
        print(counts)
        if counts not in "\n".join(read_lines("README.md", faults)):
            faults.add("README.md", 0, "does not show these counts: replace its tables with the ones printed above")
    for line in faults.lines:
        print(line, file=sys.stderr)
    return 1 if faults.lines else 0


if __name__ == "__main__":
    sys.exit(main())
