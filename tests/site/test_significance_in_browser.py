"""The statistics of the page in a browser, where its script must run as it does in node."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from significance_js_cases import cases, in_python
from site_entries import TASK

if TYPE_CHECKING:
    from conftest import OpenPage

pytestmark = pytest.mark.site

PREPARE = """
  const prepared = ({ seed, resamples, ...scores }) => [
    { ...scores, values: scores.values.map((setting) =>
        setting.map((column) => Float64Array.from(column, (x) => (x === null ? NaN : x)))) },
    { seed: BigInt(seed), resamples },
  ];
"""
COMPARE = f"(given) => {{ {PREPARE} return babelboardSignificance.compare(...prepared(given)); }}"
IN_SLICES = f"""async (given) => {{
  {PREPARE}
  const shares = [];
  const tests = await babelboardSignificance.compareInSlices(
    ...prepared(given), {{ onProgress: (share) => shares.push(share) }});
  return {{ tests, shares }};
}}"""
ABORTED = f"""async (given) => {{
  {PREPARE}
  const work = new AbortController();
  const onProgress = () => work.abort();
  try {{
    await babelboardSignificance.compareInSlices(
      ...prepared(given), {{ onProgress, signal: work.signal }});
  }} catch (error) {{
    return error.name;
  }}
}}"""
REFUSED = f"""(given) => {{
  {PREPARE}
  try {{
    babelboardSignificance.compare(...prepared(given));
  }} catch (error) {{
    return `${{error.name}}: ${{error.message}}`;
  }}
}}"""


def test_browser_equals_python(open_page: OpenPage) -> None:
    page = open_page(f"compare/{TASK}.html")
    for case in cases():
        assert page.evaluate(COMPARE, case.as_json()) == in_python(case), case.name


def test_slices_give_the_same_and_report_progress(open_page: OpenPage) -> None:
    page = open_page(f"compare/{TASK}.html")
    case = cases()[-1]
    found = page.evaluate(IN_SLICES, case.as_json())
    assert found["tests"] == in_python(case)
    assert found["shares"] == sorted(found["shares"])
    assert 0 < found["shares"][0] < 1


def test_work_can_be_ended(open_page: OpenPage) -> None:
    page = open_page(f"compare/{TASK}.html")
    assert page.evaluate(ABORTED, cases()[-1].as_json()) == "AbortError"


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"resamples": 19}, "RangeError: With 19 resamples no p-value can fall below 0.05"),
        ({"seed": str(2**64)}, "RangeError: The seed must be from 0 to 2^64 - 1"),
        (
            {"values": [[[0.5, None, 0.1], [None, 0.2, 0.3]]]},
            "RangeError: a and b share 1 questions in moir; a paired test needs at least 2.",
        ),
        (
            {"values": [[[9e15, 9e15, 1.0], [1.0, 1.0, 1.0]]]},
            "RangeError: The scores in moir are too large to be added exactly",
        ),
    ],
    ids=["few resamples", "large seed", "one common question", "large scores"],
)
def test_what_is_not_defined_is_refused(
    change: dict[str, Any], said: str, open_page: OpenPage
) -> None:
    page = open_page(f"compare/{TASK}.html")
    given = {
        "systems": ["a", "b"],
        "settings": ["moir"],
        "questions": ["q1", "q2", "q3"],
        "averagedOver": [1],
        "values": [[[0.1, 0.2, 0.3], [0.3, 0.2, 0.1]]],
        "seed": "0",
        "resamples": 100,
    }
    assert page.evaluate(REFUSED, given | change).startswith(said)
