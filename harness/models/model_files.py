"""A checkpoint's files: where they are, what they say, and what tells one checkpoint from another.

Models of the hub are fetched into its cache first, without pickles, so that what is looked at is
what is loaded.
"""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.models.description import display_name
from tasks.errors import ModelError, UsageError

if TYPE_CHECKING:
    from harness.models.encoder_options import EncoderOptions

_HUB_ID = re.compile(r"[A-Za-z0-9][\w.-]*(/[\w.-]+)?")
_PICKLES = (".bin", ".pt", ".pth", ".pkl", ".ckpt")
# What decides the numbers that a model computes: also templates, ColBERT's markers, and code.
_IDENTIFYING = (".jinja", ".json", ".metadata", ".model", ".py", ".safetensors", ".txt")
_OTHER_BACKENDS = ("onnx/*", "openvino/*")
_DEFAULT_ORGANISATION = "sentence-transformers"


@dataclass(frozen=True, slots=True)
class ModelFiles:
    """A checkpoint, on this machine.

    Attributes:
        name: What it is called: the hub's id, or the folder's own name; never a path.
        folder: Where its files are.
        revision: Commit of the hub's repository, 40 hexadecimal digits; None for a folder.
    """

    name: str
    folder: Path
    revision: str | None = None

    def has(self, path: str) -> bool:
        """Whether there is such a file."""
        return (self.folder / path).is_file()

    def json(self, path: str) -> Any:
        """Content of a JSON file; None if there is no such file.

        Raises:
            ModelError: If it is not JSON.
        """
        try:
            return json.loads((self.folder / path).read_text(encoding="utf-8"))
        except FileNotFoundError:
            return None
        except (json.JSONDecodeError, UnicodeDecodeError) as error:
            raise ModelError(
                f"The model {self.name!r} cannot be loaded: its {path} is not JSON: {error}."
            ) from error

    def settings(self, path: str) -> dict[str, Any]:
        """The object in a JSON file; empty if there is no such file.

        Raises:
            ModelError: If it is not JSON, or no object.
        """
        content = self.json(path)
        if content is not None and not isinstance(content, dict):
            raise ModelError(
                f"The model {self.name!r} cannot be loaded: its {path} is not a JSON object."
            )
        return content or {}

    def modules(self) -> list[str]:
        """Classes in modules.json, in order; empty if there is no such file.

        Raises:
            ModelError: If it is malformed.
        """
        content = self.json("modules.json")
        if content is None:
            return []
        if not isinstance(content, list) or not all(
            isinstance(part, dict) and isinstance(part.get("type"), str) for part in content
        ):
            raise ModelError(
                f"The model {self.name!r} cannot be loaded: its modules.json is not a list of "
                'objects with a "type".'
            )
        return [part["type"] for part in content]

    def digest(self) -> str | None:
        """See :func:`digest_of`; None for a model of the hub, which its commit identifies."""
        return None if self.revision else digest_of(self.folder)


def find_files(name: str, options: EncoderOptions) -> ModelFiles:
    """Finds a checkpoint's files; those of a hub model are fetched if they are not in its cache.

    Args:
        name: A folder, or the id of a hub repository.
        options: Revision, and whether code may be fetched.

    Raises:
        ModelError: If there is no such model.
        UsageError: If a revision of a folder is asked for.
    """
    if Path(name).is_dir():
        if options.revision is not None:
            raise UsageError(
                f"--revision names a commit of a hub model; {display_name(name)!r} is a folder."
            )
        return ModelFiles(display_name(name), Path(name))
    if not _HUB_ID.fullmatch(name):
        raise ModelError(f"There is no folder {name!r}, and it is not the id of a hub model.")
    return _fetch(name, options)


def refuse_pickles(files: ModelFiles) -> None:
    """Refuses a checkpoint without weights, or with a part whose weights are pickled only.

    Raises:
        ModelError: So it is.
    """
    found = [path for path in sorted(files.folder.rglob("*")) if path.is_file()]
    safe = {path.parent for path in found if re.fullmatch(r"model.*\.safetensors", path.name)}
    weights = [path for path in found if path.name.startswith("pytorch_model")]
    refused = [path for path in weights if path.suffix in _PICKLES and path.parent not in safe]
    if not refused and safe:
        return
    if files.revision:
        raise ModelError(
            f"The hub model {files.name!r} has no safetensors weights at its commit "
            f"{files.revision}; others may be pickled, and unpickling runs whatever code they "
            "carry. Where its pull request N adds them, name that: --revision refs/pr/N. Or save "
            "the model as safetensors and name the folder."
        )
    if refused:
        pickled = refused[0].relative_to(files.folder).as_posix()
        reason = (
            f"has pickled weights only ({pickled}), and unpickling runs whatever code they carry"
        )
    elif files.has("adapter_config.json"):
        reason = "has no weights but those of an adapter, which must be merged into its base model"
    else:
        reason = "has no weights"
    raise ModelError(
        f"The model folder {str(files.folder)!r} {reason}. Save it as safetensors: "
        "`model.save_pretrained(folder, safe_serialization=True)`."
    )


def digest_of(folder: Path) -> str:
    """sha256 over names and contents of the files that decide what a model computes."""
    digest = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        if path.is_file() and path.suffix in _IDENTIFYING:
            with path.open("rb") as file:
                content = hashlib.file_digest(file, "sha256").hexdigest()
            digest.update(f"{path.relative_to(folder).as_posix()}\0{content}\n".encode())
    return digest.hexdigest()


def _fetch(name: str, options: EncoderOptions) -> ModelFiles:
    """The files of a hub model, from the hub's cache or from the hub."""
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import GatedRepoError

    code = options.trust_remote_code
    wanted = [f"*{suffix}" for suffix in _IDENTIFYING if suffix != ".py" or code]
    # A name without an owner is one of sentence-transformers' models, or one of the hub's first.
    ids = [name] if "/" in name else [f"{_DEFAULT_ORGANISATION}/{name}", name]
    reasons = []
    for hub_id in ids:
        try:
            folder = snapshot_download(
                hub_id,
                revision=options.revision,
                allow_patterns=wanted,
                ignore_patterns=list(_OTHER_BACKENDS),
            )
        except GatedRepoError as error:
            raise ModelError(
                f"The hub model {hub_id!r} is gated: ask for access on its page, and log in with "
                "`hf auth login`."
            ) from error
        except Exception as error:  # noqa: BLE001  # also whatever the network's libraries raise
            reasons.append(" ".join(str(error).split())[:200] or type(error).__name__)
        else:
            return ModelFiles(hub_id, Path(folder), revision=Path(folder).name)
    raise ModelError(
        f"There is no folder {name!r}, and no such model could be had from the hub: {reasons[-1]}\n"
        "Check the name and --revision; without a network, name a folder with the model's files."
    )
