"""How likely harm is, how severe, and so which risk: rules over known facts, each with its sentence and its source.

Promise: nothing worse among the facts ever gives less risk. More data, a worse recipient, a proved exfiltration, more people,
malice or a longer outage only add; what protects people is a fact of its own (`readable`, a confirmed deletion), never a gap.
"""

from __future__ import annotations

import msgspec

from ecluse.breach.known import INSIDER, Known
from ecluse.breach.tables import RISKS, Category, RiskLevel, risk_table

TRUE_HASH = "strong_salted"
CARE = "care"


class Reason(msgspec.Struct, frozen=True):
    """A sentence in French and the text it rests on."""

    rule: str
    say: str
    source: str

    def __str__(self) -> str:
        return f"{self.say} ({self.source})."


class Harm(msgspec.Struct, frozen=True):
    """A likelihood (0 to 3), a severity (0 to 4) and what they come from."""

    likelihood: int
    severity: int
    because: tuple[Reason, ...] = ()


class Judged(msgspec.Struct, frozen=True):
    """The risk to people, with every reason; `harm` is the worst side (confidentiality, or availability and integrity)."""

    risk: RiskLevel
    harm: Harm
    because: tuple[Reason, ...]


def reason(rule: str, **values: object) -> Reason:
    """The sentence of a rule of risk.toml."""
    row = risk_table().rules[rule]
    return Reason(rule, row.say.format(**values), row.source)


def judge(found: Known) -> Judged:
    """The risk of a breach whose facts are all known."""
    told = _read_by_others(found)
    sides = [side for side in (told, _out_of_reach(found)) if side is not None]
    ranked = sorted(sides, key=lambda each: (RISKS.index(_table(each)), each.severity, each.likelihood))
    if not ranked:
        return Judged("none", Harm(0, 0), ())
    worst = ranked[-1]
    because = [each for side in reversed(ranked) for each in side.because]
    words = risk_table().words
    because.append(
        reason(
            "table",
            likelihood=words.likelihood[worst.likelihood].lower(),
            severity=words.severity[worst.severity].lower(),
            risk=words.risk[_table(worst)],
        )
    )
    risk = _table(worst)
    for rule, least in _raised(found, told):
        risk = max(risk, least, key=RISKS.index)
        because.append(rule)
    return Judged(risk, worst, tuple(because))


def readable(found: Known) -> tuple[Category, ...]:
    """The categories that whoever has them can read."""
    if not found.readable:
        return ()
    hashed = found.sent.hash == TRUE_HASH or (found.sent.unintelligible and found.sent.hash is None)
    return tuple(each for each in found.categories if not (hashed and "hashed" in each.facets))


def facets(categories: tuple[Category, ...]) -> frozenset[str]:
    """All that these categories are."""
    return frozenset().union(*(each.facets for each in categories))


# ------------------------------------------------------------------------------------------------------- confidentiality


def _read_by_others(found: Known) -> Harm | None:
    if not found.confidentiality:
        return None
    if not found.readable:
        return Harm(0, 0, (reason("unintelligible"),))
    likelihood, why_likely = _likelihood(found)
    severity, why_severe = _severity(found)
    if found.sent.impersonation or found.sent.accounts_opened:
        likelihood, severity = 3, max(severity, 3)
    return Harm(likelihood, severity, (*why_likely, *why_severe))


def _likelihood(found: Known) -> tuple[int, list[Reason]]:
    sent, level, why = found.sent, found.exposure, []
    if sent.recipient:
        row = risk_table().recipients[sent.recipient]
        why.append(Reason(f"recipient_{sent.recipient}", row.say, row.source))
    if sent.cause == INSIDER:
        why.append(reason("insider"))
    if sent.device and not sent.recipient:
        why.append(reason("lost_device"))
    if sent.exfiltration:
        word = {"proved": "taken", "possible": "maybe_taken", "none_proved": "none_proved"}[sent.exfiltration]
        why.append(reason(word))
    if _exposed_long(found):
        level, why = level + 1, [*why, reason("exposed_long", days=f"{risk_table().exposed.long_days:g}")]
    if sent.recipient_confirmed_deletion and sent.recipient and risk_table().recipients[sent.recipient].bound:
        level, why = level - 1, [*why, reason("deleted")]
    if sent.remote_wiped and sent.device:
        level, why = level - 1, [*why, reason("wiped")]
    if sent.systemic not in (False, "no"):
        level, why = level + 1, [*why, reason("systemic")]
    effect = risk_table().consequences[sent.consequence_on_persons or "none"]
    return max(min(level, 3), effect.likelihood, 0), why


def _exposed_long(found: Known) -> bool:
    """Open to people nobody knows for long; what one known person received does not grow with time."""
    row = risk_table().recipients.get(found.sent.recipient or "")
    days = found.sent.duration_days or 0
    unknown = row is None or not row.bound
    return unknown and found.sent.exfiltration != "none_proved" and days >= risk_table().exposed.long_days


