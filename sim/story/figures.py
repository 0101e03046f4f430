"""The story in numbers, for `summary.json` and its page, all of them from the run. Shares are from 0 to 1, times in seconds."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any

from sim.attacks.aims import leaked, portal
from sim.auditor.exposure import by_member
from sim.auditor.told import Member
from sim.seeds import stream
from sim.story.care import Fared
from sim.story.play import MANY, ONE, Story, microseconds, seconds

Json = dict[str, Any]


def figures(story: Story) -> Json:
    """Everything that is counted."""
    first, whole = story.exposures
    took = {name: round(value, 2) for name, value in (*story.room.took_s.items(),)}
    return {
        "year": 2024,
        "incident": story.room.incident,
        "version": story.shown["version"],
        "from": story.shown["from"],
        "to": story.shown["to"],
        "accounts": accounts(story),
        "alert": alert(story),
        "first": counts(first),
        "whole": counts(whole),
        "exact": exact(story),
        "insurers": insurers(story),
        "portal": portal_of_2024(story),
        "decisions": decisions(story),
        "clocks": len(story.clocks),
        "letters": letters(story),
        "proofs": sum(each.proofs for each in story.packs.values()),
        "evidence": {name: story.evidence[name] for name in ("entries", "events", "files")} | {"said": story.verified},
        "care": {kind: fared(getattr(story.care, kind)) for kind in ("thief", "present", "typed", "others")},
        "meanwhile": meanwhile(story),
        "crossings": {name: crossing(each) for name, each in story.crossings.items()},
        "added": added(story.crossings),
        "at_s": {name: round(value, 2) for name, value in story.room.at_s.items()},
        "took_s": took,
    }


def counts(said: Json) -> Json:
    """The three counts of one answer, and people by field."""
    fields: dict[str, int] = {}
    for part in said["insurers"]:
        for name, people in part["displayed"]["fields"].items():
            fields[name] = fields.get(name, 0) + people
    return {
        "referenced": said["referenced"],
        "reachable": said["reachable"],
        "displayed": said["displayed"]["people"]["at_most"],
        "at_least": said["displayed"]["people"]["at_least"],
        "times": said["displayed"]["times"],
        "told": said["truth_people"],
        "fields": fields,
    }


def exact(story: Story) -> Json:
    """Everybody that packs name, against everybody who was told of over HTTP: missing, too many.

    Of those: whom the thieves were told of; and whom practices asked about themselves with the same accounts in the same minutes.
    """
    start, end = (microseconds(story.shown[name]) for name in ("from", "to"))
    mine = [
        told
        for told in story.run.robbery.tellings
        if told.account in story.accounts and start <= told.sent_us and told.received_us <= end
    ]
    told = set(by_member(mine))
    named = {
        Member(insurer, row["member_number"], row["birth_date"], row["birth_rank"])
        for insurer, pack in story.packs.items()
        for row in pack.letters
    }
    stolen = named & {member for name in (ONE, MANY) for member in members(story, story.loot[name].people)}
    return {
        "told": len(told),
        "named": len(named),
        "missing": len(told - named),
        "too_many": len(named - told),
        "to_thief": len(stolen),
        "by_practices": len(named - stolen),
    }


def members(story: Story, people: Iterable[int]) -> Iterator[Member]:
    """These people of the world, as their insurers name them."""
    for number in people:
        person = story.run.world.people[number]
        for row in story.run.world.rights(person):
            yield Member(row.insurer, row.member_number, person.birth_date, person.birth_rank)


def accounts(story: Story) -> Json:
    """How many accounts were stolen, how many a detector named before anybody asked, where each stands once cut."""
    steps: dict[str, int] = {}
    for step in story.steps.values():
        steps[step] = steps.get(step, 0) + 1
    return {
        "first": len(story.loot[ONE].stolen),
        "all": len(story.accounts),
        "stolen": story.accounts,
        "alerted": len(story.alerted),
        "steps": steps,
    }


def alert(story: Story) -> Json:
    """The first alert about the first account: how long after the first stolen question. To the second; null where none came."""
    if not story.alert:
        return {"at": None, "after_s": None, "sentence": None}
    after_s = seconds(story.alert["at"]) - story.loot[ONE].began_ts
    return {
        "at": story.alert["at"],
        "after_s": max(0, round(after_s)),
        "sentence": story.alert["sentence_fr"],
    }


def insurers(story: Story) -> list[Json]:
    """For each insurer: its counts, its letters, what a person must still fill in CNIL's form."""
    sent = {each.insurer: each for each in story.letters}
    found = []
    for part in story.shown["scope"]["insurers"]:
        number = part["insurer"]
        pack = story.packs[number]
        found.append(
            {
                "number": number,
                "name": story.run.world.insurer(number).name,
                "referenced": part["referenced"],
                "reachable": part["reachable"],
                "displayed": part["displayed"]["at_most"],
                "people": len(pack.letters),
                "letters": sent[number].letters if number in sent else 0,
                "proofs": pack.proofs,
                "to_fill": len(pack.to_fill),
            }
        )
    return sorted(found, key=lambda each: -each["displayed"])


