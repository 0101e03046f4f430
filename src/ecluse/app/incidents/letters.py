"""The letters an incident gives, to be read before anybody prints one: their words, how many people get each, what the rules say.

Counted from what was displayed: no seal is opened, so nobody is named, and who is a minor is not known here. That it was read is
an entry of the journal first.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

import msgspec

from ecluse.app.access import Disclosure
from ecluse.app.aside import aside
from ecluse.app.exposure.evidence import Told
from ecluse.app.hub import Hub
from ecluse.app.incidents.acts import known
from ecluse.app.incidents.events import INVESTIGATOR, SCOPE, finish
from ecluse.app.incidents.people import People, people_of
from ecluse.app.incidents.standing import scoped_of
from ecluse.breach.incident.cnil import case_of
from ecluse.breach.incident.papers import letters_of
from ecluse.breach.incident.state import Incident
from ecluse.breach.letter import Finding
from ecluse.breach.letters.compose import Shape, read_over
from ecluse.breach.letters.pack import About, Sender, about, read_shared
from ecluse.breach.shown import letter_fields
from ecluse.exposure.categories import Category, category
from ecluse.exposure.shown import Shown
from ecluse.gate.admission import Request
from ecluse.journal.entry import Operation
from ecluse.kernel.errors import Refused


class Draft(msgspec.Struct, frozen=True):
    """One letter to several people: its text with a made-up name, as an adult gets it, and as the holder of a child's contract.

    `shown`: what it says was seen. `findings`: rules that either does not keep; it may then not be sent.
    """

    people: int
    shown: tuple[str, ...]
    normal_care: bool
    text: str
    text_child: str
    findings: tuple[Finding, ...]


class Drafts(msgspec.Struct, frozen=True):
    """The letters of one insurer, those of most people first; `missing`: what must be stated before any can be written."""

    insurer: str
    people: int
    letters: tuple[Draft, ...]
    missing: str = ""


class Drafted(msgspec.Struct, frozen=True):
    """The letters of a version of an incident, insurer by insurer."""

    version: int
    insurers: tuple[Drafts, ...]


Same = tuple[frozenset[str], frozenset[str], bool]  # shown, not shown, whether care was billed


async def draft_letters(hub: Hub, name: str, insurers: Sequence[str], told: Told) -> Drafted:
    """The letters of every insurer of whom somebody was displayed, or of `insurers`.

    Raises `incident_unknown`, `incident_state` before its scope, `lake_behind`, `exposure_pruned`.
    """
    await finish(hub)
    incident = known(hub, name)
    scoped = scoped_of(incident)
    admission = hub.desk.admit(Request(INVESTIGATOR, hub.ids.new("inr_")), SCOPE, Operation.INCIDENT_READ, name)
    people = await aside(people_of, hub, await aside(hub.exposure.open_lake), admission, scoped, told)
    wanted = [each for each in sorted(people.shown) if not insurers or each in insurers]
    drafts = await aside(lambda: [_of_insurer(name, incident, insurer, people) for insurer in wanted])
    drafted = Drafted(incident.version, tuple(drafts))
    await hub.desk.release(admission, Disclosure(drafted, "letters"))
    return drafted


def _of_insurer(name: str, incident: Incident, insurer: str, people: People) -> Drafts:
    shown = people.shown[insurer]
    alike = Counter(map(_same, shown))
    by = {_same(each): people.by.get((insurer, each.person), ()) for each in reversed(shown)}
    shared = read_shared(msgspec.json.encode(letters_of(name, case_of(incident, insurer), len(shown))))
    try:
        said = about(shared, Sender())
    except Refused as refused:
        return Drafts(insurer, len(shown), (), refused.detail)
    return Drafts(insurer, len(shown), tuple(_drafted(alike.most_common(), by, said)))


def _same(each: Shown) -> Same:
    seen, unseen = letter_fields(each.fields)
    return frozenset(seen), frozenset(unseen), category(each) != Category.UNEXPLAINED


def _drafted(alike: list[tuple[Same, int]], by: dict[Same, tuple[str, ...]], said: About) -> Iterator[Draft]:
    for same, count in alike:
        seen, unseen, normal_care = same
        shapes = [Shape("person", seen, unseen, by[same], normal_care, child) for child in (False, True)]
        (text, wrong), (text_child, wrong_child) = (read_over(shape, said) for shape in shapes)
        findings = tuple(dict.fromkeys(wrong + wrong_child))
        yield Draft(count, tuple(sorted(seen)), normal_care, text, text_child, findings)
