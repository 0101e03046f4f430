"""The page of the story: one self-contained French page, the month's questions, facts of 2024 with their source, our figures."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from ecluse.breach.letters.compose import day
from ecluse.breach.letters.words import actions, consequences, phrases
from ecluse.breach.shown import table as shown_table
from sim import charts, report
from sim.charts import Bar
from sim.figures import STEPS
from sim.race import Line, race
from sim.story.facts import Fact, facts
from sim.story.figures import Json
from sim.story.play import MANY, ONE, Story

PARIS = ZoneInfo("Europe/Paris")
PAGE = "index.html"
STATES = {"running": "en cours", "overdue": "dépassé", "done": "fait", "late": "fait, en retard"}
OF_ITS_OWN = ("gdpr_persons", "gdpr_authority")  # the hub is controller of professionals' data alone
OWN = " (pour les professionnels)"
CLEAR = {
    "notification-cnil.html": "formulaire CNIL",
    "personnes.csv": "liste",
    "comptes.json": "comptes",
    "registre.json": "registre",
    "dora.json": "DORA",
    "chronologie.json": "chronologie",
}
HARMS = ("callable", "reachable", "payable", "loginable", "impersonable", "convincing")
KINDS = {
    "present": "Comptes coupés, patient avec son laissez-passer",
    "typed": "Comptes coupés, numéro tapé sans laissez-passer",
    "thief": "Le voleur, qui revient",
    "others": "Tous les autres cabinets",
}
MILESTONES = {
    "first_number": "Premier nombre exact (premier compte)",
    "cut": "Tous les comptes volés sont coupés",
    "whole_number": "Nombre exact, tous comptes",
    "packs": "Dossiers de tous les organismes, avec preuves",
    "letters": "Tous les courriers sont écrits",
    "evidence": "Dossier de preuves pour le juge",
}


def write(story: Story, told: Json) -> Path:
    """Write the page; gives where it is."""
    words = Environment(
        loader=FileSystemLoader(report.TEMPLATES), autoescape=True, undefined=StrictUndefined, trim_blocks=True
    )
    words.filters |= {"n": charts.spaced, "pct": percent, "span": span, "s": duration, "paris": paris, "day": day}
    path = story.folder / PAGE
    path.write_text(french(words.get_template("story.html").render(page_of(story, told))), encoding="utf-8")
    return path


def page_of(story: Story, told: Json) -> dict[str, Any]:
    """All that the template shows."""
    letters = told["letters"]
    return {
        "told": told,
        "key": story.evidence["key"],
        "run": story.run,
        "world": {"people": len(story.run.world.people), "professionals": len(story.run.world.professionals)},
        "fact": {name: cited(each) for name, each in facts().facts.items()},
        "unknown": facts().unknown,
        "shown": phrases(letters["shown"], child=False),
        "data": data(told),
        "sentences": said_of(told),
        "consequences": consequences("person", frozenset(letters["shown"]), child=False),
        "actions": actions("person", frozenset(letters["shown"]), child=False),
        "clocks": clocks(story),
        "files": files(story),
        "to_fill": to_fill(story),
        "timeline": [{**each, "at": paris(each["at"])} for each in story.shown["timeline"]],
        "harms": HARMS,
        "kinds": KINDS,
        "milestones": MILESTONES,
        "steps": STEPS,
        "processors": os.cpu_count(),
        "charts": {name: Markup(drawn) for name, drawn in drawings(story, told).items()},
    }


def cited(fact: Fact) -> Markup:
    """A fact and its sources, each a link."""
    links = (facts().sources[name] for name in fact.sources)
    said = ", ".join(f'<a href="{escape(each.url)}">{escape(each.name)}</a>' for each in links)
    return Markup(f'{escape(fact.says)} <span class="src">({said})</span>')


def drawings(story: Story, told: Json) -> dict[str, str]:
    """Every chart, as SVG; a table of the same numbers stands beside each."""
    loot = story.loot
    lines = [
        Line("portail de 2024", loot[ONE].portal),
        Line("Écluse, 1 compte", loot[ONE].timeline),
        Line(f"Écluse, {told['accounts']['all'] - 1} comptes", loot[MANY].timeline),
    ]
    parts = [Bar(each["name"], (each["displayed"],)) for each in told["insurers"]]
    reached = [Bar(MILESTONES[name], (round(value * 1000),)) for name, value in told["at_s"].items()]
    return {
        "race": race("vol", "Personnes dont le voleur apprend quelque chose, selon le nombre de questions", lines),
        "counts": charts.bars("trois", "Les trois nombres", ("Personnes",), three(told), label_width=380),
        "insurers": charts.bars("organismes", "Personnes affichées, par organisme", ("Personnes",), parts),
        "risks": charts.bars(
            "risques", "Part des personnes, en pour cent", ("Avant", "Après"), risks(told), label_width=380, said=hundredths,
        ),
        "times": charts.bars(
            "temps", "Temps depuis l’ouverture de l’incident", ("Temps",), reached, label_width=380, said=lasted,
        ),
        "care": charts.bars("soins", "Questions répondues et refusées", ("Répondues", "Refusées"), care(told), label_width=380),
    }  # fmt: skip


def three(told: Json) -> list[Bar]:
    """Referenced, reachable, displayed: all stolen accounts, and the first one alone."""
    whole, first = told["whole"], told["first"]
    return [
        Bar("Référencées : dans la base", (whole["referenced"],)),
        Bar("Atteignables : que ces comptes pouvaient ouvrir", (whole["reachable"],)),
        Bar("Affichées : dont quelque chose a été dit", (whole["displayed"],)),
        Bar("Affichées par le premier compte seul", (first["displayed"],)),
    ]


def risks(told: Json) -> list[Bar]:
    """Each harm by the data of 2024, before and after; then by what Écluse told, beside what the thief had typed."""
    rows = []
    for name in HARMS:
        then = told["crossings"]["2024"]["harms"][name]
        before, after = (round(100 * then[at]["mid"]) for at in ("before", "after"))
        rows.append(Bar(then["label"], (before, after - before), f"{before} % → {after} %"))
    return rows


def care(told: Json) -> list[Bar]:
    """Questions after the cut, answered and refused."""
    rows = []
    for kind, label in KINDS.items():
        fared = told["care"][kind]
        refused = sum(fared["refused"].values())
        said = f"{fared['asked'] - refused} sur {fared['asked']}"
        rows.append(Bar(label, (fared["asked"] - refused, refused), said))
    return rows


def clocks(story: Story) -> list[Json]:
    """Deadlines, those of all insurers that are the same together: whose, what, by when, the text, where it stands."""
    found: dict[tuple[str, str, str], Json] = {}
    for each in story.clocks:
        is_hub = each["party"] == "hub"
        row = found.setdefault(
            ("hub" if is_hub else "insurer", each["id"], each["state"]),
            {
                **each,
                "what": each["what"] + (OWN if is_hub and each["id"] in OF_ITS_OWN else ""),
                "is_hub": is_hub,
                "parties": 0,
                "due_first": each["due"]["paris"],
                "said": STATES[each["state"]],
            },
        )
        row["parties"] += 1
        row["due_first"] = min(row["due_first"], each["due"]["paris"])
    return sorted(found.values(), key=lambda row: (not row["is_hub"], row["due_first"], row["id"]))


def files(story: Story) -> list[Json]:
    """What an insurer has: its pack in clear, its first letter, where the sealed pack is."""
    sent = {each.insurer: each for each in story.letters}
    packs = {each["insurer"]: each["pack"] for each in story.made}
    rows = []
    for insurer, pack in story.packs.items():
        there = [name for name in CLEAR if (pack.folder / name).exists()]
        first = f"courriers/{insurer}/{sent[insurer].first}" if insurer in sent else ""
        rows.append(
            {
                "name": story.run.world.insurer(insurer).name,
                "number": insurer,
                "opened": [(CLEAR[name], f"organismes/{insurer}/{name}") for name in there],
                "letter": first,
                "sealed": f"dossiers/{packs[insurer]}/LISEZMOI.txt",
                "letters": sent[insurer].letters if insurer in sent else 0,
            }
        )
    return sorted(rows, key=lambda row: -row["letters"])


def to_fill(story: Story) -> list[str]:
    """What a person must still write in the CNIL's form of the insurer with most people, in the form's words."""
    largest = max(story.packs.values(), key=lambda pack: len(pack.letters))
    wanted = set(largest.to_fill)
    return [
        field["label"] for section in largest.form["sections"] for field in section["fields"] if field["id"] in wanted
    ]


def data(told: Json) -> list[Json]:
    """Each kind of data: what was said of each operator of 2024, and what the journal says of the replay."""
    shown, unseen = told["letters"]["shown"], set(told["letters"]["not_shown"])
    rows = []
    for name, (label, viamedis, almerys) in facts().data.items():
        if name in shown:
            ours = f"oui, à {charts.spaced(shown[name])} personnes"
        else:
            ours = "non" if name in unseen else "ni oui ni non : tapée par qui demande"
        then = any(each.startswith("oui") for each in (viamedis, almerys, ours))
        rows.append({"label": label, "viamedis": viamedis, "almerys": almerys, "ours": ours, "then": then})
    return rows


def said_of(told: Json) -> list[tuple[str, int]]:
    """Each field of the journal in words, and of how many people it was told, in the order of the law's table."""
    seen = told["whole"]["fields"]
    known = [
        (each.say.replace("votre organisme", "son organisme"), seen[name])
        for name, each in shown_table().fields.items()
        if name in seen
    ]
    return known + [(name, people) for name, people in seen.items() if name not in shown_table().fields]


