"""CNIL's form as one accessible French page, without script or other file; what is left to do is marked in words."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template

from ecluse.breach.incident.cnil import Form
from ecluse.breach.incident.lines import lines


def page(form: Form) -> bytes:
    """The whole page, in UTF-8."""
    return _template().render(form=form, lines=lines).encode()


@cache
def _template() -> Template:
    folder = FileSystemLoader(Path(__file__).parent)
    return Environment(loader=folder, autoescape=True, undefined=StrictUndefined, trim_blocks=True).get_template(
        "form.html"
    )
