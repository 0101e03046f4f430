"""How fast an insurer's letters are merged: as text, as pages, as PDF, and into a printer's files, on one core.

On an envelope: a contact found 1 µs, three MACs 6 µs, five places filled in 2 KB of text 5 µs, two days in Paris from a cache:
15 µs, 66 000 texts/s. A PDF is a whole layout by Typst with tags for screen readers: 4 to 6 ms. The words of a shape are composed
and held to the linter once, some 30 ms; they are not in the figures, a pack has tens.
A letter in a printer's file is two pages of which the body is in the file once:
its own lines cut and drawn, two page objects written: 250 µs, 4 000/s.
Budget: 30 000 texts/s, 150 PDF/s and 3 000 letters/s of a printer's file, of processor time. Disk is not in it.
The peer is `str.format` of one text, which names no field of anybody, has no code and goes through no check; and, for
PDF, a compilation that reads its template anew for each letter.

    python -m bench.letters [--letters 20000] [--pdfs 100] [--letters-per-file 10000] [--json] [--keep]
"""

from __future__ import annotations

import argparse
import json
import os
import time
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

from bench.results import keep
from ecluse.app.letters import Ready, letters
from ecluse.breach.letters.address import Contacts
from ecluse.breach.letters.code import LetterKey
from ecluse.breach.letters.pack import About, Concerned, Sender
from ecluse.doors.cli.letters_render import renders
from ecluse.engines.typesetting import Typst
from ecluse.engines.typesetting.batch import ReportLab
from ecluse.formats.contacts import Contact

BUDGETS = {"text": 30_000, "pdf": 150, "batch": 3_000}
SHOWN = (
    frozenset({"insurer", "third_party_payment"}),
    frozenset({"insurer", "third_party_payment", "covered_until", "domains"}),
    frozenset({"insurer", "guarantee", "reimbursement", "health"}),
)
NOT_SHOWN = frozenset({"bank", "address", "phone", "email", "password"})
START = datetime(2026, 11, 2, 7, tzinfo=UTC)
ABOUT = About(
    incident="INC-1", insurer="0075123456", since=date(2026, 11, 2), until=date(2026, 11, 21), operator="Écluse",
    known_before="", measures=("Nous avons fermé le compte.", "Nous avons prévenu la CNIL."), dpo="Anne Petit",
    phone="01 23 45 67 89", sender=Sender(name="la Mutuelle des Bateliers", address=("4 quai Sud", "69002 LYON")),
)  # fmt: skip
KEY = LetterKey("INC-1", "0075123456", bytes(32))
PEER = "Madame {name},\n\n" + "Vos données ont été vues. " * 70 + "\n"


def people(count: int) -> tuple[list[Concerned], Contacts]:
    """Displayed members and their contacts; every fifth is a child of the one before."""
    rows, contacts = [], []
    for number in range(count):
        child = number % 5 == 4
        born = f"{2015 if child else 1950 + number % 50}-03-0{1 + number % 9}"
        member = f"{number - child:013d}"
        at = START + timedelta(seconds=number * 997 % 1_500_000)
        rows.append(
            Concerned(
                member_number=member, birth_date=born, birth_rank=1, reference=f"{number:032x}", shown=SHOWN[number % 3],
                not_shown=NOT_SHOWN, first_at=at, last_at=at, times=1 + number % 4, normal_care=number % 2 == 0,
                by=(f"un compte d'opticien, dans le département {number % 3 + 10}",),
            )
        )  # fmt: skip
        address = ("12 rue des Lilas", "37000 TOURS")
        contacts.append(Contact(number, member, born, 1, "Madame", f"Martin{number}", "Jeanne", address, ""))
    return rows, Contacts(contacts, date(2026, 11, 29))


