"""What the files of a model say of it, without loading it: nothing heavy is imported.

Looked at are a folder, or what the hub's cache has of a hub model; nothing is fetched.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import ValidationError

from harness.models.description import display_name
from harness.models.model_files import ModelFiles, digest_of
from submissions.claims.system import TrainingRecord
from submissions.structured_text import read_json
from tasks.definition import describe
from tasks.errors import EntryError, ModelError

if TYPE_CHECKING:
    from collections.abc import Iterator

TRAINED_BY_RECIPE = "record.json"
"""What ``babelboard train`` leaves beside a model."""

_COMMIT = re.compile(r"[0-9a-f]{40}")
_LANGUAGE = re.compile(r"[a-z]{2,3}")
_HUB_ID = re.compile(r"[A-Za-z0-9][\w.-]*/[\w.-]+")
_MOST_CARD_BYTES = 2**20
_MOST_HEADER_BYTES = 10**8
"""Of a safetensors file; the format itself allows no more."""


@dataclass(frozen=True, slots=True)
class ModelFacts:
    """What is known of a model; None where its files do not say.

    Attributes:
        revision: Commit of the hub's repository that the files are of.
        dimension: Of its embeddings.
        max_tokens: Longer texts are cut.
        parameters: Number of its parameters: floating-point numbers in its safetensors files.
        licence: As its card has it.
        languages: Codes of those that its card names.
        base: The model that its card says it was made from.
    """

    revision: str | None = None
    dimension: int | None = None
    max_tokens: int | None = None
    parameters: int | None = None
    licence: str | None = None
    languages: tuple[str, ...] = ()
    base: str | None = None


def model_folder(model: str, revision: str | None = None) -> Path | None:
    """Where the files of a model are on this machine; None if they are nowhere.

    Args:
        model: A folder, or the id of a hub repository.
        revision: Of the hub model; None for what its main branch was when it was fetched.
    """
    if Path(model).is_dir():
        return Path(model)
    if not _HUB_ID.fullmatch(model):
        return None
    try:
        from huggingface_hub.constants import HF_HUB_CACHE
    except ModuleNotFoundError:  # the plain install has no hub
        return None
    cached = Path(HF_HUB_CACHE) / f"models--{model.replace('/', '--')}"
    if revision is None:
        main = cached / "refs" / "main"
        revision = main.read_text("utf-8").strip() if main.is_file() else ""
    folder = cached / "snapshots" / revision
    return folder if _COMMIT.fullmatch(revision) and folder.is_dir() else None


def facts_of(model: str, revision: str | None = None) -> ModelFacts:
    """What the files of a model say; nothing where there are none.

    Raises:
        ModelError: If one of the files is malformed.
    """
    folder = model_folder(model, revision)
    if folder is None:
        return ModelFacts()
    files = ModelFiles(display_name(model), folder)
    is_cached = not Path(model).is_dir()
    card = _card(folder)
    licence, base = card.get("license", []), card.get("base_model", [])
    return ModelFacts(
        revision=folder.name if is_cached else None,
        dimension=_dimension(files),
        max_tokens=_max_tokens(files),
        parameters=_parameters(folder),
        licence=licence[0] if licence else None,
        languages=tuple(code for code in card.get("language", []) if _LANGUAGE.fullmatch(code)),
        base=base[0] if base and _HUB_ID.fullmatch(base[0]) else None,
    )


def _dimension(files: ModelFiles) -> int | None:
    """That of the last module that says one; else that of the tokens."""
    found = files.settings("config.json").get("hidden_size")
    for path in _module_folders(files):
        module = files.settings(f"{path}config.json" if path else "sentence_bert_config.json")
        for name in ("embedding_dimension", "word_embedding_dimension", "out_features"):
            found = module.get(name, found)
    return _count(found)


def _max_tokens(files: ModelFiles) -> int | None:
    """As sentence-transformers has it: what is said, else what tokeniser and positions allow."""
    said = _count(files.settings("sentence_bert_config.json").get("max_seq_length"))
    limits = (
        _count(files.settings("tokenizer_config.json").get("model_max_length")),
        _count(files.settings("config.json").get("max_position_embeddings")),
    )
    return said or min((limit for limit in limits if limit), default=None)


def _module_folders(files: ModelFiles) -> Iterator[str]:
    """The folders of the modules, in order: ``1_Pooling/``; that of the first is none."""
    for module in files.json("modules.json") or []:
        path = module.get("path") if isinstance(module, dict) else None
        if isinstance(path, str) and re.fullmatch(r"(\w[\w.-]*)?", path):
            yield f"{path}/" if path else ""


def _parameters(folder: Path) -> int | None:
    weights = sorted(path for path in folder.rglob("model*.safetensors") if path.is_file())
    return sum(map(count_parameters, weights)) or None


def count_parameters(path: Path) -> int:
    """Number of floating-point numbers in a safetensors file, from its header alone.

    Raises:
        ModelError: If it is no safetensors file.
    """
    with path.open("rb") as file:
        size = int.from_bytes(file.read(8), "little")
        header = file.read(size) if size <= _MOST_HEADER_BYTES else b""
    try:
        if len(header) < size or not header:
            raise ValueError("its header is longer than the file")
        tensors = json.loads(header)
        return sum(
            prod(tensor["shape"])
            for name, tensor in tensors.items()
            if name != "__metadata__" and "F" in tensor["dtype"]
        )
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise ModelError(
            f"{path} is not a safetensors file: {error}. Save the model again: "
            "`model.save_pretrained(folder, safe_serialization=True)`."
        ) from error


def _card(folder: Path) -> dict[str, list[str]]:
    """The front matter of a model card, as far as it is keys with texts or lists of texts.

    It is read line by line, and not as YAML, whose aliases can grow without bound.
    """
    try:
        text = (folder / "README.md").read_bytes()[:_MOST_CARD_BYTES].decode("utf-8", "replace")
    except FileNotFoundError:
        return {}
    found = re.match(r"---\s*\n(.*?)\n---\s*(\n|$)", text, re.S)
    content: dict[str, list[str]] = {}
    key = ""
    for line in found[1].splitlines() if found else ():
        if item := re.fullmatch(r"\s*-\s+(.+)", line):
            content.setdefault(key, []).append(_plain(item[1]))
        elif pair := re.fullmatch(r"(\w+):\s*(.*)", line):
            key, value = pair[1], pair[2].strip()
            several = value[1:-1].split(",") if value[:1] == "[" else [value]
            content[key] = [_plain(one) for one in several if one.strip()]
    return content


def _plain(value: str) -> str:
    return value.strip().strip("\"'")


def _count(value: object) -> int | None:
    return value if type(value) is int and value > 0 else None


def training_of(model: str) -> TrainingRecord | None:
    """The record of the training that made a model; None of one that ``train`` did not make.

    Raises:
        ModelError: If it is malformed.
    """
    folder = Path(model)
    path = folder.absolute().parent / TRAINED_BY_RECIPE
    if not folder.is_dir():
        return None
    try:
        record = TrainingRecord.model_validate(read_json(path))
    except FileNotFoundError:
        return None
    except ValidationError as error:
        raise ModelError(describe(path, error)) from error
    except EntryError as error:
        raise ModelError(str(error)) from error
    return record if record.model_digest == digest_of(folder) else None
