"""Alerts that explain themselves: a signal, how strong it is, its evidence as data, and one sentence of it in two languages.

Evidence counts and dates; it names no patient, so it may stand in the journal. A sentence names nobody at all, so it may be shown
to the account.
"""

from __future__ import annotations

import msgspec

from ecluse.gate.signals import SIGNALS, Name, Step
from ecluse.kernel.days import instant, paris_day


class Evidence(msgspec.Struct, frozen=True):
    """The latest trials that speak against the account: `hits` of `tries` between two instants (Unix seconds).

    `usual`: the account's own rate; `bound`: what it would have been allowed (p0). `decoy`: the batch that was touched and the
    place in it; `shown_by`: the account to which the pass was shown just before, far away. Both are for operators: no sentence
    says them.
    """

    hits: int
    tries: int
    since_s: int
    until_s: int
    usual: float
    bound: float
    decoy: str = ""
    shown_by: str = ""


class Alert(msgspec.Struct, frozen=True):
    """A signal reached a step of the ladder. An honest account ever does with probability at most 10^-`e_value_log10`."""

    signal: Name
    step: Step
    e_value_log10: float
    evidence: Evidence

    @property
    def alpha(self) -> float:
        """The chance, over a career, that an honest account is ever quarantined by this signal."""
        return SIGNALS[self.signal].alpha


# What hit, of what, in French and in English.
_WORDS: dict[Name, tuple[str, str]] = {
    Name.MISSES: ("questions typées n'ont rien confirmé", "typed questions confirmed nothing"),
    Name.MISSES_OF_NEW: (
        "questions sur des personnes nouvelles n'ont rien confirmé",
        "questions about new people confirmed nothing",
    ),
    Name.UNCLAIMED: ("consultations de droits sont restées sans facture", "look-ups were never followed by a claim"),
    Name.STRANGERS: ("patients du jour n'étaient jamais venus", "people asked about were new to this account"),
    Name.INSURERS: ("questions portaient sur des organismes inhabituels", "questions were about unusual insurers"),
    Name.BIRTHPLACES: (
        "questions portaient sur des lieux de naissance inhabituels",
        "questions were about unusual places of birth",
    ),
    Name.NEIGHBOURS: ("NIR suivaient de près le précédent", "NIRs were neighbours of the one before"),
    Name.COURSE: ("NIR poursuivaient un ordre de tri", "NIRs went on in sorted order"),
    Name.PACE: ("questions avaient le rythme d'une machine", "questions came at a machine's pace"),
    Name.HOURS: ("connexions tombaient hors des heures habituelles", "logins were outside the usual hours"),
    Name.SURROUNDINGS: (
        "connexions venaient d'un réseau, d'un poste ou d'un logiciel nouveau",
        "logins came from a new network, device or software",
    ),
    Name.FAR_PASSES: ("laissez-passer venaient d'être présentés trop loin", "passes had just been shown too far away"),
    Name.DETAILS: ("jours ont vu changer les coordonnées", "days saw bank or contact details change"),
    Name.SURGE: ("jours ont ouvert plus de personnes que de coutume", "days opened more people than usual"),
    Name.DECOYS: ("questions ou connexions touchaient un leurre", "questions or logins touched a decoy"),
    Name.STRANGERS_ELSEWHERE: (
        "patients demandés depuis un réseau ou un logiciel nouveau n'étaient jamais venus",
        "people asked about from a new network or software were new to this account",
    ),
    Name.DENIALS: ("personnes consultées ont répondu « ce n'était pas pour moi »", "people looked up said “not me”"),
}


def sentence_fr(alert: Alert) -> str:
    """One sentence, in French."""
    seen, (words, _) = alert.evidence, _WORDS[alert.signal]
    days = _days(seen, "le {0:%d/%m/%Y}", "du {0:%d/%m/%Y} au {1:%d/%m/%Y}")
    rate = f"d'habitude {_percent(seen.usual, ',')} %, au plus {_percent(seen.bound, ',')} %"
    return f"{seen.hits} sur {seen.tries} {words}, {days} ; {rate}."


def sentence_en(alert: Alert) -> str:
    """One sentence, in English."""
    seen, (_, words) = alert.evidence, _WORDS[alert.signal]
    days = _days(seen, "on {0}", "from {0} to {1}")
    rate = f"usually {_percent(seen.usual, '.')} %, at most {_percent(seen.bound, '.')} %"
    return f"{seen.hits} of {seen.tries} {words}, {days}; {rate}."


def _days(seen: Evidence, one: str, two: str) -> str:
    first, last = (paris_day(instant(at_s * 1_000_000)) for at_s in (seen.since_s, seen.until_s))
    return (one if first == last else two).format(first, last)


def _percent(rate: float, point: str) -> str:
    return f"{rate * 100:.3g}".replace(".", point) if rate > 1e-6 else "0"
