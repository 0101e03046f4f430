"""An installation as facts, for `app/doctor.py`: opened as far as it opens."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar
from warnings import catch_warnings

from msgspec.structs import replace

from ecluse.app.lost_runs import lost_runs
from ecluse.app.ports.upkeep import Facts, InsurerFacts, Refusal, StoreFacts
from ecluse.engines.clock import SystemClock
from ecluse.engines.machine import machine_facts, port_state, shares_disk
from ecluse.engines.parts import PART_MISSING, RESTORED, faults, remedy
from ecluse.gate.identity import INSURER_SCHEME
from ecluse.kernel.errors import Refused
from ecluse.settings import EXAMPLE_IBAN, EXAMPLE_ORIGIN, Settings, read_settings, unknown_variables
from ecluse.wiring import OpenHub, open_hub
from ecluse.wiring.gate import FILE as GATE
from ecluse.wiring.gate import read_caps
from ecluse.wiring.issuers import trusted_issuers
from ecluse.wiring.portal import check_portal

Result = TypeVar("Result")


def examine(directory: Path) -> Facts:
    """What `app/doctor.py` judges: the hub in `directory`, opened as far as it opens; nothing is made that is not there."""
    settings, refused = _opened("settings", lambda: read_settings(directory))
    facts = machine_facts(directory)
    if settings is None:
        return replace(facts, refused=refused)
    issuers, also = _opened("issuers", lambda: trusted_issuers(settings, directory, SystemClock()))
    refused += also
    _, also = _opened("portal", lambda: check_portal(settings, directory))
    refused += also
    caps, _ = _opened("caps", lambda: read_caps(directory, settings.gate))  # what is wrong with them, the hub says
    is_pruned = any(each.pruned for each in facts.journal.shards) if facts.journal else False
    store, also = _opened("hub", lambda: _store_facts(directory, settings, is_pruned=is_pruned))
    looked_at = settings.store.url.removeprefix("sqlite:") if store else ""  # by the store itself, and more closely
    http = settings.http
    return replace(
        facts,
        refused=refused + also,
        production=settings.production,
        sealed=not settings.keys.url.startswith("file:")
        or bool(settings.keys.passphrase or settings.keys.passphrase_file),
        example_account=settings.bank.iban == EXAMPLE_IBAN,
        issuers=len(issuers.trusted) if issuers else 0,
        development_issuers=sum(each.development for each in settings.issuers),
        unbounded=_unbounded(settings),
        named=bool(http.public_url),
        certificates=bool(http.certificate_header),
        in_flight_max=http.in_flight_max,
        keep_months=settings.journal.keep_months,
        origin=settings.journal.origin,
        origin_unset=EXAMPLE_ORIGIN in settings.journal.origin,
        heads_beside=shares_disk(directory / settings.journal.place, directory / settings.journal.heads),
        watched=len(settings.journal.witnesses),
        detectors=settings.gate.detectors,
        beginning=caps.beginning if caps else None,
        variables=unknown_variables(),
        port=port_state(http.host, http.port),
        damaged=faults(directory, looked_at),
        store=store,
    )


def _unbounded(settings: Settings) -> tuple[str, ...]:
    """Issuers that may vouch for anybody; or for every insurer, where there are several."""
    real = [each for each in settings.issuers if not each.development]
    every = [each for each in real if INSURER_SCHEME in each.subjects and len(real) > 1]
    return tuple(each.name for each in real if not each.subjects or each in every)


def _store_facts(directory: Path, settings: Settings, *, is_pruned: bool) -> StoreFacts:
    key_scheme, _, key_place = settings.keys.url.partition(":")
    scheme, _, place = settings.store.url.partition(":")
    if key_scheme == "file" and not (directory / key_place).is_file():
        raise PART_MISSING(f"{key_place} is not there")
    if scheme == "sqlite" and not (directory / place).is_file():
        raise PART_MISSING(f"{place} is not there", fix=RESTORED)
    if is_pruned and not (directory / GATE).is_file():  # opening would make a new one
        raise PART_MISSING(f"{GATE} is not there, and months it has openings of are pruned", fix=remedy(GATE))
    with catch_warnings(action="ignore"), open_hub(directory) as hub:
        return hub.run(_stored(hub))


async def _stored(hub: OpenHub) -> StoreFacts:
    integrity = await hub.stores.upkeep.integrity()
    if any(fault.grave for fault in integrity.faults):
        return StoreFacts(integrity)
    insurers = tuple(
        [
            InsurerFacts(amc, rights, readable, hub.keys.has(amc), len(await hub.products.names(amc)))
            for amc, rights, readable in await hub.stores.upkeep.insurers()
        ]
    )
    runs = await hub.payments.runs(unwritten=True)
    lost = tuple(await lost_runs(hub.payments, hub.post))
    return StoreFacts(integrity, insurers, await hub.stores.upkeep.feeds(), tuple(run.id for run in runs), lost)


def _opened(what: str, opening: Callable[[], Result]) -> tuple[Result | None, tuple[Refusal, ...]]:
    """What opens, or why it does not."""
    try:
        return opening(), ()
    except Refused as said:
        return None, (Refusal(what, f"{said.code}: {said.detail}", said.fix),)
    except Exception as broken:  # noqa: BLE001 - whatever keeps a hub from opening is what a doctor has to say
        return None, (Refusal(what, f"{type(broken).__name__} while it was opened", "Restore it from its copy."),)
