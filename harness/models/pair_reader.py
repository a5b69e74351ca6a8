"""Makes a cross-encoder's inputs from queries and documents that were each tokenised once.

A tokenizer that reads a pair reads either side by itself, cuts the longer one first, and puts its
own tokens around them. A query of a thousand candidates need thus be read once. As in
:mod:`harness.models.text_reader`, a trial says whether a model is one of these.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from harness.models.checkpoint import token_limit
from harness.models.text_reader import plain_tokenizer, trial
from harness.models.tokens import IDS, MASK, NOT_OF_TOKENS, TYPES, Padding, Tokens, same_features

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray
    from sentence_transformers import CrossEncoder
    from transformers import PreTrainedTokenizerBase

_LONGEST_TRIAL = 2**13
_TRIAL = ("", "a", "Two words, and a stop.", "  नदी कहाँ है?\n", "长江是最长的河流。", "É É ﬁ 🙂")


@dataclass(frozen=True, slots=True)
class Frame:
    """What a tokenizer puts around the two sides of a pair.

    Attributes:
        ids: Tokens before the query, between the two, and after the document.
        types: Segments of these tokens.
        side_types: Segment of the query's tokens, and of the document's.
    """

    ids: tuple[NDArray[np.int32], NDArray[np.int32], NDArray[np.int32]]
    types: tuple[NDArray[np.int32], NDArray[np.int32], NDArray[np.int32]]
    side_types: tuple[int, int]

    @classmethod
    def of(cls, tokenizer: PreTrainedTokenizerBase) -> Frame | None:
        """The frame of a tokenizer; None if it is not seen from a pair of words."""
        encoded = tokenizer(["one"], ["two"], verbose=False).encodings
        if not encoded or {0, 1} - set(encoded[0].sequence_ids):
            return None
        sides = encoded[0].sequence_ids
        ids, types = (np.array(row, np.int32) for row in (encoded[0].ids, encoded[0].type_ids))
        first, second = (np.flatnonzero([side == one for side in sides]) for one in (0, 1))
        around = (slice(0, first[0]), slice(first[-1] + 1, second[0]), slice(second[-1] + 1, None))
        return cls(
            (ids[around[0]], ids[around[1]], ids[around[2]]),
            (types[around[0]], types[around[1]], types[around[2]]),
            (int(types[first[0]]), int(types[second[0]])),
        )

    @property
    def size(self) -> int:
        """Number of its tokens."""
        return sum(len(part) for part in self.ids)


@dataclass(frozen=True, slots=True)
class Pairs:
    """Pairs of texts, read.

    Attributes:
        queries: Tokens of the distinct queries.
        documents: Tokens of the distinct documents.
        query: Row of each pair's query, shape (pairs,).
        document: Row of its document, shape (pairs,).
        kept: Tokens of either side that are kept, shape (pairs, 2).
        lengths: Tokens of each pair with its frame, shape (pairs,).
    """

    queries: Tokens
    documents: Tokens
    query: NDArray[np.int64]
    document: NDArray[np.int64]
    kept: NDArray[np.int64]
    lengths: NDArray[np.int64]


class PairReader:
    """Reads pairs.

    Use :meth:`of`, which says whether a model allows it.
    """

    def __init__(
        self,
        tokenizer: PreTrainedTokenizerBase,
        frame: Frame,
        limit: int,
        prompts: tuple[str, str],
        besides: Mapping[str, Any],
    ) -> None:
        self._tokenizer = tokenizer
        self._frame = frame
        self._room = limit - frame.size if limit else None
        self._prompts = prompts
        self._besides = dict(besides)
        self._padding = Padding.of(tokenizer)

    @classmethod
    def of(cls, model: CrossEncoder, prompts: tuple[str, str]) -> PairReader | None:
        """The reader of a model's pairs; None if the model has a way of its own.

        Args:
            model: The model.
            prompts: What is put before a query, and before a document.
        """
        tokenizer, limit = plain_tokenizer(model), token_limit(model)
        if tokenizer is None or tokenizer.truncation_side != "right":
            return None
        frame = Frame.of(tokenizer)
        if frame is None or 0 < limit <= frame.size:
            return None
        length = min(limit or _LONGEST_TRIAL, _LONGEST_TRIAL)
        words = ("word " * (length // share + 3) for share in (3, 2, 1))
        texts = [*_TRIAL, *words, "x" * (length + 8)]
        rows = np.arange(len(texts))
        query, document = np.repeat(rows, len(rows)), np.tile(rows, len(rows))
        # One batch a query: a trial of all pairs at once would be long, where many tokens fit.
        for some in np.split(np.arange(len(query)), len(rows)):
            pairs: Any = [(texts[query[i]], prompts[1] + texts[document[i]]) for i in some]
            theirs = trial(model, pairs, prompt=prompts[0])
            if theirs is None:
                return None
            besides = {key: value for key, value in theirs.items() if key not in (IDS, MASK)}
            reader = cls(tokenizer, frame, limit, prompts, besides)
            read = reader.read(texts, texts, query[some], document[some])
            if not same_features(reader.batch(read, range(len(some))), theirs):
                return None
        return reader

    def read(
        self,
        queries: Sequence[str],
        documents: Sequence[str],
        query: NDArray[np.int64],
        document: NDArray[np.int64],
    ) -> Pairs:
        """Reads distinct texts and says of each pair which they are.

        Args:
            queries: Distinct queries.
            documents: Distinct documents.
            query: Row of each pair's query, shape (pairs,).
            document: Row of its document, shape (pairs,).
        """
        first, second = (
            self._tokens(prompt, texts)
            for prompt, texts in zip(self._prompts, (queries, documents), strict=True)
        )
        kept = np.stack([first.lengths[query], second.lengths[document]], axis=1)
        if self._room is not None:
            kept = cut_longest_first(kept, self._room)
        return Pairs(first, second, query, document, kept, kept.sum(axis=1) + self._frame.size)

    def batch(self, pairs: Pairs, rows: Sequence[int]) -> dict[str, Any]:
        """What ``preprocess`` would make of some of the pairs."""
        chosen = list(rows)
        before, between, after = self._frame.ids
        ids = []
        for row in chosen:
            first, second = pairs.kept[row]
            query = pairs.queries[pairs.query[row]][:first]
            document = pairs.documents[pairs.document[row]][:second]
            ids.append(np.concatenate((before, query, between, document, after)))
        found: dict[str, Any] = {
            IDS: self._padding.padded(ids, self._padding.id),
            MASK: self._padding.mask(pairs.lengths[chosen]),
        }
        for key, value in self._besides.items():
            if key == TYPES:
                types = [self._types(*pairs.kept[row]) for row in chosen]
                found[key] = self._padding.padded(types, self._padding.type_id)
            elif key in (*NOT_OF_TOKENS, "logits_to_keep"):
                found[key] = value
        return found

    def _tokens(self, prompt: str, texts: Sequence[str]) -> Tokens:
        if not texts:
            return Tokens.of([])
        return Tokens.of(
            self._tokenizer(
                [prompt + text for text in texts],
                add_special_tokens=False,
                truncation=False,
                padding=False,
                return_attention_mask=False,
                return_token_type_ids=False,
                verbose=False,
            )[IDS]
        )

    def _types(self, first: int, second: int) -> NDArray[np.int32]:
        before, between, after = self._frame.types
        one, two = (
            np.full(size, number, np.int32)
            for size, number in zip((first, second), self._frame.side_types, strict=True)
        )
        return np.concatenate((before, one, between, two, after))


def cut_longest_first(lengths: NDArray[np.int64], room: int) -> NDArray[np.int64]:
    """How much of either side of pairs is kept, as ``longest_first`` of Hugging Face's tokenizers.

    The shorter side is kept whole where it takes no more than half of the room; the longer one gets
    what is left. Two long sides share the room, an odd token going to the longer one.

    Args:
        lengths: Tokens of either side, shape (pairs, 2).
        room: Tokens that a pair may have, besides those of its frame.

    Returns:
        Tokens that are kept, shape (pairs, 2).
    """
    shorter, longer = lengths.min(axis=1), lengths.max(axis=1)
    left = np.where(shorter > room, shorter, np.maximum(shorter, room - shorter))
    both = shorter + left > room
    kept_short = np.where(both, room // 2, shorter)
    kept_long = np.where(both, room // 2 + room % 2, left)
    cut = np.stack([kept_short, kept_long], axis=1)
    # The second side counts as the longer one where both are equally long.
    swapped = lengths[:, 0] > lengths[:, 1]
    cut[swapped] = cut[swapped][:, ::-1]
    fits = (shorter + longer <= room)[:, None]
    return np.where(fits, lengths, np.minimum(cut, lengths))
