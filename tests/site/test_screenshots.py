"""Pictures of every sort of page, to look at; ``make screenshots`` keeps them.

They go to the folder that $BABELBOARD_SCREENSHOTS names, or else to one of the test's own.
"""

from __future__ import annotations

import base64
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from site_entries import TASK
from test_every_page import PAGES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from conftest import OpenPage
    from playwright.sync_api import Browser

    Look = Callable[[bytes], dict[str, float]]

pytestmark = pytest.mark.site

FEWEST_COLOURS = 50
"""Smoothed letters alone have more shades; an empty page has one or two."""
BRIGHTNESS = {"light": (0.8, 1.0), "dark": (0.0, 0.3)}
"""Lowest and highest mean, from 0 for black to 1 for white."""
PIXELS = """async (source) => {
  const image = new Image();
  image.src = source;
  await image.decode();
  const canvas = Object.assign(document.createElement("canvas"),
    { width: image.width, height: image.height });
  const context = canvas.getContext("2d", { willReadFrequently: true });
  context.drawImage(image, 0, 0);
  const { data } = context.getImageData(0, 0, image.width, image.height);
  let total = 0;
  for (let i = 0; i < data.length; i += 4) {
    total += 0.2126 * data[i] + 0.7152 * data[i + 1] + 0.0722 * data[i + 2];
  }
  const colours = new Set(new Uint32Array(data.buffer)).size;
  return { colours, brightness: total / 255 / (data.length / 4) };
}"""


@pytest.fixture(scope="session")
def look(browser: Browser) -> Iterator[Look]:
    """Number of colours and mean brightness of a picture, which the browser decodes."""
    page = browser.new_page()

    def look_(picture: bytes) -> dict[str, float]:
        source = f"data:image/png;base64,{base64.b64encode(picture).decode()}"
        found: dict[str, Any] = page.evaluate(PIXELS, source)
        return found

    yield look_
    page.close()


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the pictures go."""
    named = os.environ.get("BABELBOARD_SCREENSHOTS")
    return Path(named) if named else tmp_path_factory.mktemp("screenshots")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1280])
@pytest.mark.parametrize("address", [*PAGES, f"compare/{TASK}.html"])
def test_a_page_is_painted_in_its_scheme(
    address: str, width: int, scheme: str, open_page: OpenPage, look: Look, folder: Path
) -> None:
    page = open_page(address, width=width, scheme=scheme)
    if address.startswith("compare/"):
        page.wait_for_selector("#findings", timeout=120_000)
    name = f"{address.removesuffix('.html').replace('/', '-')}-{width}-{scheme}.png"
    picture = page.screenshot(path=folder / name, full_page=True)
    found = look(picture)
    assert page.evaluate("document.documentElement.scrollWidth") == width
    assert found["colours"] >= FEWEST_COLOURS
    lowest, highest = BRIGHTNESS[scheme]
    assert lowest <= found["brightness"] <= highest


def test_a_picture_of_nothing_is_told_apart(browser: Browser, look: Look) -> None:
    page = browser.new_page(viewport={"width": 390, "height": 200})
    found = look(page.screenshot())
    page.close()
    assert found == {"colours": 1, "brightness": pytest.approx(1)}
