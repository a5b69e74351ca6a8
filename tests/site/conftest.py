"""A browser, a small site, and pages of it that must stay within the site."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from site_entries import write_entries

from harness.progress import Silent
from leaderboard.site import build_site

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from playwright.sync_api import Browser, Page, Request

    OpenPage = Callable[..., Page]

CHROMIUM = os.environ.get("CHROMIUM") or shutil.which("chromium")
AXE = Path(__file__).parent / "node_modules" / "axe-core" / "axe.min.js"
ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-dev-shm-usage",
    "--no-first-run",
)
HEIGHT = 800


@pytest.fixture(scope="session")
def entries(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of made-up entries that the site is built from."""
    return write_entries(tmp_path_factory.mktemp("site-entries"))


@pytest.fixture(scope="session")
def site(entries: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A built site."""
    out = tmp_path_factory.mktemp("site") / "out"
    build_site(entries, out, Silent())
    return out


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Debian's chromium."""
    playwright = pytest.importorskip("playwright.sync_api", reason="needs the package playwright")
    if CHROMIUM is None:
        pytest.skip("needs chromium: apt-get install chromium, or name it with $CHROMIUM")
    with playwright.sync_playwright() as started:
        launched = started.chromium.launch(executable_path=CHROMIUM, args=list(ARGUMENTS))
        yield launched
        launched.close()


@pytest.fixture
def open_page(browser: Browser, site: Path) -> Iterator[OpenPage]:
    """Opens a page of the site from the disk.

    The test fails if a page writes an error, breaks its content security policy, opens a dialog,
    or asks for anything outside the site.
    """
    contexts = []
    faults: list[str] = []
    root = site.as_uri()

    def check(request: Request) -> None:
        if not request.url.startswith((root, "data:")):
            faults.append(f"asked for {request.url}")

    def open_(
        address: str, *, width: int = 1280, scheme: Any = "light", scripts: bool = True
    ) -> Page:
        context = browser.new_context(
            viewport={"width": width, "height": HEIGHT},
            color_scheme=scheme,
            java_script_enabled=scripts,
        )
        contexts.append(context)
        page = context.new_page()
        page.on("request", check)
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.on("console", lambda said: faults.append(said.text) if said.type == "error" else None)
        page.on("dialog", lambda dialog: faults.append(f"opened a dialog: {dialog.message}"))
        page.goto(f"{root}/{address}")
        return page

    yield open_
    for context in contexts:
        context.close()
    assert faults == []


@pytest.fixture(scope="session")
def axe() -> Callable[[Page], list[str]]:
    """Finds what keeps people from using a page: each fault with its place."""
    if not AXE.is_file():
        pytest.skip("needs axe-core: npm ci --prefix tests/site")
    source = AXE.read_text(encoding="utf-8")

    def check(page: Page) -> list[str]:
        page.evaluate(source)
        # Without preload, axe fetches no style sheets, which the page's policy would not let it.
        found = page.evaluate("axe.run(document, {resultTypes: ['violations'], preload: false})")
        return [
            f"{fault['id']}: {node['html'][:200]}"
            for fault in found["violations"]
            for node in fault["nodes"]
        ]

    return check
