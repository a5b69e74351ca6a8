"""One language for each question and each passage of a parallel collection.

So Litschko et al. 2023 ("Boosting Zero-shot Cross-lingual Retrieval by Training on Artificially
Code-Switched Data", Findings of ACL 2023) make the queries and the passages of their multilingual
settings.
"""

from __future__ import annotations

import random
from hashlib import blake2b
from typing import TYPE_CHECKING

import numpy as np

from tasks.errors import DataFileError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

# fmt: off
PAPER_ORDER = (
    "en", "de", "it", "nl", "ru", "ar",
    "fr", "zh", "hi", "id", "ja", "pt", "es", "vi",
)
"""The languages in the order in which the paper's code lists them."""
# fmt: on

_WORDS = 1 << 20


def hashed_draw(what: str, ids: Iterable[str], languages: int) -> NDArray[np.int8]:
    """A language for each id, by a hash of the id alone.

    The same on every machine, for any order and any part of the ids: the first 8 bytes of
    BLAKE2b of ``draw:v1:{what}:{id}``, as a number below 2^64, times ``languages`` / 2^64. No
    language is likelier than another by more than 2^-60.

    Args:
        what: ``document`` or ``question``.
        ids: Ids without a language.
        languages: How many there are, up to 127.

    Returns:
        Index of a language for each id, shape (ids,).
    """
    beginning = blake2b(f"draw:v1:{what}:".encode(), digest_size=8)

    def index(name: str) -> int:
        state = beginning.copy()
        state.update(name.encode())
        return int.from_bytes(state.digest(), "big") * languages >> 64

    return np.fromiter(map(index, ids), dtype=np.int8)


def paper_draw(
    languages: int, passages: int, needed: NDArray[np.int64], queries: int
) -> tuple[NDArray[np.int8], NDArray[np.int8]]:
    """The draw of the paper's ``create_multilingual.py``: ``random.seed(0)``, then one number each.

    The stream runs over all passages of the collection, whether they are needed or not, and goes
    on over the queries.

    Args:
        languages: How many there are, in the order of ``PAPER_ORDER``.
        passages: Number of passages in the collection, numbered from 0.
        needed: Numbers of the passages whose languages are wanted, shape (needed,).
        queries: Number of queries.

    Returns:
        Index of the language of each needed passage, shape (needed,), and of each query in the
        order of the English file, shape (queries,).

    Raises:
        DataFileError: If a needed number is not below ``passages``.
    """
    if len(needed) and needed.max() >= passages:
        raise DataFileError(
            f"The paper's draw numbers the {passages:,} passages from 0, "
            f"and passage {needed.max()} is needed; use the task without +paper-draw."
        )
    drawn = _drawn(languages, passages + queries)
    return drawn[:passages][needed], drawn[passages:]


def _drawn(languages: int, size: int) -> NDArray[np.int8]:
    """The first ``size`` numbers of ``random.seed(0)`` and ``random.randint(0, languages - 1)``.

    Python draws as many of a word's highest bits as ``languages`` has, and draws again while the
    number is too large. Done here on many words at once, from the same state.
    """
    *key, position = random.Random(0).getstate()[1]  # noqa: S311  # the paper's
    generator = np.random.MT19937()
    generator.state = {
        "bit_generator": "MT19937",
        "state": {"key": np.array(key, dtype=np.uint32), "pos": position},
    }
    kept: list[NDArray[np.int8]] = []
    while sum(map(len, kept)) < size:
        numbers = generator.random_raw(_WORDS) >> (32 - languages.bit_length())
        kept.append(numbers[numbers < languages].astype(np.int8))
    return np.concatenate([np.empty(0, dtype=np.int8), *kept])[:size]


def in_paper_order(languages: Sequence[str]) -> tuple[str, ...]:
    """The languages as the paper's code lists them.

    Raises:
        DataFileError: If it does not know one of them.
    """
    unknown = sorted(set(languages) - set(PAPER_ORDER))
    if unknown:
        raise DataFileError(f"The paper's draw has no {', '.join(unknown)}.")
    return tuple(code for code in PAPER_ORDER if code in languages)
