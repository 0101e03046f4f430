"""The operator's file of cards: what CNIL's form and DORA's ask of each organisation, whatever the incident."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import msgspec
from msgspec import Meta, field

from ecluse.app.ports.cards import Cards
from ecluse.breach.incident.events import HUB
from ecluse.breach.incident.own import Card
from ecluse.kernel.errors import refusal
from ecluse.kernel.ids import amc

INSURERS_MAX = 1_000  # ten times those of a large hub

CARDS_INVALID = refusal(
    "organisations_invalid",
    500,
    "The file of organisations cannot be read",
    fix="Mend the file that incidents.organisations names: docs/breach.md has its form.",
)


class CardFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`[hub]`, and `[insurers.AMC]` for each."""

    hub: Card = field(default_factory=Card)
    insurers: Annotated[dict[str, Card], Meta(max_length=INSURERS_MAX)] = field(default_factory=dict)


def read_cards(file: Path) -> Cards:
    """The cards of a file; none where there is no such file. Raises `organisations_invalid`, `amc_invalid`."""
    try:
        found = msgspec.toml.decode(file.read_bytes(), type=CardFile)
    except FileNotFoundError:
        return {}
    except (OSError, msgspec.MsgspecError) as wrong:
        raise CARDS_INVALID(f"{file}: {wrong}") from None
    cards = {HUB: found.hub, **{str(amc(number)): each for number, each in found.insurers.items()}}
    return {party: told for party, each in cards.items() if (told := _said(each))}


def _said(card: Card) -> dict[str, object]:
    """What it says, as the journal gives it back, so that both compare."""
    plain: dict[str, object] = msgspec.json.decode(msgspec.json.encode(card))
    return {name: value for name, value in plain.items() if value is not None}
