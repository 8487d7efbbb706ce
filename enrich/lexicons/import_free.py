"""Writes en.tsv, emoticons.tsv and emoji.tsv from the free lexicons they come from; see README.md for licences.

Usage: python3 import_free.py DIR, where DIR holds vader/vader_lexicon.txt (or .zst) and
emoji/Emoji_Sentiment_Data_v1.0.csv. Standard library only; `zstdcat` for a .zst file.
"""

import csv
import pathlib
import re
import subprocess
import sys

MIN_OCCURRENCES = 50
"""An emoji seen less often in the ranking has no figure worth using."""

FULL_SCALE = 4.0
"""VADER's raters used -4 to 4; the emoji ranking's score of -1 to 1 is stretched to the same."""


def vader(folder: pathlib.Path) -> list[tuple[str, float]]:
    plain = folder / "vader_lexicon.txt"
    if plain.exists():
        text = plain.read_text(encoding="utf-8")
    else:
        command = ["zstdcat", str(plain) + ".zst"]
        text = subprocess.run(command, check=True, capture_output=True).stdout.decode("utf-8")
    rows = [line.split("\t")[:2] for line in text.splitlines() if line.strip()]
    # One spelling a word, without spaces: the tokeniser yields single, lower-case tokens.
    found = {word.lower(): float(mean) for word, mean in rows if " " not in word}
    return sorted(found.items())


def is_word(token: str) -> bool:
    return token[0].isalnum() and re.fullmatch(r"[^\W_][\w'-]*", token) is not None and len(token) > 1


def emoji(folder: pathlib.Path) -> list[tuple[str, float]]:
    counts: dict[str, list[int]] = {}
    with open(folder / "Emoji_Sentiment_Data_v1.0.csv", encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            sums = counts.setdefault(row["Emoji"], [0, 0, 0])
            for at, column in enumerate(("Negative", "Neutral", "Positive")):
                sums[at] += int(row[column])
    scored = []
    for character, (negative, neutral, positive) in counts.items():
        total = negative + neutral + positive
        # Box drawing, digits and Latin punctuation are in the ranking, but are no emoji.
        if total >= MIN_OCCURRENCES and ord(character[0]) >= 0x2600:
            scored.append((character, round(FULL_SCALE * (positive - negative) / total, 1)))
    return sorted(scored)


def write(name: str, first: str, rows: list[tuple[str, float]]) -> None:
    path = pathlib.Path(__file__).with_name(name)
    with open(path, "w", encoding="utf-8", newline="\n") as file:
        file.write(f"{first}\tvalence\n")
        file.writelines(f"{word}\t{valence:g}\n" for word, valence in rows)
    print(f"{path.name}: {len(rows)}")


if __name__ == "__main__":
    source = pathlib.Path(sys.argv[1])
    english = vader(source / "vader")
    write("en.tsv", "word", [row for row in english if is_word(row[0])])
    # The tokeniser meets an emoticon only where no word begins; more than two letters are a word.
    letters = lambda token: sum(character.isalnum() for character in token)
    faces = [row for row in english if not row[0][0].isalnum() and letters(row[0]) <= 2]
    write("emoticons.tsv", "emoticon", faces)
    write("emoji.tsv", "emoji", emoji(source / "emoji"))
