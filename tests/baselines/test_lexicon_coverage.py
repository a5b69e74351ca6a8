"""Coverage of a corpus by a lexicon, counted by hand."""

from __future__ import annotations

import pytest

from submissions.baselines.lexicon import make_lexicon
from submissions.baselines.lexicon_coverage import Counts, coverage, word_counts


def test_types_tokens_and_content_words() -> None:
    lexicon = make_lexicon("test", "en", "de", [("the", "die", 1), ("Dog", "Hund", 1)])
    words = word_counts(["The dog's 2 dogs", "the DOG isn't the cat"], "en")
    assert words == {"the": 3, "dog": 2, "2": 1, "dogs": 1, "isn't": 1, "cat": 1}
    found = coverage(lexicon, words)
    assert found.types == Counts(6, 2)
    assert found.tokens == Counts(9, 5)
    # dog twice, dogs and cat; numbers and stop words are no content.
    assert found.content == Counts(4, 2)
    assert found.content.share == 0.5


def test_a_script_without_spaces_is_cut_by_the_lexicon() -> None:
    lexicon = make_lexicon("test", "zh", "en", [("苹果", "apple", 1), ("红", "red", 1)])
    found = coverage(lexicon, word_counts(["红苹果。大苹果", "大苹果 ok"], "zh"))
    # 红 苹果 / 大 苹果 / 大 苹果 / ok
    assert (found.tokens, found.types) == (Counts(7, 4), Counts(4, 2))


def test_no_corpus() -> None:
    lexicon = make_lexicon("test", "en", "de", [("the", "die", 1)])
    assert coverage(lexicon, word_counts([], "en")).types.share == pytest.approx(0)
