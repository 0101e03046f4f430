"""What is wrong with an installation, and what to do: one table of checks over `Facts`, which engines gather.

A check says `ok`, `warning` (it works, and will not for ever) or `wrong` (it does not work, or is not safe). A new check is a
function and a line of `CHECKS`; it judges facts and reads nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from statistics import median
from typing import Literal

import msgspec

from ecluse.app.ports.upkeep import Facts, Place
from ecluse.app.retention import due
from ecluse.kernel.days import DAY_US, instant

Verdict = Literal["ok", "warning", "wrong"]

GIB = 1 << 30
JOURNAL_DAYS = 30  # of journal that must still fit: the time it takes to be given another disk
REBUILT = 3  # the next generation of rights is staged, built beside the one that answers: three times its size at most
FREE_BYTES_MIN = GIB  # SQLite's logs, a day's files out, and time to see it coming
SYNC_US_MIN = 15  # quicker is memory: the fastest disks that keep their promise through a power cut take 20 µs
SYNC_US_MAX = 20_000  # slower, and no answer comes within 25 ms
CLOCK_BACK_US_MAX = 1_000_000  # a step of a second is NTP's work; more puts entries out of order
FILES_PER_INSURER = 2  # the generation that answers, and the next one while both are open
FILES_KEPT = 512  # connections that practice software keeps open, and files of libraries
NAMED_ANEW = "make a new hub (ecluse init), and write its journal.origin before the first load."
BEGINNING_DAYS_MAX = 120  # then accounts have caps of their own (gate/allowance.py); a thief has all of the wide ones


class Found(msgspec.Struct, frozen=True):
    """What one check says: `found`, and what to `do` unless it is ok."""

    verdict: Verdict
    found: str
    do: str = ""


class Finding(msgspec.Struct, frozen=True):
    """A check by name, and what it found."""

    check: str
    verdict: Verdict
    found: str
    do: str


def ok(found: str) -> Found:
    """All is well."""
    return Found("ok", found)


def _opens(facts: Facts) -> Found:
    if facts.refused:
        first = facts.refused[0]
        return Found("wrong", f"{first.what}: {first.detail}", first.fix)
    return ok("settings, keys, issuers and store open")


def _variables(facts: Facts) -> Found:
    if not facts.variables:
        return ok("every variable ECLUSE_… is one that is read")
    told = ", ".join(f"{name} (did you mean {meant}?)" if meant else name for name, meant in facts.variables)
    return Found("warning", f"nothing reads {told}", "Correct or unset it: a setting misspelt is a setting not set.")


def _mode(facts: Facts) -> Found:
    if not facts.production:
        return Found(
            "warning", "hub.mode is development: unsealed keys and anybody's tokens are let in", "Set hub.mode."
        )
    return ok("production")


def _keys(facts: Facts) -> Found:
    if facts.sealed:
        return ok("the key file is sealed with a passphrase")
    return Found(
        "wrong" if facts.production else "warning",
        "the keys are not sealed",
        "Seal them: `ecluse keys passphrase`, then ECLUSE_KEYS_PASSPHRASE or keys.passphrase_file.",
    )


def _issuers(facts: Facts) -> Found:
    if facts.production and not facts.issuers:
        return Found("wrong", "no issuer is trusted: every question is refused", "Add an [[issuers]] to ecluse.toml.")
    if facts.production and facts.development_issuers:
        return Found("warning", "the development issuer is listed, and ignored", "Take it out of ecluse.toml.")
    if facts.production and not facts.named:
        return Found(
            "warning" if facts.certificates else "wrong",
            "http.public_url is empty: no DPoP proof is believed"
            + ("" if facts.certificates else ", nor any certificate"),
            "Write the address under which clients know the hub.",
        )
    if facts.production and facts.unbounded:
        return Found(
            "warning",
            f"{', '.join(facts.unbounded)} may vouch for anybody, or for every insurer",
            'Name its issuers.subjects (as "rpps" or "amc:0075123456"), and issuers.scopes unless it serves professionals alone.',
        )
    return ok(f"{facts.issuers} trusted")


def _account(facts: Facts) -> Found:
    if facts.example_account:
        return Found(
            "wrong" if facts.production else "warning",
            "bank.iban is the made-up account of a new hub",
            "Write the hub's own account under [bank] before the first payment run.",
        )
    return ok("the account is not the made-up one")


def _private(facts: Facts) -> Found:
    root = next((each for each in facts.places if each.name == "."), None)
    open_to_others = [each for each in facts.places if each.mode & 0o007]
    secrets = [each.name for each in open_to_others if each.name.startswith("keys/")]
    if (root and root.mode & 0o007 and len(open_to_others) > 1) or secrets:
        named = ", ".join(secrets or [each.name for each in open_to_others])
        return Found(
            "wrong", f"others on this machine may read {named}", "chmod 700 the hub's directory, 600 its keys."
        )
    return ok("nobody else on this machine may read the hub")


def _owner(facts: Facts) -> Found:
    foreign = [each.name for each in facts.places if not each.owned]
    if foreign:
        return Found(
            "warning", f"{', '.join(foreign)} belong to another user", "Run every command as the hub's own user."
        )
    return ok("every file belongs to who asks")


def _space(facts: Facts) -> Found:
    """Per disk: what its places are about to need, beside what is free."""
    devices = {place.device: place.free_bytes for place in facts.places}
    for device, free in devices.items():
        here = [place for place in facts.places if place.device == device]
        need = FREE_BYTES_MIN + sum(_need_bytes(place, facts) for place in here)
        if free < need:
            named = ", ".join(place.name for place in here if _need_bytes(place, facts)) or "the hub"
            return Found(
                "wrong" if free < FREE_BYTES_MIN else "warning",
                f"{_gib(free)} free, {_gib(need)} needed for {named}",
                f"Make room: {JOURNAL_DAYS} days of journal, {REBUILT} × the largest rights, hub.db once, 1 GiB.",
            )
    return ok(", ".join(f"{_gib(free)} free" for free in devices.values()) or "nothing is there yet")


def _need_bytes(place: Place, facts: Facts) -> int:
    if place.name == "journal" and facts.journal:
        days = max(1, (facts.journal.newest_ts_us - facts.journal.oldest_ts_us) // DAY_US)
        return JOURNAL_DAYS * facts.journal.bytes // days
    if place.name == "rights":
        return REBUILT * facts.largest_rights_bytes
    return place.used_bytes if place.name == "hub.db" else 0  # a copy is made beside it before an upgrade


def _sync(facts: Facts) -> Found:
    if facts.sync_failed or not facts.sync_us:
        return Found("wrong", f"the journal's disk: {facts.sync_failed or 'not there'}", "Look at the disk, its mount.")
    middle_us = round(median(facts.sync_us))
    if middle_us < SYNC_US_MIN:
        return Found("warning", f"a sync takes {middle_us} µs: this is memory, or a disk that lies", "Use a real disk.")
    if middle_us > SYNC_US_MAX:
        return Found("warning", f"a sync takes {middle_us / 1000:.0f} ms", "Put the journal on a quicker disk.")
    return ok(f"a sync takes {middle_us / 1000:.2f} ms")


def _clock(facts: Facts) -> Found:
    newest = facts.journal.newest_ts_us if facts.journal else 0
    if newest - facts.now_ts_us > CLOCK_BACK_US_MAX:
        late_s = (newest - facts.now_ts_us) // 1_000_000
        return Found("wrong", f"the clock is {late_s} s before the newest entry of the journal", "Set the clock (NTP).")
    return ok("the clock is past the newest entry of the journal")


def _journal(facts: Facts) -> Found:
    journal = facts.journal
    if journal is None or not journal.slots:
        return Found("warning", "there is no journal yet", "None, if this hub never answered; else restore journal/.")
    if journal.damaged:
        return Found("wrong", f"the journal is damaged: {journal.damaged}", "Restore that segment from its copy.")
    if journal.torn_bytes:
        told = f"{journal.torn_bytes} bytes at its end were never whole: a kill, and nobody was answered"
        return Found("warning", told, "None: the next start moves them aside.")
    return ok(f"{journal.slots} slots, {journal.bytes / (1 << 20):.1f} MiB, every end is whole")


def _origin(facts: Facts) -> Found:
    """What the journal is signed under stays for ever, whatever the settings say now."""
    begun = facts.journal.origins if facts.journal else ()
    if others := [each for each in begun if each != facts.origin]:
        told = f"the journal is signed as {', '.join(others)}, journal.origin is {facts.origin}: no start"
        return Found("wrong", told, f"Put the old name back; or, if nobody was answered yet: {NAMED_ANEW}")
    if not facts.origin_unset:
        return ok(f"the journal has a name of its own, {facts.origin}")
    verdict: Verdict = "wrong" if facts.production else "warning"
    if begun:
        return Found(
            verdict, "the journal is signed under the made-up name of a new hub", f"For production: {NAMED_ANEW}"
        )
    return Found(
        verdict,
        "journal.origin is the made-up one of a new hub",
        "Write it before the first load: it is signed in every head, for ever.",
    )


def _second_home(facts: Facts) -> Found:
    if facts.production and facts.heads_beside:
        told = "journal.heads is on the journal's own disk: who restores one from an old copy restores both"
        return Found("warning", told, "Set journal.heads to a folder on another disk, or have witnesses.")
    return ok("the heads' second home is on another disk" if not facts.heads_beside else "beside: development")


def _retention(facts: Facts) -> Found:
    shards = facts.journal.shards if facts.journal else ()
    now = instant(facts.now_ts_us)
    if found := due(shards, now, facts.keep_months):
        told = f"{len(found)} shards are kept longer than {facts.keep_months} months, the oldest {found[0].name}"
        return Found("warning", told, "ecluse journal prune.")
    return ok(f"no entry is kept longer than {facts.keep_months} months")


def _witnesses(facts: Facts) -> Found:
    alarms = [each for each in facts.witnesses if each.outcome in ("refused", "ahead")]
    if alarms:
        told = ", ".join(f"{each.witness} on {each.shard}" for each in alarms)
        return Found(
            "wrong",
            f"witnesses saw another history of the journal than there is: {told}",
            "Ask them for the head they signed, then: ecluse journal verify --head FILE (docs/witness.md).",
        )
    if failed := [each for each in facts.witnesses if each.outcome != "cosigned"]:
        told = ", ".join(sorted({each.witness for each in failed}))
        return Found("warning", f"{told} did not sign the last head", "Look for `witness` in the hub's log; ask them.")
    if facts.production and not facts.watched:
        return Found("warning", "nobody outside watches the journal", "Set journal.witnesses (docs/witness.md).")
    return ok(f"{facts.watched} watch the journal" if facts.watched else "none is configured")


def _detectors(facts: Facts) -> Found:
    if facts.detectors == "off":
        return Found("warning", "nobody watches what accounts ask", "Set gate.detectors: tell, and later act.")
    if facts.production and facts.detectors == "tell":
        return Found("warning", "detectors tell, and limit nobody", "Set gate.detectors to act once alerts look right.")
    return ok(f"detectors {facts.detectors}")


def _caps(facts: Facts) -> Found:
    if facts.beginning is None:
        return ok("the caps of a hub whose practices are known")
    until, left = facts.beginning.until, (facts.beginning.until - instant(facts.now_ts_us).date()).days
    if left > BEGINNING_DAYS_MAX:
        return Found(
            "warning", f"caps are wide until {until}, for {left} days more", "Set gate.beginning_until nearer."
        )
    if left < 0:
        return ok(f"caps were wide until {until}: gate.beginning_until may be taken out")
    return ok(f"caps are wide until {until}: everybody is new to every account")


def _database(facts: Facts) -> Found:
    faults = facts.damaged + (facts.store.integrity.faults if facts.store else ())
    if faults:
        first = min(faults, key=lambda fault: not fault.grave)
        more = f" ({len(faults) - 1} more)" if len(faults) > 1 else ""
        return Found("wrong" if first.grave else "warning", first.what + more, first.do)
    if facts.store is None:
        return Found("wrong", "the store was not looked at", "Mend what `opens` says, and ask again.")
    return ok(f"sound: {facts.store.integrity.looked_at}, and the pages of the files beside it")


def _insurers(facts: Facts) -> Found:
    for each in facts.store.insurers if facts.store else ():
        if each.rights and not each.readable:
            return Found("wrong", f"the rights of {each.amc} are lost", "Load its last full member file again.")
        if each.rights and not each.keys:
            return Found("wrong", f"{each.amc} has rights and no keys: none opens", "Restore keys/ from its copy.")
        if each.rights and not each.products:
            return Found("wrong", f"{each.amc} has rights and no product in force", "ecluse product load.")
        if not each.rights:
            return Found("warning", f"{each.amc} has no rights: it answers for nobody", "ecluse feed load.")
    return ok(f"{len(facts.store.insurers) if facts.store else 0} served, each with rights, keys and products")


def _feeds(facts: Facts) -> Found:
    states = facts.store.feeds if facts.store else {}
    waiting = sum(states.get(state, 0) for state in ("received", "loading"))
    if waiting:
        todo = "Start `ecluse serve`, which goes on with those sent over HTTP; load the others again."
        return Found("warning", f"{waiting} not finished", todo)
    return ok(", ".join(f"{count} {state}" for state, count in sorted(states.items())) or "none yet")


def _runs(facts: Facts) -> Found:
    if facts.store and facts.store.lost_runs:
        lost = ", ".join(facts.store.lost_runs[:5])
        todo = "Pay nothing; `ecluse journal missing`, then docs/availability.md, point 5."
        return Found("wrong", f"there are files of {lost}, which the database does not know: pay run refuses", todo)
    runs = facts.store.unwritten_runs if facts.store else ()
    if runs:
        return Found(
            "wrong",
            f"files of {', '.join(runs)} are not all written",
            "ecluse pay run: it finishes them, or says what to ask the bank.",
        )
    return ok("the files of every payment run are written")


def _left(facts: Facts) -> Found:
    if facts.left_behind:
        told = f"{len(facts.left_behind)} left by a kill: {', '.join(facts.left_behind[:3])}"
        return Found(
            "warning", told, "Do again what was killed; it goes on, and removes them. Keep *.torn as evidence."
        )
    return ok("no kill left anything behind")


def _open_files(facts: Facts) -> Found:
    insurers = len(facts.store.insurers) if facts.store else 0
    need = 2 * facts.in_flight_max + FILES_PER_INSURER * insurers + FILES_KEPT
    if facts.open_files_max < need:
        return Found(
            "warning", f"{facts.open_files_max} open files a process, {need} needed", "LimitNOFILE=, ulimit -n."
        )
    return ok(f"{facts.open_files_max} a process, {need} needed")


def _port(facts: Facts) -> Found:
    if facts.port == "taken":
        return Found("wrong", "another program listens on the hub's port", "Set http.port, or stop that program.")
    return ok("a hub answers there" if facts.port == "hub" else "free")


def _versions(facts: Facts) -> Found:
    if facts.libraries:
        told = ", ".join(f"{name} {found or 'absent'}, locked {locked}" for name, locked, found in facts.libraries[:5])
        return Found(
            "warning", f"not the versions that were tested: {told}", "pip install --require-hashes -r …/run.txt"
        )
    return ok(f"Python {facts.python}, libraries as locked")


CHECKS: dict[str, Callable[[Facts], Found]] = {
    "opens": _opens,
    "variables": _variables,
    "mode": _mode,
    "keys": _keys,
    "issuers": _issuers,
    "bank account": _account,
    "permissions": _private,
    "owner": _owner,
    "disk space": _space,
    "disk sync": _sync,
    "clock": _clock,
    "journal": _journal,
    "journal origin": _origin,
    "second home": _second_home,
    "retention": _retention,
    "witnesses": _witnesses,
    "detectors": _detectors,
    "caps": _caps,
    "database": _database,
    "insurers": _insurers,
    "feeds": _feeds,
    "payment runs": _runs,
    "left behind": _left,
    "open files": _open_files,
    "port": _port,
    "versions": _versions,
}


def diagnose(facts: Facts) -> list[Finding]:
    """Every check, in the order of the table."""
    return [Finding(name, *msgspec.structs.astuple(check(facts))) for name, check in CHECKS.items()]


def _gib(size: int) -> str:
    return f"{size / GIB:.1f} GiB"
