"""Packs a fine-tuned encoder into the folder that the deep tier reads.

usage: ship.py BASE DATA SOURCES.tsv WEIGHTS.safetensors FOLDER --version V [--tokens N]

Keeps the N tokens that posts use most, rounds every matrix to whole numbers (i8, one factor for each row, so the
largest weight of a row is 127), and fits the calibration on UMSAB's validation parts: one temperature for all and, for
each language, what is added to negative and positive. Writes config.json, tokenizer.json, model.safetensors,
echolot.toml and SHA256SUMS.
"""

import argparse
import collections
import hashlib
import json
import os
from pathlib import Path

os.environ.setdefault("XLA_FLAGS", "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1")

import numpy as np
from safetensors.numpy import save_file
from tokenizers import processors

import encoder
import model
import texts

NAME = "e5-small-social"
POSITIONS = 128
CERTAIN_FROM = 0.5


def kept_tokens(tokenizer, posts, most):
    """Ids to keep, ascending: the specials and what is used most."""
    counts = collections.Counter()
    for at in range(0, len(posts), 20_000):
        for encoding in tokenizer.encode_batch(posts[at : at + 20_000]):
            counts.update(encoding.ids)
    keep = set(range(4))
    for token, _ in counts.most_common():
        if len(keep) >= most:
            break
        keep.add(token)
    keep = sorted(keep)
    share = sum(counts[token] for token in keep) / sum(counts.values())
    print(f"{len(keep)} of {tokenizer.get_vocab_size()} tokens kept: {share:.4%} of all that posts use", flush=True)
    return keep


def whole(matrix):
    """(i8, factor of each row)."""
    factor = np.maximum(np.abs(matrix).max(1), 1e-8) / 127
    return np.round(matrix / factor[:, None]).astype(np.int8), factor.astype(np.float32)


def named(embeddings, weights, keep):
    """Tensors by Hugging Face's names; matrices packed."""
    out = {}

    def matrix(name, values):
        out[name], out[name + ".scale"] = whole(np.asarray(values, np.float32))

    start = "bert.embeddings."
    matrix(start + "word_embeddings.weight", embeddings["word"][keep])
    # The type of all tokens is the same, so it is part of the place.
    out[start + "position_embeddings.weight"] = embeddings["place"][:POSITIONS].astype(np.float16)
    out[start + "token_type_embeddings.weight"] = np.zeros((1, embeddings["place"].shape[1]), np.float16)
    for part, values in zip(("weight", "bias"), embeddings["norm"]):
        out[f"{start}LayerNorm.{part}"] = np.asarray(values, np.float16)
    for short, long in encoder.LAYER_PARTS.items():
        for part in ("weight", "bias"):
            for layer, values in enumerate(np.asarray(weights["layers"][f"{short}.{part}"])):
                name = f"bert.encoder.layer.{layer}.{long}.{part}"
                if values.ndim == 2:
                    matrix(name, values)
                else:
                    out[name] = values.astype(np.float16)
    out["classifier.weight"] = np.asarray(weights["head"]["w"]).T.copy()
    out["classifier.bias"] = np.asarray(weights["head"]["b"])
    return out


