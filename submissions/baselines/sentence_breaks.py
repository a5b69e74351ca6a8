"""Where sentences end, by their punctuation alone: enough to find the one that holds an answer."""

from __future__ import annotations

import re

# Full stops of Latin, Arabic and Devanagari script end a sentence where a space follows; those of
# Chinese and Japanese are followed by none. Closing quotes and brackets belong to what they close.
_END = re.compile(r"""[.!?؟।۔]+["'»”’)\]]*(?=\s)|[。！？]+[」』”’）]*|\n+""")  # noqa: RUF100
_ABBREVIATION = re.compile(r"(?:^|[\s(.])(?:\w|Dr|Jr|Mr|Mrs|Ms|Sr|St)\.$")


def sentence_spans(text: str) -> list[tuple[int, int]]:
    """The sentences of a text as [begin, end) in code points, without the space around them.

    A full stop after an initial or a title such as Dr ends none.
    """
    spans = []
    begin = 0
    for match in _END.finditer(text):
        if _ABBREVIATION.search(text[max(begin, match.end() - 6) : match.end()]):
            continue
        spans.append((begin, match.end()))
        begin = match.end()
    spans.append((begin, len(text)))
    trimmed = []
    for first, last in spans:
        sentence = text[first:last]
        start = first + len(sentence) - len(sentence.lstrip())
        if sentence.strip():
            trimmed.append((start, start + len(sentence.strip())))
    return trimmed


def sentence_at(text: str, position: int) -> str:
    """The sentence in which a position lies; between two, the one that follows.

    Args:
        text: Some sentences.
        position: In code points, below the text's length.
    """
    for begin, end in sentence_spans(text):
        if position < end:
            return text[begin:end]
    return text.strip()
