"""What detectors found of accounts, for people to read: the last alert of each signal, with one sentence of its evidence."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

import msgspec

from ecluse.app.decoys import labels
from ecluse.app.hub import Hub
from ecluse.app.ports.sensings import Alerting
from ecluse.gate.alerts import Evidence, sentence_en, sentence_fr
from ecluse.kernel.days import instant

ALERTS_MAX = 1_000  # a screen is forty


class AlertTold(msgspec.Struct, frozen=True):
    """An alert. `step`: what it asks of the ladder; an honest account ever gets that far with probability 10^-`e_value_log10`.

    `planted`: where the decoy was planted that it touched, while that stands: only operators are told.
    """

    account: str
    at: datetime
    signal: str
    step: str
    e_value_log10: float
    sentence_fr: str
    sentence_en: str
    evidence: Evidence
    planted: str = ""


def alerts(hub: Hub, account: str = "", limit: int = ALERTS_MAX) -> tuple[AlertTold, ...]:
    """The last alert of each signal of an account, or of every account, the latest first."""
    found = hub.sensings.alerts(account, min(limit, ALERTS_MAX))
    planted = labels(hub) if any(each.alert.evidence.decoy for each in found) else {}
    return tuple(_told(each, planted) for each in found)


def _told(found: Alerting, planted: Mapping[str, str]) -> AlertTold:
    alert = found.alert
    return AlertTold(
        account=found.account,
        at=instant(found.at_s * 1_000_000),
        signal=alert.signal.name.lower(),
        step=alert.step.name.lower(),
        e_value_log10=round(alert.e_value_log10, 1),
        sentence_fr=sentence_fr(alert),
        sentence_en=sentence_en(alert),
        evidence=alert.evidence,
        planted=planted.get(alert.evidence.decoy.partition(" ")[0], ""),
    )