def _severity(found: Known) -> tuple[int, list[Reason]]:
    """From 0 to 4: the worst category, what several say together, what is known of the people."""
    kept = readable(found)
    weighed = [(_harm(each, found), each.label) for each in kept]
    level = max((harm for harm, _ in weighed), default=0)
    named = sorted({label for harm, label in weighed if harm == level})
    said = risk_table().words.severity[level].lower()
    why = [reason("data", labels=", ".join(named), severity=said)] if named else []
    why += _about_passwords(found)
    have = facets(kept)
    together = (
        ("name_and_birth_date", {"name", "birth_date"} <= have),
        ("reached_by_attacker", {"name", "reach"} <= have and hostile(found)),
    )
    for rule, holds in together:
        if holds and level < 2:
            level, why = 2, [*why, reason(rule)]
    if found.sent.special_category_certain and kept:
        level, why = 4, [*why, reason("special_certain")]
    level, more = _people(found, level)
    return level, why + more


def _people(found: Known, level: int) -> tuple[int, list[Reason]]:
    sent, why = found.sent, []
    if level >= 2 and (sent.vulnerable_persons or "minor" in facets(readable(found))):
        level, why = min(level + 1, 4), [reason("vulnerable")]
    effect = risk_table().consequences[sent.consequence_on_persons or "none"]
    if effect.say:
        why.append(Reason(f"consequence_{sent.consequence_on_persons}", effect.say, effect.source))
    why += [reason(rule) for rule in ("impersonation", "accounts_opened") if getattr(sent, rule)]
    return max(level, effect.severity if level else 0), why


def hostile(found: Known) -> bool:
    """Whether whoever has the data wants to harm: an attacker, but neither somebody told by mistake nor who left for a rival."""
    row = risk_table().recipients.get(found.sent.recipient or "")
    if row is None:
        return found.malicious and found.sent.cause != INSIDER
    return row.hostile or (row.open and found.malicious)


def _harm(category: Category, found: Known) -> int:
    if "hashed" in category.facets and found.sent.forced_reset:
        return 1
    return category.harm


def _about_passwords(found: Known) -> list[Reason]:
    if "hashed" not in facets(found.categories):
        return []
    strong = len(readable(found)) < len(found.categories)
    why = [reason("strong_hash" if strong else "weak_hash")]
    return [*why, reason("reset")] if found.sent.forced_reset else why


# -------------------------------------------------------------------------------------------- availability and integrity


def _out_of_reach(found: Known) -> Harm | None:
    if not (found.availability or found.integrity):
        return None
    sent, limits = found.sent, risk_table().outage
    effect = risk_table().consequences[sent.consequence_on_persons or "none"]
    cares = CARE in facets(found.categories)
    severity = max(3 if cares else 1, effect.severity if found.categories else 0) if found.categories else 0
    if found.integrity and found.categories:
        severity = max(severity, min(3, *(max(each.harm for each in found.categories),)))
    why = [reason("altered")] if found.integrity else []
    if sent.backup is False:
        why.append(reason("no_backup"))
    if sent.restored_within_h is not None and sent.restored_within_h <= limits.short_h:
        why.append(reason("outage_short", hours=f"{sent.restored_within_h:g}"))
    elif sent.restored_within_h is not None:
        why.append(reason("outage_long", hours=f"{limits.short_h:g}"))
    if cares:
        why.append(reason("care_data"))
    if effect.say and not found.confidentiality:
        why.append(Reason(f"consequence_{sent.consequence_on_persons}", effect.say, effect.source))
    return Harm(max(found.outage, effect.likelihood), severity, tuple(why))


# ------------------------------------------------------------------------------------------------ above the two of them


def _table(harm: Harm) -> RiskLevel:
    return risk_table().table.levels[harm.likelihood][harm.severity]


def _raised(found: Known, told: Harm | None) -> list[tuple[Reason, RiskLevel]]:
    """What raises the risk whatever the table says: each with the least it asks for. Nothing in here lowers it."""
    if told is None or told.severity == 0:
        return []
    raised = _by_scale(found, told)
    if found.malicious:
        raised.append((reason("malice"), "risk"))
    ill_meant = found.malicious or hostile(found)
    if ill_meant and {"name", "document"} <= facets(readable(found)) and found.sent.exfiltration != "none_proved":
        raised.append((reason("national_number"), "high"))
    return raised


def _by_scale(found: Known, told: Harm) -> list[tuple[Reason, RiskLevel]]:
    """Many people: one level more, where the data are with somebody who may use them."""
    scale, risk = risk_table().scale, _table(told)
    if told.likelihood < 2:
        return []
    if risk == "none" and found.persons > scale.noted_over:
        return [(reason("noted_scale", persons=scale.noted_over), "risk")]
    if risk == "risk" and found.persons > scale.large_over:
        return [(reason("large_scale", persons=scale.large_over), "high")]
    return []
