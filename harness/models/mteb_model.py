"""A model as mteb has loaded it: what it tells of itself, and texts in the form that it takes."""

from __future__ import annotations

import re
import warnings
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from datasets import Dataset
from mteb.models.abs_encoder import get_prompt_name
from mteb.models.instruct_wrapper import InstructSentenceTransformerModel
from mteb.models.sentence_transformer_wrapper import SentenceTransformerEncoderWrapper
from mteb.types import PromptType
from torch.utils.data import DataLoader

from harness.models.description import ModelDescription, Role
from harness.models.mteb_loading import failed
from harness.models.prompts import DOCUMENT_PROMPTS
from tasks.errors import ModelError
from tasks.mteb_tasks import AnyTask

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from mteb.models import ModelMeta
    from numpy.typing import NDArray

    from harness.models.description import ModelKind
    from harness.models.encoder_options import EncoderOptions

PROMPT_TYPES: dict[Role, PromptType] = {"query": PromptType.query, "document": PromptType.document}
SUBSET = "default"  # of mteb's data sets; here all settings share their embeddings
CHARACTERS_A_TOKEN = 4  # where a model has no tokenizer that we know of
_COMMIT = re.compile(r"[0-9a-f]{40}")


@dataclass(frozen=True, slots=True)
class MtebModel:
    """A loaded model.

    Attributes:
        model: Whatever mteb's code for this model made.
        meta: What mteb's registry says of it.
        options: With what it was loaded.
    """

    model: Any
    meta: ModelMeta
    options: EncoderOptions

    @property
    def name(self) -> str:
        """Its name in the registry."""
        return str(self.meta.name)

    @contextmanager
    def errors(self) -> Iterator[None]:
        """Turns whatever mteb's code for this model raises into a ModelError."""
        try:
            yield
        except ModelError:
            raise
        except Exception as error:
            raise ModelError(failed(f"The model {self.name!r} cannot be run", error)) from error

    def describe(
        self, kind: ModelKind, settings: Mapping[str, str | int | float | bool]
    ) -> ModelDescription:
        """What the model says of itself.

        Args:
            kind: How it retrieves.
            settings: What is known of it besides.
        """
        loader: Any = self.meta.loader
        known: dict[str, str | int | float | bool] = {
            "loader": str(getattr(loader, "func", loader).__name__)
        }
        commit = self._commit()
        if self.meta.revision is not None and commit != self.meta.revision:
            known["mteb_revision"] = self.meta.revision
        first = self._first_parameter()
        if self._module is not None:
            known["max_tokens"] = self._token_limit()
        if first is not None:
            known["dtype"] = str(first.dtype).removeprefix("torch.")
        if self.options.trust_remote_code:
            known["trust_remote_code"] = True
        return ModelDescription(
            kind=kind,
            name=f"mteb:{self.name}",
            revision=commit,
            parameters=self._parameters(),
            settings={**known, **settings},
        )

    def prompts(self) -> dict[Role, str]:
        """What is put before the texts of a role; nothing where mteb's loader does not tell."""
        model, found = self.model, dict[Role, str]()
        for role, kind in PROMPT_TYPES.items():
            if isinstance(model, InstructSentenceTransformerModel):
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore")  # that there is no instruction for documents
                    instruction = model.get_task_instruction(AnyTask.metadata, kind)
                plain = role == "document" and not model.apply_instruction_to_passages
                found[role] = "" if plain else instruction
            elif isinstance(model, SentenceTransformerEncoderWrapper):
                named = get_prompt_name(model.model_prompts, AnyTask.metadata, kind)
                own = ("query",) if role == "query" else DOCUMENT_PROMPTS
                prompts = dict(getattr(model.model, "prompts", None) or {})
                declared = next((prompts[key] for key in own if prompts.get(key)), "")
                found[role] = (model.model_prompts or {}).get(named or "", declared)
        return found

    def shorten(self, tokens: int) -> None:
        """Cuts texts after so many tokens.

        Raises:
            ModelError: If mteb's loader gives no way to do so, or the model takes fewer.
        """
        module: Any = self._module
        attribute = next((a for a in ("max_seq_length", "max_length") if hasattr(module, a)), None)
        if attribute is None:
            raise ModelError(
                f"mteb runs {self.name!r} by code of its own, which takes no --max-tokens; "
                "leave it out."
            )
        most = int(min(self._positions(), self.meta.max_tokens or 2**31))
        if tokens > most:
            raise ModelError(
                f"The model {self.name!r} takes at most {most} tokens, found --max-tokens {tokens}."
            )
        setattr(module, attribute, tokens)

    def token_counts(self, texts: Sequence[str]) -> NDArray[np.int64]:
        """Number of tokens of each text, shape (texts,); an estimate for some models."""
        tokenizer = getattr(self._module, "tokenizer", None)
        if not callable(tokenizer) or not texts:
            lengths = [len(text) // CHARACTERS_A_TOKEN + 1 for text in texts]
            return np.array(lengths, dtype=np.int64)
        tokens = tokenizer(list(texts), truncation=False, verbose=False)["input_ids"]
        return np.minimum([len(some) for some in tokens], self._token_limit() or 2**31)

    @property
    def device(self) -> str:
        """What it runs on; ``cpu`` for a model that is no module of torch."""
        first = self._first_parameter()
        return "cpu" if first is None else str(first.device)

    @property
    def tokens_per_batch(self) -> int:
        """Padded tokens that one batch may have: what keeps the device busy and fits."""
        return 2**17 if self.device.startswith("cuda") else 2**11

    @property
    def _module(self) -> torch.nn.Module | None:
        found = getattr(self.model, "model", self.model)
        return found if isinstance(found, torch.nn.Module) else None

    def _first_parameter(self) -> torch.nn.Parameter | None:
        module = self._module
        return None if module is None else next(module.parameters(), None)

    def _parameters(self) -> int | None:
        module = self._module
        if module is None:
            return self.meta.n_parameters
        return sum(parameter.numel() for parameter in module.parameters())

    def _token_limit(self) -> int:
        module = self._module
        limit = getattr(module, "max_seq_length", None) or getattr(module, "max_length", None)
        return limit if isinstance(limit, int) else 0

    def _positions(self) -> int:
        """Number of tokens for which the model has positions."""
        module = self._module
        config = getattr(module, "config", None)
        if config is None and isinstance(module, torch.nn.Sequential) and len(module):
            config = getattr(getattr(module[0], "auto_model", None), "config", None)
        return int(getattr(config, "max_position_embeddings", None) or 2**31)

    def _commit(self) -> str | None:
        """The commit of the hub's repository: what mteb names, else what was loaded."""
        config = getattr(self._module, "config", None)
        named = (self.meta.revision, getattr(config, "_commit_hash", None))
        return next((name for name in named if name and _COMMIT.fullmatch(name)), None)


def batch_of(texts: Sequence[str], role: Role) -> DataLoader[Any]:
    """One batch in the form in which mteb hands texts to a model."""
    number = {text: place for place, text in enumerate(dict.fromkeys(texts))}
    stripped = [text.strip() for text in texts] if role == "document" else list(texts)
    columns = {
        "id": [f"{role}{number[text]}" for text in texts],
        "text": stripped,
        "body" if role == "document" else "query": list(texts),
    }
    dataset: Any = Dataset.from_dict(columns)
    return DataLoader(dataset, batch_size=len(texts), shuffle=False)


def as_array(found: Any) -> NDArray[Any]:
    """What a model gave, as an array of numpy; low precisions become float32."""
    if isinstance(found, torch.Tensor):
        return np.asarray(found.detach().float().cpu().numpy())
    return np.asarray(found)
