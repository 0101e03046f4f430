"""Families of care, as one table of the book says them: what is billed together, and which parameters hold its rates.

The table is rules/fr/amo_families.yaml. It holds names only, never a value: values are dated, and stand in their own files.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from ecluse.rules.parameter import Lines, Parameter

# Key of the table → the unit its parameters must have; those of `ALWAYS` stand in every family.
UNITS_OF = {"general": "rate", "alsace_moselle": "rate", "outside": "rate", "kept": "cents"}
ALWAYS = ("label", "domains", "general", "alsace_moselle")
LISTS = ("domains", "acts", *UNITS_OF)


class Family(msgspec.Struct, frozen=True):
    """Care that the compulsory scheme pays alike. Every field but the label holds codes, or names of parameters."""

    label: str
    domains: tuple[str, ...]
    general: tuple[str, ...]
    alsace_moselle: tuple[str, ...]
    acts: tuple[str, ...] = ()
    outside: tuple[str, ...] = ()
    kept: tuple[str, ...] = ()


def read_families(name: str, text: str, parameters: Mapping[str, Parameter]) -> Iterator[Family]:
    """The families of file `name`. Raises `rule_invalid` for an unknown key, or a parameter of another unit."""
    lines = Lines(name, text)
    for node in lines.table(lines.root).values():
        keys = lines.table(node)
        if unknown := keys.keys() - {"label", *LISTS}:
            raise lines.wrong(node, f"the key {min(unknown)} is unknown")
        if missing := [key for key in ALWAYS if key not in keys]:
            raise lines.wrong(node, f"{', '.join(missing)} is missing")
        fields: dict[str, Any] = {key: lines.texts(keys[key]) for key in LISTS if key in keys}
        for key, unit in UNITS_OF.items():
            for each in fields.get(key, ()):
                if each not in parameters or parameters[each].unit != unit:
                    raise lines.wrong(keys[key], f"{each} is not a parameter in {unit}")
        yield Family(label=lines.text(keys["label"]), **fields)
