"""Classes of words that code-switching may switch at rates of their own."""

from __future__ import annotations

from bisect import bisect_left
from typing import TYPE_CHECKING, Literal, get_args

from submissions.baselines.sentence_breaks import sentence_spans

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from submissions.baselines.lexicon_matches import Match, Text

WordClass = Literal["stop", "name", "content"]
CLASSES: tuple[WordClass, ...] = get_args(WordClass)


def word_classes(
    read: Text, matches: Sequence[Match], stop_words: frozenset[str]
) -> Iterator[WordClass]:
    """The class of each match of a text.

    ``stop``: all its words are stop words. ``name``: else, its first word has a capital first and
    begins no sentence. ``content``: the rest. A text in a script without case has no names.

    Args:
        read: The text.
        matches: Words or terms in it.
        stop_words: As the text's keys spell them.
    """
    beginnings: frozenset[int] | None = None
    for match in matches:
        if stop_words.issuperset(read.keys[match.first : match.first + match.words]):
            yield "stop"
        elif not read.text[read.spans[match.first][0]].isupper():
            yield "content"
        else:
            if beginnings is None:
                beginnings = _beginnings(read)
            yield "content" if match.first in beginnings else "name"


def _beginnings(read: Text) -> frozenset[int]:
    """Indices of the words that begin a sentence."""
    starts = [start for start, _ in read.spans]
    return frozenset(bisect_left(starts, begin) for begin, _ in sentence_spans(read.text))
