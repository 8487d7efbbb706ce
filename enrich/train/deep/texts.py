"""What the teacher learns from and what it labels, in a fixed order. Sources and their terms: ../sources.tsv."""

import csv
import io
import json
import random
import re
from pathlib import Path

import zstandard

MAIN = ("de", "en", "fr", "es", "it", "pt")
POLARITIES = ("negative", "neutral", "positive")
# Rows a source gives to fine-tuning at most, by language, so that no source drowns the others, and what a row weighs.
MOST = {
    "umsab": (9000, 1.5),
    "sb10k": (9000, 1.0),
    "potts": (9000, 1.0),
    "semeval_en": (10000, 1.0),
    "apple_dfe2014": (1500, 0.7),
    "sxsw_brands2013": (1000, 0.5),
    "germeval2017": (1000, 0.5),
    "mozetic_tweets": (2000, 0.6),
    "allocine_nlproc_fr": (1200, 0.4),
    "xed": (700, 0.3),
}
# Of the other languages.
FEW = 250


def normal(text):
    """As XLM-T and the serving path write addresses and handles."""
    text = re.sub(r"https?://\S+|www\.\S+", "http", text)
    return " ".join(re.sub(r"@\w+", "@user", text).split())


def opened(path):
    """A text stream of FILE or FILE.zst."""
    if path.exists():
        return open(path, encoding="utf8", newline="")
    packed = path.with_name(path.name + ".zst")
    return io.TextIOWrapper(zstandard.ZstdDecompressor().stream_reader(open(packed, "rb")), encoding="utf8", newline="")


def allowed(sources):
    """Names of the sources that weights may be made from."""
    with open(sources, encoding="utf8") as file:
        return {row["source"] for row in csv.DictReader(file, delimiter="\t") if row["use"] == "train"}


def pool(data, may_use):
    """Rows (language, source, schema, label, text) of train_pool."""
    for path in sorted((data / "train_pool").iterdir()):
        if ".tsv" not in path.name:
            continue
        language = path.name.split(".")[0]
        with opened(data / "train_pool" / f"{language}.tsv") as file:
            for row in csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE):
                if row["source"] in may_use:
                    yield language, row["source"], row["schema"], row["label"], row["text"]


def to_learn(data, may_use, seed):
    """Shuffled (text, class, has_neutral, weight). The part of GermEval that has neutrals is for class priors."""
    groups = {}
    for language, source, schema, label, text in pool(data, may_use):
        classes = POLARITIES if schema == "3class" else ("negative", "positive")
        european = language not in ("ar", "hi")
        if source in MOST and label in classes and european and (source, schema) != ("germeval2017", "3class"):
            most, weight = MOST[source]
            row = (normal(text), POLARITIES.index(label), schema == "3class", weight)
            groups.setdefault((language, source), (most if language in MAIN else FEW, []))[1].append(row)
    chosen = []
    draw = random.Random(seed)
    for key in sorted(groups):
        most, rows = groups[key]
        draw.shuffle(rows)
        chosen += rows[:most]
    draw.shuffle(chosen)
    return chosen


def to_label(data, may_use, seed):
    """Shuffled (language, text), the main languages first; long reviews by sentence."""
    first, then = [], []
    for language, source, schema, label, text in pool(data, may_use):
        if source == "umsab":
            continue
        if source == "allocine_nlproc_fr":
            parts = [part for part in re.split(r"(?<=[.!?])\s+", text) if 20 <= len(part) <= 280]
            first += [(language, part) for part in parts]
        elif language in MAIN:
            first.append((language, text))
        else:
            then.append((language, text))
    draw = random.Random(seed)
    draw.shuffle(first)
    draw.shuffle(then)
    # English has the most gold labels already.
    english = [row for row in first if row[0] == "en"]
    others = [row for row in first if row[0] != "en"]
    order = others + english[:25_000] + then
    seen, out = set(), []
    for language, text in order:
        text = normal(text)
        if text not in seen:
            seen.add(text)
            out.append((language, text))
    return out


def validation(data):
    """UMSAB's validation parts: {language: [(text, class)]}."""
    names = dict(de="german", en="english", fr="french", es="spanish", it="italian", pt="portuguese")
    sets = {}
    for code, name in names.items():
        with opened(Path(data) / "umsab" / f"{name}.val.tsv") as file:
            rows = csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE)
            sets[code] = [(normal(row["text"]), POLARITIES.index(row["label"])) for row in rows]
    return sets


def write_labels(path, rows):
    """Appends (language, text, three probabilities) as JSON lines."""
    with open(path, "a", encoding="utf8") as file:
        for language, text, shares in rows:
            shares = [round(float(share), 3) for share in shares]
            file.write(json.dumps({"lang": language, "text": text, "p": shares}, ensure_ascii=False) + "\n")
