"""A letter as one French page: headings in order, real lists, light and dark, readable at any size, no script and no link."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from html import escape
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from ecluse.breach.letters.compose import Block, filled

_HERE = Path(__file__).parent


def page(title: str, sender: Sequence[str], blocks: Sequence[Block]) -> str:
    """The page; places are kept, to be filled by `fill`."""
    return _words().get_template("letter.html").render(title=title, sender=sender, blocks=blocks)


def fill(template: str, values: Mapping[str, str]) -> str:
    """The same with each person's own in its place, escaped."""
    return filled(template, {name: escape(value) for name, value in values.items()})


@cache
def _words() -> Environment:
    return Environment(
        loader=FileSystemLoader(_HERE), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
