"""Fine-tunes multilingual-e5-small to say how a post is meant: negative, neutral or positive.

usage: learn.py BASE DATA SOURCES.tsv OUT.safetensors [--threads N] [--upper ROUNDS] [--whole ROUNDS]

BASE is what base.py made. Embeddings stay as they are. First the upper six layers and a head learn, since a head that
knows nothing would spoil the layers below; then all twelve, slowly. What is kept is the running mean of the weights.
Products are in bfloat16 with sums in float32. Seeds are fixed, and so is the number of steps.
"""

import argparse
import os
import time
from pathlib import Path

import numpy as np

BATCH = 32
DROPPED = 0.1
SMOOTHED = 0.05
MEAN_OVER = 400
EVERY = 250


def arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("base")
    parser.add_argument("data", type=Path)
    parser.add_argument("sources")
    parser.add_argument("out", type=Path)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--upper", type=float, default=0.7, help="rounds over the rows for the upper half")
    parser.add_argument("--whole", type=float, default=1.8, help="rounds for all layers")
    return parser.parse_args()


def learn(options):
    import jax
    import jax.numpy as jnp

    import encoder
    import model
    import texts

    may_use = texts.allowed(options.sources)
    tokenizer = encoder.tokenizer(options.base)
    embeddings, layers = encoder.load(options.base)
    draw = np.random.default_rng(model.SEED)
    free = {"layers": layers, "head": model.head(draw)}
    rows = texts.to_learn(options.data, may_use, model.SEED)
    ids = encoder.ids(tokenizer, [row[0] for row in rows], model.LONGEST)
    held = {
        language: (encoder.ids(tokenizer, [text for text, _ in part], model.LONGEST), [gold for _, gold in part])
        for language, part in texts.validation(options.data).items()
    }
    print(f"{len(rows)} rows to learn from", flush=True)

    def judged(weights):
        scores = {}
        for language, (block, gold) in held.items():
            shares = model.shares_of(weights, embeddings, block)
            scores[language] = model.macro_f1(gold, shares.argmax(1))
        mean = np.mean(list(scores.values()))
        print("validation", " ".join(f"{k} {v:.3f}" for k, v in scores.items()), f"mean {mean:.4f}", flush=True)

    stages = [("upper", options.upper, 6, 1.5e-4), ("whole", options.whole, 0, 6e-5)]
    mean = None
    for name, rounds, frozen, rate in stages:
        plan = [batch for _ in range(int(np.ceil(rounds))) for batch in model.batches(ids, BATCH, draw)]
        plan = plan[: int(len(plan) * rounds / max(1, np.ceil(rounds)))]
        step = model.stepper(embeddings, frozen)
        moments = tuple(jax.tree.map(jnp.zeros_like, free) for _ in range(2))
        begun, losses = time.time(), []
        for at, (width, chosen) in enumerate(plan, 1):
            states, mask = encoder.embed(embeddings, model.padded(ids, chosen, width, BATCH))
            states = states * (draw.random(states.shape, np.float32) >= DROPPED) / np.float32(1 - DROPPED)
            kept = (draw.random((BATCH, 384), np.float32) >= DROPPED) / np.float32(1 - DROPPED)
            gold, weight = np.zeros((BATCH, 3), np.float32), np.zeros(BATCH, np.float32)
            three = np.ones(BATCH, bool)
            for place, row in enumerate(chosen):
                _, label, three[place], weight[place] = rows[row]
                gold[place] = model.smoothed(label, three[place], SMOOTHED)
            now = np.float32(rate * min(1.0, at / 100) * max(0.02, 1 - at / len(plan)))
            free, moments, value = step(free, moments, states, mask, kept, gold, three, weight, np.float32(at), now)
            losses.append(float(value))
            if at % EVERY == 0 or at == len(plan):
                print(f"{name} {at} of {len(plan)}: loss {np.mean(losses[-EVERY:]):.4f}, {time.time() - begun:.0f} s", flush=True)
            if name == "whole" and at > len(plan) // 4 and at % 10 == 0:
                part = 10 / MEAN_OVER
                mean = jax.tree.map(jnp.array, free) if mean is None else jax.tree.map(lambda m, w: m + part * (w - m), mean, free)
            if at % (4 * EVERY) == 0 or at == len(plan):
                judged(free)
                if mean is not None:
                    judged(mean)
                model.save(options.out, mean if mean is not None else free)
    print(f"written to {options.out}")


if __name__ == "__main__":
    given = arguments()
    # Read when JAX starts, so before it is imported.
    several = "true" if given.threads > 1 else "false"
    os.environ.setdefault("XLA_FLAGS", f"--xla_cpu_multi_thread_eigen={several} intra_op_parallelism_threads={given.threads}")
    learn(given)