def portal_of_2024(story: Story) -> Json:
    """The model of the portal, on the same list: people copied with as many questions, and how many questions take everybody."""
    world = story.run.world
    aims = list(leaked(world, stream(world.seed, "list", ONE)))
    line = portal(world, aims)
    everybody = line[-1][1]
    return {
        "asked": story.loot[ONE].asked,
        "copied": story.loot[ONE].portal[-1][1],
        "asked_many": story.loot[MANY].asked,
        "copied_many": story.loot[MANY].portal[-1][1],
        "everybody": everybody,
        "everybody_after": next(asked for asked, told in line if told == everybody),
        "told": story.loot[ONE].confirmed,
        "told_many": story.loot[MANY].confirmed,
        "newly": story.loot[ONE].newly,
        "newly_many": story.loot[MANY].newly,
        "blind": [
            {"asked": each.asked, "told": each.confirmed, "newly": each.newly, "portal": each.portal[-1][1]}
            for each in story.run.loot
            if each.scenario.name == "blind"
        ],
    }


def decisions(story: Story) -> Json:
    """How many insurers tell the authority and the persons; how many reports are major under DORA; why, of one of them."""
    signed = [each for each in story.shown["decisions"] if each["party"] != "hub"]
    hub = next(each for each in story.shown["decisions"] if each["party"] == "hub")
    some = next((each for each in signed if each["signed"]["register"]), hub)
    return {
        "insurers": len(signed),
        "authority": sum(bool(each["signed"]["authority"]) for each in signed),
        "persons": sum(bool(each["signed"]["persons"]) for each in signed),
        "register": sum(bool(each["signed"]["register"]) for each in signed),
        "major": sum(bool((each["dora"] or {}).get("major")) for each in signed),
        "hub": {name: hub["signed"][name] for name in ("controllers", "register", "authority", "persons")},
        "severity": some["answer"].get("severity"),
        "likelihood": some["answer"].get("likelihood"),
        "why": some["answer"].get("why", []),
        "enisa": {"se": some["answer"].get("se"), "band": some["answer"].get("band")},
    }


def letters(story: Story) -> Json:
    """Letters made, through the holder, read by the linter; of professionals."""
    rows = [row for pack in story.packs.values() for row in pack.letters]
    return {
        "people": sum(each.letters for each in story.letters),
        "via_holder": sum(each.via_holder for each in story.letters),
        "without": sum(each.without for each in story.letters),
        "linted": sum(each.linted for each in story.letters),
        "professionals": story.professionals["letters"],
        "shown": dict(sorted(Counter(name for row in rows for name in row["shown"]).items())),
        "not_shown": sorted(set.intersection(*(set(row["not_shown"]) for row in rows))) if rows else [],
        "to_sign": list(story.complaint["to_fill"]),
    }


def fared(kind: Fared) -> Json:
    """One kind of question."""
    return {"asked": kind.asked, "confirmed": kind.confirmed, "refused": dict(sorted(kind.refused.items()))}


def meanwhile(story: Story) -> Json:
    """While the thefts went on: everybody else, and the robbed practices' own patients who were not yet known there."""
    honest = [story.run.honest[name] for name in (ONE, MANY)]
    return {
        "others_asked": sum(each.asked for each in honest),
        "others_refused": sum(each.refused for each in honest),
        "own_asked": sum(each.own_asked for each in honest),
        "own_refused": sum(each.own_refused for each in honest),
    }


def added(crossings: dict[str, Json]) -> dict[str, float]:
    """What answers add, harm by harm, to what the thief had typed: the difference of the medians, none below zero."""
    typed, ours = crossings["typed"]["harms"], crossings["ours"]["harms"]
    return {name: round(max(0.0, each["after"]["mid"] - typed[name]["after"]["mid"]), 4) for name, each in ours.items()}


def crossing(found: Json) -> Json:
    """Harms of one crossing."""
    kept = ("alone", "before", "after", "switched_on")
    harms = {
        name: {"label": each["label"], **{key: each[key] for key in kept}} for name, each in found["harms"].items()
    }
    return {
        "on": found["on"],
        "fields": found["fields"],
        "harms": harms,
        "runs": found["runs"],
        "people": found["people"],
    }
