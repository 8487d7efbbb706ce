"""Labels posts with the fine-tuned encoder, for the built-in model to learn from.

usage: label.py BASE DATA SOURCES.tsv WEIGHTS.safetensors LABELS.jsonl [--threads N] [--most TEXTS]

WEIGHTS is what learn.py wrote. LABELS gets one JSON object a line: lang, text, p (three probabilities).
"""

import argparse
import os
from pathlib import Path

BLOCK = 4096


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("base")
    parser.add_argument("data", type=Path)
    parser.add_argument("sources")
    parser.add_argument("weights", type=Path)
    parser.add_argument("labels", type=Path)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--most", type=int, default=150_000)
    options = parser.parse_args()
    several = "true" if options.threads > 1 else "false"
    # Read when JAX starts, so before it is imported.
    os.environ.setdefault("XLA_FLAGS", f"--xla_cpu_multi_thread_eigen={several} intra_op_parallelism_threads={options.threads}")

    import encoder
    import model
    import texts

    tokenizer = encoder.tokenizer(options.base)
    embeddings, _ = encoder.load(options.base)
    weights = model.load(options.weights)
    rows = texts.to_label(options.data, texts.allowed(options.sources), model.SEED)[: options.most]
    print(f"{len(rows)} texts to label", flush=True)
    options.labels.unlink(missing_ok=True)
    for start in range(0, len(rows), BLOCK):
        block = rows[start : start + BLOCK]
        ids = encoder.ids(tokenizer, [text for _, text in block], model.LONGEST)
        shares = model.shares_of(weights, embeddings, ids)
        texts.write_labels(options.labels, [(*row, share) for row, share in zip(block, shares)])
        print(f"{start + len(block)} labelled", flush=True)


if __name__ == "__main__":
    main()
