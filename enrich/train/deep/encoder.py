"""multilingual-e5-small in JAX: reads Hugging Face-named safetensors, mean pooling, a three-class head.

Shapes: B texts, T tokens (a multiple of 8), H = 384. Reference: Wang et al. 2024, Multilingual E5 Text Embeddings.
"""

import json

import jax
import jax.numpy as jnp
import numpy as np
from safetensors.numpy import load_file
from tokenizers import Regex, Tokenizer, models, normalizers, pre_tokenizers

LAYER_PARTS = {
    "q": "attention.self.query",
    "k": "attention.self.key",
    "v": "attention.self.value",
    "o": "attention.output.dense",
    "n1": "attention.output.LayerNorm",
    "i": "intermediate.dense",
    "f": "output.dense",
    "n2": "output.LayerNorm",
}


def vocabulary(folder):
    """Pieces and their scores, by id."""
    pieces = json.load(open(f"{folder}/pieces.json", encoding="utf8"))
    return pieces, np.load(f"{folder}/scores.npy").tolist()


def tokenizer(folder):
    """The unigram tokenizer of XLM-R, with its two special tokens added by `ids`."""
    return made(*vocabulary(folder))


def made(pieces, scores):
    """A unigram tokenizer (Kudo 2018) of these pieces."""
    out = Tokenizer(models.Unigram(list(zip(pieces, scores)), unk_id=pieces.index("<unk>"), byte_fallback=False))
    out.normalizer = normalizers.Sequence(
        [normalizers.NFKC(), normalizers.Replace(Regex(r"[\x00-\x1f\u200b]+"), " "), normalizers.Replace(Regex(" {2,}"), " ")]
    )
    out.pre_tokenizer = pre_tokenizers.Metaspace(replacement="▁", prepend_scheme="always")
    return out


def ids(made, texts, longest, ends=True):
    """Token ids of each text, at most `longest`, `<s>` and `</s>` included; `ends`: they are added here."""
    out = []
    for at in range(0, len(texts), 10_000):
        for encoding in made.encode_batch(texts[at : at + 10_000]):
            inner = encoding.ids if ends else encoding.ids[1:-1]
            out.append([0, *inner[: longest - 2], 2])
    return out


def load(folder):
    """Embeddings (NumPy, so that only the rows in use reach JAX) and the twelve layers, stacked."""
    meta = json.load(open(f"{folder}/meta.json", encoding="utf8"))
    raw = load_file(f"{folder}/model_full.safetensors")
    name = "bert.embeddings."
    embeddings = {
        "word": raw[name + "word_embeddings.weight"],
        "place": raw[name + "position_embeddings.weight"] + raw[name + "token_type_embeddings.weight"][0],
        "norm": (raw[name + "LayerNorm.weight"], raw[name + "LayerNorm.bias"]),
        "eps": meta["eps"],
        "heads": meta["NH"],
    }
    layers = {}
    for short, long in LAYER_PARTS.items():
        for part in ("weight", "bias"):
            stack = [raw[f"bert.encoder.layer.{layer}.{long}.{part}"] for layer in range(meta["NL"])]
            layers[f"{short}.{part}"] = jnp.asarray(np.stack(stack))
    return embeddings, layers


def embed(embeddings, batch):
    """Input states (B, T, H) and mask (B, T) of padded ids; the padding id is 1."""
    states = embeddings["word"][batch] + embeddings["place"][: batch.shape[1]]
    states = _norm_numpy(states, *embeddings["norm"], embeddings["eps"])
    return states.astype(np.float32), batch != 1


def _norm_numpy(x, weight, bias, eps):
    centred = x - x.mean(-1, keepdims=True)
    return centred / np.sqrt((centred**2).mean(-1, keepdims=True) + eps) * weight + bias


def _norm(x, weight, bias, eps):
    centred = x - x.mean(-1, keepdims=True)
    return centred * jax.lax.rsqrt((centred**2).mean(-1, keepdims=True) + eps) * weight + bias


@jax.custom_vjp
def product(x, weight):
    """x (N, in) by weight (out, in), transposed: factors in bfloat16, sums in float32, backwards too."""
    return _product(x.astype(jnp.bfloat16), weight.astype(jnp.bfloat16).T)


def _product(left, right):
    return jnp.dot(left, right, preferred_element_type=jnp.float32)


def _product_forward(x, weight):
    x, weight = x.astype(jnp.bfloat16), weight.astype(jnp.bfloat16)
    return _product(x, weight.T), (x, weight)


def _product_backward(saved, slope):
    x, weight = saved
    slope = slope.astype(jnp.bfloat16)
    return _product(slope, weight), _product(slope.T, x)


product.defvjp(_product_forward, _product_backward)


def encode(layers, states, mask, heads, eps):
    """States after these layers, each (B, T, H)."""
    count, tokens, width = states.shape
    bias = jnp.where(mask, 0.0, -1e9)[:, None, None, :]

    def split(x):
        return x.reshape(count, tokens, heads, width // heads).transpose(0, 2, 1, 3)

    def step(x, layer):
        def dense(x, part):
            flat = product(x.reshape(-1, x.shape[-1]), layer[f"{part}.weight"])
            return flat.reshape(*x.shape[:-1], -1) + layer[f"{part}.bias"]

        q, k, v = (split(dense(x, part)) for part in "qkv")
        weights = jax.nn.softmax(q @ k.transpose(0, 1, 3, 2) / np.sqrt(width // heads) + bias)
        seen = (weights @ v).transpose(0, 2, 1, 3).reshape(count, tokens, width)
        x = _norm(x + dense(seen, "o"), layer["n1.weight"], layer["n1.bias"], eps)
        inner = jax.nn.gelu(dense(x, "i"), approximate=False)
        return _norm(x + dense(inner, "f"), layer["n2.weight"], layer["n2.bias"], eps), None

    return jax.lax.scan(step, states, layers)[0]


def pooled(states, mask):
    """Mean over the tokens that are there."""
    there = mask[..., None].astype(states.dtype)
    return (states * there).sum(1) / there.sum(1)
