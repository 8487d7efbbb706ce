"""Fine-tunes multilingual-e5-small on posts and labels others with it, for the built-in model to learn from.

usage: teach.py E5_FOLDER DATA SOURCES.tsv LABELS.jsonl [--learn SECONDS] [--label SECONDS]

E5_FOLDER holds model_full.safetensors, pieces.json, scores.npy and meta.json. Embeddings and the lower six layers stay
as they are; the upper six and a head learn in one pass. Seconds are processor time of this process. Seeds are fixed, but
a time limit cuts where it cuts: the labels that shipped weights learned from are named by hash in their model card.
"""

import argparse
import os
import time
from pathlib import Path

os.environ.setdefault("XLA_FLAGS", "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1")

import jax
import jax.numpy as jnp
import numpy as np

import encoder
import texts

SEED = 20261123
LONGEST = 64
FROZEN = 6
BATCH = 32
RATE = 1.5e-4


def batches(ids, size, shuffle=None):
    """Index lists of texts of about the same length; lengths are padded to a multiple of 8."""
    width = [min(LONGEST, -(-len(row) // 8) * 8) for row in ids]
    groups = {}
    out = []
    for at in range(len(ids)):
        group = groups.setdefault(width[at], [])
        group.append(at)
        if len(group) == size:
            out.append((width[at], groups.pop(width[at])))
    out += sorted(groups.items())
    if shuffle is not None:
        shuffle.shuffle(out)
    return out


def padded(ids, rows, width, size):
    block = np.ones((size, width), np.int32)
    for at, row in enumerate(rows):
        block[at, : len(ids[row])] = ids[row]
    block[len(rows) :, 0] = 0
    return block


class Teacher:
    def __init__(self, folder):
        self.tokenizer = encoder.tokenizer(folder)
        self.embeddings, layers = encoder.load(folder)
        heads, eps = self.embeddings["heads"], self.embeddings["eps"]
        self.lower = {name: stack[:FROZEN] for name, stack in layers.items()}
        key = np.random.default_rng(SEED)
        self.free = {
            "upper": {name: stack[FROZEN:] for name, stack in layers.items()},
            "head": {
                "w": jnp.asarray(key.normal(0, 0.02, (384, 3)), jnp.float32),
                "b": jnp.zeros(3, jnp.float32),
            },
        }

        def logits(free, lower, states, mask):
            states = jax.lax.stop_gradient(encoder.encode(lower, states, mask, heads, eps))
            states = encoder.encode(free["upper"], states, mask, heads, eps)
            return encoder.pooled(states, mask) @ free["head"]["w"] + free["head"]["b"]

        def loss(free, lower, states, mask, label, three, weight):
            # Without real neutrals a row says nothing of that class.
            out = logits(free, lower, states, mask)
            out = out + jnp.where(three[:, None], 0.0, jnp.asarray([0.0, -1e9, 0.0]))
            right = jnp.take_along_axis(jax.nn.log_softmax(out), label[:, None], 1)[:, 0]
            return -(right * weight).sum() / weight.sum()

        def step(free, moments, lower, states, mask, label, three, weight, at, rate):
            value, slope = jax.value_and_grad(loss)(free, lower, states, mask, label, three, weight)
            norm = jnp.sqrt(sum((leaf**2).sum() for leaf in jax.tree.leaves(slope)))
            slope = jax.tree.map(lambda leaf: leaf * jnp.minimum(1.0, 1.0 / norm), slope)
            first = jax.tree.map(lambda m, g: 0.9 * m + 0.1 * g, moments[0], slope)
            second = jax.tree.map(lambda m, g: 0.999 * m + 0.001 * g * g, moments[1], slope)
            fix1, fix2 = 1 - 0.9**at, 1 - 0.999**at

            def moved(w, m, v):
                return w - rate * (m / fix1 / (jnp.sqrt(v / fix2) + 1e-8) + 0.01 * w)

            return jax.tree.map(moved, free, first, second), (first, second), value

        self.step = jax.jit(step, donate_argnums=(0, 1))
        self.shares = jax.jit(lambda free, lower, states, mask: jax.nn.softmax(logits(free, lower, states, mask)))

    def ids(self, rows):
        return encoder.ids(self.tokenizer, rows, LONGEST)

    def learn(self, rows, seconds):
        ids = self.ids([row[0] for row in rows])
        plan = batches(ids, BATCH, np.random.default_rng(SEED))
        moments = tuple(jax.tree.map(jnp.zeros_like, self.free) for _ in range(2))
        begun, losses = time.process_time(), []
        for at, (width, chosen) in enumerate(plan, 1):
            # The rate falls with the share of the work or of the time that is done, whichever is more.
            done = max(at / len(plan), (time.process_time() - begun) / seconds)
            if done >= 1:
                break
            states, mask = encoder.embed(self.embeddings, padded(ids, chosen, width, BATCH))
            label, three, weight = np.zeros(BATCH, np.int32), np.ones(BATCH, bool), np.zeros(BATCH, np.float32)
            for place, row in enumerate(chosen):
                label[place], three[place], weight[place] = rows[row][1], rows[row][2], 1
            rate = np.float32(RATE * min(1.0, at / 40) * (1 - done))
            self.free, moments, value = self.step(
                self.free, moments, self.lower, states, mask, label, three, weight, np.float32(at), rate
            )
            losses.append(float(value))
            if at % 50 == 0:
                print(f"batch {at} of {len(plan)}: loss {np.mean(losses[-50:]):.3f}, {time.process_time() - begun:.0f} s", flush=True)

    def label(self, rows, seconds=float("inf"), size=64):
        """Yields (place, shares) in blocks; stops when the time is over."""
        begun = time.process_time()
        for start in range(0, len(rows), 4096):
            block = self.ids(rows[start : start + 4096])
            out = []
            for width, chosen in batches(block, size):
                states, mask = encoder.embed(self.embeddings, padded(block, chosen, width, size))
                shares = np.asarray(self.shares(self.free, self.lower, states, mask))
                out += [(start + row, shares[place]) for place, row in enumerate(chosen)]
            yield sorted(out, key=lambda pair: pair[0])
            if time.process_time() - begun > seconds:
                return


def macro_f1(gold, said):
    scores = []
    for each in range(3):
        hits = sum(g == each == s for g, s in zip(gold, said))
        scores.append(2 * hits / max(1, sum(g == each for g in gold) + sum(s == each for s in said)))
    return sum(scores) / 3


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("e5")
    parser.add_argument("data", type=Path)
    parser.add_argument("sources")
    parser.add_argument("labels", type=Path)
    parser.add_argument("--learn", type=float, default=480)
    parser.add_argument("--label", type=float, default=1000)
    options = parser.parse_args()
    may_use = texts.allowed(options.sources)
    rows = texts.to_learn(options.data, may_use, SEED)
    print(f"{len(rows)} rows to learn from", flush=True)
    teacher = Teacher(options.e5)
    teacher.learn(rows, options.learn)
    for language, held in texts.validation(options.data).items():
        shares = [share for block in teacher.label([text for text, _ in held]) for _, share in block]
        print(f"UMSAB validation {language}: macro-F1 {macro_f1([g for _, g in held], [int(s.argmax()) for s in shares]):.3f}", flush=True)
    options.labels.unlink(missing_ok=True)
    unlabelled = texts.to_label(options.data, may_use, SEED)
    print(f"{len(unlabelled)} texts to label", flush=True)
    for block in teacher.label([text for _, text in unlabelled], options.label):
        texts.write_labels(options.labels, [(*unlabelled[at], shares) for at, shares in block])
        print(f"{block[-1][0] + 1} labelled", flush=True)


if __name__ == "__main__":
    main()
