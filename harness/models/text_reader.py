"""Makes a model's inputs from texts that its tokenizer has read once.

What sentence-transformers' ``preprocess`` makes of a batch of texts depends, in a plain model, on
the tokens of each text alone. Then it can be made of tokens that were read long before, without
the tokenizer. Whether a model is one of these is seen from a trial: both ways must give the same
tensors for texts of every kind, else the model keeps its own way.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from sentence_transformers.base.modules import Transformer
from transformers import PreTrainedTokenizerFast

from harness.models.checkpoint import token_limit
from harness.models.tokens import IDS, MASK, NOT_OF_TOKENS, TYPES, Padding, Tokens, same_features

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sentence_transformers.base import BaseModel
    from transformers import PreTrainedTokenizerBase

_LONGEST_TRIAL = 2**15
_TRIAL = ("", "a", "Two words, and a stop.", "  नदी कहाँ है?\n", "长江是最长的河流。", "É É ﬁ 🙂")


class TextReader:
    """Reads the texts of one role.

    Use :meth:`of`, which says whether a model allows it.
    """

    def __init__(
        self, tokenizer: PreTrainedTokenizerBase, prompt: str, besides: Mapping[str, Any]
    ) -> None:
        self._tokenizer = tokenizer
        self._prompt = prompt
        self._besides = dict(besides)
        self._padding = Padding.of(tokenizer)

    @classmethod
    def of(cls, model: BaseModel, prompt: str, task: str) -> TextReader | None:
        """The reader of a model's texts; None if the model has a way of its own.

        Args:
            model: The model.
            prompt: What is put before each text.
            task: ``query`` or ``document``, as sentence-transformers tells its modules.
        """
        tokenizer = plain_tokenizer(model)
        if tokenizer is None:
            return None
        length = min(token_limit(model) or _LONGEST_TRIAL, _LONGEST_TRIAL)
        texts = [*_TRIAL, "word " * (length + 8), "x" * (length + 8)]
        theirs = trial(model, texts, prompt=prompt, task=task)
        if theirs is None:
            return None
        besides = {key: value for key, value in theirs.items() if key not in (IDS, MASK)}
        reader = cls(tokenizer, prompt, besides)
        tokens = reader.read(texts)
        agree = same_features(reader.batch(tokens, range(len(texts))), theirs)
        return reader if agree else None

    def read(self, texts: Sequence[str]) -> Tokens:
        """Tokens of texts with the prompt before them, cut where the model cuts."""
        if not texts:
            return Tokens.of([])
        return Tokens.of(
            self._tokenizer(
                [self._prompt + text for text in texts],
                truncation="longest_first",
                padding=False,
                return_attention_mask=False,
                return_token_type_ids=False,
                verbose=False,
            )[IDS]
        )

    def batch(self, tokens: Tokens, rows: Sequence[int]) -> dict[str, Any]:
        """What ``preprocess`` would make of some of the texts."""
        chosen = [tokens[row] for row in rows]
        found: dict[str, Any] = {
            IDS: self._padding.padded(chosen, self._padding.id),
            MASK: self._padding.mask(tokens.lengths[list(rows)]),
        }
        for key, value in self._besides.items():
            if key == TYPES:
                found[key] = torch.zeros_like(found[IDS])
            elif key in NOT_OF_TOKENS:
                found[key] = value
        return found


def trial(model: BaseModel, inputs: Sequence[Any], **how: str) -> Mapping[str, Any] | None:
    """What a model's own ``preprocess`` gives; None if it fails on some inputs."""
    try:
        found: Mapping[str, Any] = model.preprocess(inputs, **how)
    except (ArithmeticError, AttributeError, LookupError, RuntimeError, TypeError, ValueError):
        return None  # such as a tokenizer that cannot pad: the model says so when it is used
    return found


def plain_tokenizer(model: BaseModel) -> PreTrainedTokenizerBase | None:
    """The tokenizer of a model whose modules take their inputs from it alone; None of others."""
    first = model[0]
    # A Router and a StaticEmbedding are no such module; a subclass may do something else.
    if type(first) is not Transformer or model.get_model_kwargs():
        return None
    tokenizer = first.processor
    return tokenizer if isinstance(tokenizer, PreTrainedTokenizerFast) else None