def calibration(logits, gold):
    """(temperature, {language: (negative, neutral, positive)}) of the least cross-entropy, by coordinate descent."""
    temperature, bias = 1.0, {language: np.zeros(3) for language in logits}

    def loss(language):
        values = (logits[language] + bias[language]) / temperature
        values = values - values.max(1, keepdims=True)
        right = values[np.arange(len(values)), gold[language]] - np.log(np.exp(values).sum(1))
        return -right.mean()

    for step in (0.2, 0.1, 0.05, 0.02, 0.01):
        better = True
        while better:
            better = False
            for language in logits:
                for place in (0, 2):
                    for move in (step, -step):
                        before = loss(language)
                        bias[language][place] += move
                        if loss(language) < before - 1e-6:
                            better = True
                        else:
                            bias[language][place] -= move
            for move in (step, -step):
                before = np.mean([loss(language) for language in logits])
                temperature += move
                if temperature > 0.2 and np.mean([loss(language) for language in logits]) < before - 1e-6:
                    better = True
                else:
                    temperature -= move
    return temperature, bias


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("base")
    parser.add_argument("data", type=Path)
    parser.add_argument("sources")
    parser.add_argument("weights", type=Path)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--version", required=True)
    parser.add_argument("--tokens", type=int, default=42_000)
    options = parser.parse_args()
    may_use = texts.allowed(options.sources)
    embeddings, _ = encoder.load(options.base)
    weights = model.load(options.weights)
    pieces, scores = encoder.vocabulary(options.base)
    posts = [text for language, text in texts.to_label(options.data, may_use, model.SEED) if language in texts.MAIN]
    keep = kept_tokens(encoder.tokenizer(options.base), posts, options.tokens)

    made = encoder.made([pieces[at] for at in keep], [scores[at] for at in keep])
    made.post_processor = processors.TemplateProcessing(single="<s> $A </s>", special_tokens=[("<s>", 0), ("</s>", 2)])
    options.folder.mkdir(parents=True, exist_ok=True)
    made.save(str(options.folder / "tokenizer.json"), pretty=False)
    tensors = named(embeddings, weights, keep)
    save_file(tensors, options.folder / "model.safetensors")

    # What is shipped is what is calibrated: rounded weights and the smaller vocabulary.
    def plain(name):
        return tensors[name].astype(np.float32) * tensors[name + ".scale"][:, None]

    embeddings["word"] = plain("bert.embeddings.word_embeddings.weight")
    for short, long in encoder.LAYER_PARTS.items():
        if np.asarray(weights["layers"][f"{short}.weight"]).ndim == 3:
            stack = [plain(f"bert.encoder.layer.{layer}.{long}.weight") for layer in range(12)]
            weights["layers"][f"{short}.weight"] = np.stack(stack)
    logits, gold = {}, {}
    for language, rows in texts.validation(options.data).items():
        shares = model.shares_of(weights, embeddings, encoder.ids(made, [text for text, _ in rows], model.LONGEST, ends=False))
        logits[language], gold[language] = np.log(np.maximum(shares, 1e-9)), np.asarray([label for _, label in rows])
    temperature, bias = calibration(logits, gold)
    for language in logits:
        print(f"UMSAB validation {language}: macro-F1 {model.macro_f1(gold[language], (logits[language] + bias[language]).argmax(1)):.3f}")

    sizes = {
        "model_type": "bert",
        "vocab_size": len(keep),
        "hidden_size": 384,
        "num_hidden_layers": 12,
        "num_attention_heads": embeddings["heads"],
        "intermediate_size": 1536,
        "max_position_embeddings": POSITIONS,
        "type_vocab_size": 1,
        "hidden_act": "gelu",
        "hidden_dropout_prob": 0.1,
        "attention_probs_dropout_prob": 0.1,
        "initializer_range": 0.02,
        "layer_norm_eps": embeddings["eps"],
        "pad_token_id": 1,
        "id2label": {"0": "negative", "1": "neutral", "2": "positive"},
    }
    (options.folder / "config.json").write_text(json.dumps(sizes, indent=1) + "\n", encoding="utf8")
    lines = [
        f'id = "{NAME}"',
        f'version = "{options.version}"',
        'pooling = "mean"',
        f"longest = {model.LONGEST}",
        f"temperature = {temperature:.2f}",
        f"certain_from = {CERTAIN_FROM}",
        "",
        "[bias]",
        *(f"{language} = [{values[0]:.2f}, {values[1]:.2f}, {values[2]:.2f}]" for language, values in bias.items()),
    ]
    (options.folder / "echolot.toml").write_text("\n".join(lines) + "\n", encoding="utf8")
    files = ("config.json", "echolot.toml", "model.safetensors", "tokenizer.json")
    sums = [f"{hashlib.sha256((options.folder / name).read_bytes()).hexdigest()}  {name}" for name in files]
    (options.folder / "SHA256SUMS").write_text("\n".join(sums) + "\n", encoding="utf8")
    print(f"{sum((options.folder / name).stat().st_size for name in files) / 1e6:.1f} MB in {options.folder}")


if __name__ == "__main__":
    main()
