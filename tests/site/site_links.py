"""Links of a built site: where each leads, and what is wrong with those that lead nowhere."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from dataclasses import dataclass
from functools import cache
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urljoin, urlsplit

ADDRESSES = frozenset(
    ("action", "cite", "data", "formaction", "href", "poster", "src", "srcset", "xlink:href")
)
"""Attributes that hold an address."""
ATOM = "{http://www.w3.org/2005/Atom}"
XML_BASE = "{http://www.w3.org/XML/1998/namespace}base"
_CSS_ADDRESS = re.compile(r"url\(\s*['\"]?([^'\")]*)|@import\s+['\"]([^'\"]*)")


@dataclass(frozen=True, slots=True)
class Link:
    """An address in a page, with the element that has it."""

    tag: str
    address: str
    rel: frozenset[str]
    target: str | None


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.links: list[Link] = []
        self.ids: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        rel = frozenset((found.get("rel") or "").split())
        for name, value in attrs:
            if name in ADDRESSES:
                self.links.append(Link(tag, value or "", rel, found.get("target")))
            if name == "id" and value:
                self.ids.add(value)


@cache
def read_page(path: Path) -> _Reader:
    """The links and ids of a page."""
    reader = _Reader()
    reader.feed(path.read_text("utf-8"))
    reader.close()
    return reader


def page_faults(site: Path, page: Path) -> list[str]:
    """What is wrong with the links of a page, each with the address."""
    return [
        f"{page.relative_to(site)}: {link.address!r} {fault}"
        for link in read_page(page).links
        if (fault := _fault(site, page, link))
    ]


def style_faults(site: Path, sheet: Path) -> list[str]:
    """What is wrong with the addresses of a style sheet."""
    found = _CSS_ADDRESS.findall(sheet.read_text("utf-8"))
    links = [Link("style", one or other, frozenset(), None) for one, other in found]
    return [
        f"{sheet.relative_to(site)}: {link.address!r} {fault}"
        for link in links
        if (fault := _fault(site, sheet, link))
    ]


def feed_faults(site: Path, feed: Path) -> list[str]:
    """What is wrong with the links of an Atom feed, which are relative to its base."""
    root = ET.parse(feed).getroot()  # noqa: S314  # the site's own file
    base = urljoin(feed.as_uri(), root.get(XML_BASE, ""))
    faults = []
    for link in root.iter(f"{ATOM}link"):
        address = urlsplit(urljoin(base, link.get("href", "")))
        path = Path(unquote(address.path))
        if address.scheme == "https":
            continue
        if address.scheme != "file" or not path.is_relative_to(site) or not path.is_file():
            faults.append(f"{feed.relative_to(site)}: {link.get('href')!r} is no file of the site")
    return faults


def reached(site: Path, first: Path) -> set[Path]:
    """The pages that one comes to from a page by links."""
    found, waiting = {first}, [first]
    while waiting:
        page = waiting.pop()
        targets = {_target(page, link.address) for link in read_page(page).links if link.tag == "a"}
        new = {
            target
            for target in targets - found
            if target and target.suffix == ".html" and target.is_relative_to(site)
        }
        waiting += [target for target in new if target.is_file()]
        found |= set(waiting)
    return found


def _target(page: Path, address: str) -> Path | None:
    """The file that a relative address names."""
    parts = urlsplit(address)
    if parts.scheme or parts.netloc:
        return None
    return (page.parent / unquote(parts.path)).resolve() if parts.path else page


def _fault(site: Path, page: Path, link: Link) -> str | None:
    parts = urlsplit(link.address)
    if parts.scheme == "data":
        is_image = link.tag in ("img", "image", "style") and parts.path.startswith("image/")
        return None if is_image else "is data, and not an image"
    if parts.scheme or parts.netloc or link.address.startswith(("/", "\\")):
        return _outside_fault(link)
    target = _target(page, link.address)
    if not link.address or target is None:
        return "is empty"
    if not target.is_relative_to(site) or not target.is_file():
        return "is no file of the site"
    if parts.fragment:
        fragment = unquote(parts.fragment)
        if target.suffix != ".html" or fragment not in read_page(target).ids:
            return f"finds no id {fragment!r}"
    return None


def _outside_fault(link: Link) -> str | None:
    """A link out of the site is followed by a click, is safe, and tells nobody who came."""
    parts = urlsplit(link.address)
    if link.tag != "a":
        return "is loaded from outside of the site"
    if parts.scheme != "https" or not parts.hostname or "@" in parts.netloc:
        return "is not an address of the form https://HOST/..."
    if "noreferrer" not in link.rel:
        return "leads out of the site without rel=noreferrer"
    if link.target and "noopener" not in link.rel:
        return "has a target without rel=noopener"
    return None
