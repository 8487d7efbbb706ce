"""The classifier on the encoder: loss, steps, scores, files. B texts, T tokens (a multiple of 8), H = 384, C = 3."""

import jax
import jax.numpy as jnp
import numpy as np
from safetensors.numpy import load_file, save_file

import encoder

SEED = 20261124
LONGEST = 64


def head(draw):
    return {"w": jnp.asarray(draw.normal(0, 0.02, (384, 3)), jnp.float32), "b": jnp.zeros(3, jnp.float32)}


def smoothed(label, has_neutral, part):
    """Shares (C,) to learn: `part` of them is spread over the classes that the source tells apart."""
    classes = (0, 1, 2) if has_neutral else (0, 2)
    shares = np.zeros(3, np.float32)
    shares[list(classes)] = part / len(classes)
    shares[label] += 1 - part
    return shares


def batches(ids, size, shuffle=None):
    """(width, places) of texts of about the same length; widths are multiples of 8."""
    order = np.arange(len(ids)) if shuffle is None else shuffle.permutation(len(ids))
    groups, out = {}, []
    for at in order:
        width = min(LONGEST, -(-len(ids[at]) // 8) * 8)
        group = groups.setdefault(width, [])
        group.append(int(at))
        if len(group) == size:
            out.append((width, groups.pop(width)))
    out += sorted(groups.items())
    if shuffle is not None:
        shuffle.shuffle(out)
    return out


def padded(ids, rows, width, size):
    """Ids (size, width), padded with 1; rows that are missing hold one `<s>`."""
    block = np.ones((size, width), np.int32)
    for at, row in enumerate(rows):
        block[at, : len(ids[row])] = ids[row]
    block[len(rows) :, 0] = 0
    return block


def logits(weights, frozen, states, mask, kept, heads, eps):
    """Logits (B, C). The lowest `frozen` layers learn nothing."""
    if frozen:
        lower = {name: stack[:frozen] for name, stack in weights["layers"].items()}
        states = jax.lax.stop_gradient(encoder.encode(lower, states, mask, heads, eps))
    upper = {name: stack[frozen:] for name, stack in weights["layers"].items()}
    states = encoder.encode(upper, states, mask, heads, eps)
    return (encoder.pooled(states, mask) * kept) @ weights["head"]["w"] + weights["head"]["b"]


def stepper(embeddings, frozen):
    """One step of AdamW (Loshchilov and Hutter 2019), gradients clipped to norm 1."""
    heads, eps = embeddings["heads"], embeddings["eps"]

    def loss(free, states, mask, kept, gold, three, weight):
        out = logits(free, frozen, states, mask, kept, heads, eps)
        # Without real neutrals a row says nothing of that class.
        out = out + jnp.where(three[:, None], 0.0, jnp.asarray([0.0, -1e9, 0.0]))
        right = jnp.where(gold > 0, gold * jax.nn.log_softmax(out), 0.0).sum(1)
        return -(right * weight).sum() / weight.sum()

    def step(free, moments, states, mask, kept, gold, three, weight, at, rate):
        value, slope = jax.value_and_grad(loss)(free, states, mask, kept, gold, three, weight)
        norm = jnp.sqrt(sum((leaf**2).sum() for leaf in jax.tree.leaves(slope)))
        slope = jax.tree.map(lambda leaf: leaf * jnp.minimum(1.0, 1.0 / norm), slope)
        first = jax.tree.map(lambda m, g: 0.9 * m + 0.1 * g, moments[0], slope)
        second = jax.tree.map(lambda m, g: 0.999 * m + 0.001 * g * g, moments[1], slope)
        fix1, fix2 = 1 - 0.9**at, 1 - 0.999**at

        def moved(w, m, v):
            # Where nothing was ever learned, nothing decays either.
            return w - rate * (m / fix1 / (jnp.sqrt(v / fix2) + 1e-8) + jnp.where(v > 0, 0.01 * w, 0.0))

        return jax.tree.map(moved, free, first, second), (first, second), value

    return jax.jit(step, donate_argnums=(0, 1))


_SHARES = jax.jit(
    lambda weights, states, mask, heads, eps: jax.nn.softmax(logits(weights, 0, states, mask, 1.0, heads, eps)),
    static_argnums=(3, 4),
)


def shares_of(weights, embeddings, ids, size=64):
    """Probabilities (texts, C)."""
    out = np.zeros((len(ids), 3), np.float32)
    for width, chosen in batches(ids, size):
        states, mask = encoder.embed(embeddings, padded(ids, chosen, width, size))
        out[chosen] = np.asarray(_SHARES(weights, states, mask, embeddings["heads"], embeddings["eps"]))[: len(chosen)]
    return out


def save(path, weights):
    flat = {f"layers.{name}": np.asarray(stack) for name, stack in weights["layers"].items()}
    flat |= {f"head.{name}": np.asarray(part) for name, part in weights["head"].items()}
    save_file(flat, path)


def load(path):
    found = {"layers": {}, "head": {}}
    for name, part in load_file(path).items():
        group, rest = name.split(".", 1)
        found[group][rest] = jnp.asarray(part)
    return found


def macro_f1(gold, said):
    gold, said = np.asarray(gold), np.asarray(said)
    scores = []
    for each in range(3):
        hits = ((gold == each) & (said == each)).sum()
        scores.append(2 * hits / max(1, (gold == each).sum() + (said == each).sum()))
    return float(np.mean(scores))