def batched_s(rows: list[Concerned], contacts: Contacts, letters_max: int) -> tuple[float, float]:
    """Seconds of processor to merge and print these letters, `letters_max` to a file; bytes a letter."""
    press, sizes = ReportLab(), []
    press.printed(
        "", [press.compose(each.sheet, each.body.blocks, each.values) for each in _ready(rows[:90], contacts)]
    )

    def printed() -> None:
        for start in range(0, len(rows), letters_max):
            some = _ready(rows[start : start + letters_max], contacts)
            composed = [press.compose(each.sheet, each.body.blocks, each.values) for each in some]
            sizes.append(len(press.printed("", composed)))

    return cpu(printed), sum(sizes) / len(rows)


def _ready(rows: list[Concerned], contacts: Contacts) -> Iterator[Ready]:
    for each in letters(rows, contacts, ABOUT, KEY, date(2026, 11, 29)):
        assert isinstance(each, Ready), each
        yield each


def measure(count: int, pdfs: int, letters_max: int) -> dict[str, Any]:
    """Letters a second of processor time, merged and rendered, by kind."""
    rows, contacts = people(count)
    press = Typst()
    made = renders(("text", "html", "pdf"), press)
    once = [*letters(rows[:90], contacts, ABOUT, KEY, date(2026, 11, 29))]  # every shape, composed and linted

    def merged(kind: str, some: list[Concerned]) -> None:
        for each in letters(some, contacts, ABOUT, KEY, date(2026, 11, 29)):
            assert isinstance(each, Ready), each
            made[kind](each)

    first = [each for each in once if isinstance(each, Ready)]
    composed_s = cpu(lambda: merged("txt", rows[:90]))
    text_s = cpu(lambda: merged("txt", rows)) - composed_s
    html_s = cpu(lambda: merged("html", rows)) - composed_s
    made["pdf"](first[0])
    pdf_s = cpu(lambda: [made["pdf"](first[at % len(first)]) for at in range(pdfs)])
    peer_s = cpu(lambda: [PEER.format(name=each.member_number).encode() for each in rows])
    anew_s = cpu(lambda: [Typst().pdf(each.sheet, each.body.blocks, each.values) for each in first[: pdfs // 5]])
    batch_s, letter_bytes = batched_s(rows, contacts, letters_max)
    held = (
        (count - 90) / text_s >= BUDGETS["text"]
        and pdfs / pdf_s >= BUDGETS["pdf"]
        and count / batch_s >= BUDGETS["batch"]
    )
    return {
        "name": "letters",
        "letters": count,
        "texts_per_cpu_s": round((count - 90) / text_s),
        "pages_per_cpu_s": round((count - 90) / html_s),
        "pdfs_per_cpu_s": round(pdfs / pdf_s),
        "batched_per_cpu_s": round(count / batch_s),
        "batched_bytes": round(letter_bytes),
        "peer_format_per_cpu_s": round(count / peer_s),
        "peer_pdf_anew_per_cpu_s": round((pdfs // 5) / anew_s),
        "load": round(os.getloadavg()[0], 1),
        "budget_texts_per_s": BUDGETS["text"],
        "budget_pdfs_per_s": BUDGETS["pdf"],
        "budget_batched_per_s": BUDGETS["batch"],
        "held": held,
    }


def cpu(act: Callable[[], object]) -> float:
    """Seconds of the processor."""
    began_s = time.process_time()
    act()
    return time.process_time() - began_s


def main() -> int:
    """Print the measure; exit code 1 when a budget is not held."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--letters", type=int, default=20_000, help="texts and pages to merge")
    parser.add_argument("--pdfs", type=int, default=100, help="letters to print")
    parser.add_argument("--letters-per-file", type=int, default=10_000, help="letters in a printer's file")
    parser.add_argument("--json", action="store_true", help="one JSON object instead of sentences")
    parser.add_argument("--keep", action="store_true", help="write the figures to bench/results/")
    given = parser.parse_args()
    found = measure(given.letters, given.pdfs, given.letters_per_file)
    if given.keep:
        keep(f"letters-{given.letters}", found)
    print(json.dumps(found) if given.json else "\n".join(f"{name}: {value}" for name, value in found.items()))
    return 0 if found["held"] else 1


if __name__ == "__main__":
    raise SystemExit(main())