def french(page: str) -> str:
    """As French is set, in what is read: never in a tag, nor in the style sheet."""
    head, style, body = page.partition("</style>")
    parts = re.split(r"(<[^>]*>)", body)
    return head + style + "".join(part if part.startswith("<") else spaced(part) for part in parts)


def spaced(words: str) -> str:
    """Words with those spaces, and their apostrophes."""
    words = re.sub(r" ([;?!»%€])", "\u202f\\1", words)
    return words.replace("&#39;", "’").replace("'", "’").replace(" :", "\u00a0:").replace("« ", "«\u202f")


def percent(share: float) -> str:
    """A share as French readers write it."""
    return f"{round(100 * share)}\u00a0%"


def hundredths(share: int) -> str:
    """The same, of a share in hundredths."""
    return percent(share / 100)


def span(of: Json) -> str:
    """A share with its bounds."""
    low, mid, high = (round(100 * of[name]) for name in ("low", "mid", "high"))
    return f"{mid}\u00a0%" if low == high else f"{mid}\u00a0% ({low} à {high})"


def duration(value_s: float) -> str:
    """Seconds, to the tenth under a minute; minutes and seconds above."""
    if value_s < 60:
        return f"{value_s:.1f}".replace(".", ",") + "\u00a0s"
    return f"{int(value_s // 60)}\u00a0min {int(value_s % 60):02d}\u00a0s"


def lasted(value_ms: int) -> str:
    """The same, of milliseconds."""
    return duration(value_ms / 1000)


def paris(text: str) -> str:
    """An instant as a clock in Paris says it."""
    at = datetime.fromisoformat(text).astimezone(PARIS)
    return f"{day(at.date())}, {at:%H:%M:%S}"


def links(page: str) -> Sequence[str]:
    """Where the page leads on the disk: links that are neither of the web nor of the page itself."""
    found = (part.split('"')[0] for part in page.split('href="')[1:])
    return [each for each in found if not each.startswith(("http://", "https://", "#"))]
