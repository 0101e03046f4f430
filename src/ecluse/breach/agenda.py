"""Deadlines as an iCalendar file (RFC 5545): one event each, with an alarm, to be loaded in anybody's agenda."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from hashlib import sha256

from ecluse.breach.times import Running
from ecluse.kernel.days import PARIS

OCTETS_MAX = 75  # RFC 5545, 3.1: of a line, without its line break
NOTHING_OPEN = (
    *("BEGIN:VTIMEZONE", "TZID:Etc/UTC", "BEGIN:STANDARD", "DTSTART:19700101T000000", "TZOFFSETFROM:+0000"),
    *("TZOFFSETTO:+0000", "END:STANDARD", "END:VTIMEZONE"),
)
ALARM_BEFORE = timedelta(hours=2)


def calendar(found: Sequence[Running], now: datetime, whose: Sequence[str] = ()) -> bytes:
    """The deadlines still to be met, as text/calendar in UTF-8. The same facts give the same events, so a second load updates.

    `whose`: the party of each, where they are of several. Where none is open it has no event, and a time zone alone: RFC 5545,
    3.6, wants one component at least.
    """
    lines = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//Ecluse//breach clocks//FR", "CALSCALE:GREGORIAN"]
    head = len(lines)
    for each, party in zip(found, whose or [""] * len(found), strict=True):
        if each.done is None:
            lines += _event(each, now, party)
    if len(lines) == head:
        lines += NOTHING_OPEN
    lines.append("END:VCALENDAR")
    return b"".join(_folded(line) for line in lines)


def _event(each: Running, now: datetime, party: str) -> Iterator[str]:
    line = each.deadline
    of = f"\0{party}" if party else ""
    known_by = sha256(f"{line.id}\0{line.started.isoformat()}{of}".encode()).hexdigest()[:32]
    detail = f"{line.source}. Échéance : {_words(line.due)} (heure de Paris)."
    if line.may_submit_by:
        detail += f" Envoi admis jusqu'au {_words(line.may_submit_by)} ({line.may_submit_source})."
    if line.if_late:
        detail += f" En cas de retard : {line.if_late}."
    yield from ("BEGIN:VEVENT", f"UID:{known_by}@ecluse", f"DTSTAMP:{_stamp(now)}", f"DTSTART:{_stamp(line.last)}")
    yield from (
        f"SUMMARY:{_text(f'{line.what} ({line.to})' + (f', {party}' if party else ''))}",
        f"DESCRIPTION:{_text(detail)}",
    )
    yield from (f"CATEGORIES:{_text(line.regime.upper())}", "TRANSP:TRANSPARENT")
    before = int(ALARM_BEFORE.total_seconds() // 3600)
    yield from (
        "BEGIN:VALARM",
        "ACTION:DISPLAY",
        f"TRIGGER:-PT{before}H",
        f"DESCRIPTION:{_text(line.what)}",
        "END:VALARM",
    )
    yield "END:VEVENT"


def _words(at: datetime) -> str:
    return f"{at.astimezone(PARIS):%d/%m/%Y à %H:%M}"


def _stamp(instant: datetime) -> str:
    return f"{instant.astimezone(UTC):%Y%m%dT%H%M%SZ}"


def _text(value: str) -> str:
    """A TEXT value (3.3.11): backslash, comma, semicolon and line breaks are escaped; other control characters are left out."""
    value = "".join(each for each in value if each.isprintable() or each in "\t\r\n")
    escaped = value.replace("\\", "\\\\").replace(",", "\\,").replace(";", "\\;")
    return escaped.replace("\r\n", "\\n").replace("\r", "\\n").replace("\n", "\\n")


def _folded(line: str) -> bytes:
    """The line and its CRLF; longer than 75 octets, it goes on after CRLF and a space, never in the middle of a character."""
    parts: list[bytes] = []
    part = b""
    for character in line:
        encoded = character.encode()
        if len(part) + len(encoded) > OCTETS_MAX - (1 if parts else 0):
            parts.append(part)
            part = b""
        part += encoded
    return b"\r\n ".join([*parts, part]) + b"\r\n"
