"""A quote and some claims of the run, explained by the hub as its operator would ask, and held against what was answered.

The auditor's rule holds here too: the bars of a line are the amounts that went over HTTP, to the cent.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from ecluse.app.explain import ExplainedLine, Explanation
from ecluse.coverage.waterfall import BarKind
from sim import hub, truth
from sim.auditor.answers import Listener
from sim.auditor.told import Record
from sim.player import Played

TRIED_MAX = 8  # a first contract that pays everything leaves nothing to the second: then another claim is asked for

Json = dict[str, Any]


@dataclass(frozen=True)
class Wish:
    """A line worth showing: of a quote or a claim, in one of these domains, under so many contracts; no acts is any act."""

    heading: str
    calls: tuple[str, ...]
    domains: tuple[str, ...]
    contracts: int
    acts: tuple[str, ...] = ()


@dataclass(frozen=True)
class Shown:
    """A card of the report."""

    heading: str
    id: str
    line: ExplainedLine


WISHES = (
    Wish("Au-dessus de la base, chez un spécialiste", ("quote",), ("MED",), 1, ("CS", "APC", "CNP")),
    Wish("Lunettes ou aide auditive", ("claim",), ("OPTI", "AUDI"), 1),
    Wish("Deux contrats, l’un après l’autre", ("claim", "quote"), ("MED", "RADI", "DENT", "OPTI", "AUDI"), 2),
    Wish("Des séances comptées sur l’année", ("claim",), ("AUXM",), 1, ("OST",)),
)


def explained(directory: Path, listener: Listener, record: Record, played: list[Played]) -> list[Shown]:
    """What was found of the wishes: in a hamlet, nobody may have two contracts. Raises `Lie`."""
    return [found for wish in WISHES if (found := _granted(wish, directory, listener, record, played))]


def _granted(wish: Wish, directory: Path, listener: Listener, record: Record, played: list[Played]) -> Shown | None:
    for _, (id_, answered) in zip(range(TRIED_MAX), _candidates(wish, listener, played), strict=False):
        said = _asked(id_, directory, record)
        explanation = msgspec.convert(said, Explanation)
        line = next(each for each in explanation.explained if each.line == answered["line"])
        cents = {kind: [bar.cents for bar in line.waterfall.bars if bar.kind is kind] for kind in BarKind}
        paid = [-each for each in cents[BarKind.CONTRACT]]
        amounts = (-cents[BarKind.AMO][0], sum(paid), cents[BarKind.LEFT][0])
        told = (answered["amo_cents"], answered["amc_cents"], answered["patient_cents"])
        listener.oath.same("explained to the cent", id_, amounts, told)
        listener.oath.same("explained to the cent", id_, sum(cents[BarKind.EXPENSE]) - sum(amounts), 0)
        if all(paid) and len(paid) == wish.contracts:
            return Shown(wish.heading, id_, line)
    return None


def _asked(id_: str, directory: Path, record: Record) -> Json:
    """What the operator reads; it is told to somebody, so the record has it."""
    sent_at = time.time()
    said: Json = hub.command("explain", id_, "--dir", str(directory))
    record.explained(id_, sent_at, time.time(), said)
    return said


def _candidates(wish: Wish, listener: Listener, played: list[Played]) -> Iterator[tuple[str, Json]]:
    """The id of a quote or claim, and a line of its answer: dearer than its base, which contracts pay."""
    for each in sorted(played, key=lambda each: each.planned.name):
        must = each.planned.must
        if each.planned.call not in wish.calls or must.outcome not in ("quoted", "accepted") or must.same_as >= 0:
            continue
        answer = json.loads(each.answer)
        assert isinstance(each.request, dict)
        who = listener.about(each.request, must.domain)
        if (
            who is None
            or who[2] not in wish.domains
            or len(truth.open_contracts(listener.world, *who)) != wish.contracts
        ):
            continue
        for sent, line in zip(each.request["lines"], answer["lines"], strict=True):
            wished = not wish.acts or sent["act"] in wish.acts
            if wished and line["amc_cents"] and sent["expense_cents"] > sent["base_cents"]:
                yield answer.get("claim_id") or answer["quote_id"], line
