"""Acts that are cut short, stores that are lost, insurers without a key: what an incident is then, on a hub in this process."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from pyrage import decrypt
from pyrage.x25519 import Identity

from bench.packs import BY, THIEF, entry, fill, quiet
from ecluse.app.incidents import acts, events
from ecluse.app.incidents.acts import add_fact, close, decide, known, notify, open_incident, reopen, scope
from ecluse.app.incidents.packs import Making, Pack, make_packs
from ecluse.app.ports.carried import Going
from ecluse.app.recipients import set_key
from ecluse.breach.incident.events import FactAdded
from ecluse.breach.incident.follows import clocks, own_of
from ecluse.breach.incident.state import State
from ecluse.breach.incident.view import timeline
from ecluse.doors.cli.pack_folder import FolderOfPacks
from ecluse.doors.incidents.page import page
from ecluse.exposure.question import read_question
from ecluse.journal.entry import Entry, Operation, decode, encode
from ecluse.kernel.errors import Refused
from ecluse.wiring import ENVELOPES, OpenHub, init_hub, lake_files, open_hub
from ecluse.wiring.letters import printed_form

PEOPLE, INSURERS = 30, 2
FIRST, SECOND = "0075000000", "0075000001"
KEY = Identity.generate()
PRINTED = printed_form()


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OpenHub]:
    """A hub whose journal shows thirty people to a stolen account, and where the first insurer has a key of ours."""
    directory = tmp_path_factory.mktemp("incidents") / "hub"
    init_hub(directory)
    with open_hub(directory) as opened:
        fill(opened, PEOPLE, INSURERS, datetime.now(UTC) - timedelta(hours=2))
    with open_hub(directory) as opened:
        opened.run(opened.recover())
        opened.run(set_key(opened, ENVELOPES, FIRST, str(KEY.to_public()), replace=True))
        yield opened


def begun(hub: OpenHub, *facts: tuple[str, Any]) -> str:
    """An incident, opened, told these facts, and scoped."""
    now = datetime.now(UTC)
    question = read_question([THIEF], (now - timedelta(hours=3)).isoformat(), (now - timedelta(hours=1)).isoformat())
    name, _ = hub.run(open_incident(hub, BY, question, hub.now_ts_us, "Un appel."))
    for fact in facts:
        hub.run(add_fact(hub, name, BY, *fact))
    exported(hub)
    hub.run(scope(hub, name, BY, quiet))
    return name


def exported(hub: OpenHub) -> None:
    lake_files(hub.dir).export(quiet)


def journalled(hub: OpenHub, name: str) -> list[Entry]:
    read = (decode(each) for head in hub.shards.heads() for each in hub.shards.entries(head.shard, 0, head.size))
    return [each for each in read if each.operation is Operation.INCIDENT and each.engagement == name]


def told_again(hub: OpenHub) -> set[str]:
    """The incidents whose events would be told again, were all entries to go."""
    return {entry.engagement for again in events.still_open(hub, Going(1 << 62, 0)) for entry in again.entries}


def code(act: Callable[[], Any]) -> str:
    with pytest.raises(Refused) as refused:
        act()
    return refused.value.code


def test_an_act_cut_short_is_finished_by_the_next_and_journalled_once(
    hub: OpenHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = begun(hub)

    async def cut(*_: object) -> None:
        raise OSError("cut")

    with monkeypatch.context() as patched:
        patched.setattr(events, "_journal", cut)
        with pytest.raises(OSError, match="cut"):
            hub.run(add_fact(hub, name, BY, "cause", "external_malicious"))
    assert len(journalled(hub, name)) == 2
    hub.run(add_fact(hub, name, BY, "recipient", "criminal"))
    kinds = [each.outcome.split(" ")[:2] for each in journalled(hub, name)]
    assert kinds == [["opened", "1"], ["scoped", "2"], ["fact_added", "3"], ["fact_added", "4"]]
    assert set(known(hub, name).facts) == {("cause", ""), ("recipient", "")}


def test_what_another_process_was_first_to_do_is_looked_at_again(hub: OpenHub) -> None:
    name = begun(hub)
    with open_hub(hub.dir) as other:
        tried = 0

        def propose(before: Any) -> Any:
            nonlocal tried
            tried += 1
            if tried == 1:
                elsewhere = Thread(target=lambda: other.run(add_fact(other, name, BY, "media", value=True)))
                elsewhere.start()
                elsewhere.join()
            return before.opened and events_fact()

        after = hub.run(events.happen(hub, name, propose))
    assert tried == 2
    assert {each for each, _ in after.facts} == {"media", "cause"}


def events_fact() -> FactAdded:
    return FactAdded(by=BY, name="cause", value="unknown", known_us=1)


def test_events_that_are_gone_are_said_and_the_rest_is_listed(hub: OpenHub) -> None:
    name = begun(hub)
    first = hub.incidents.events(name)[0]
    gone = "DELETE FROM incident WHERE number = 1 AND incident = ?"
    hub.incidents._connection.execute(gone, (name,))  # type: ignore[attr-defined]
    assert code(lambda: known(hub, name)) == "incident_pruned"
    assert name not in hub.run(events.read_all(hub))
    assert hub.incidents.put(first)
    assert name in hub.run(events.read_all(hub))


def test_a_person_decides_what_the_facts_leave_open_and_says_why(hub: OpenHub) -> None:
    name = begun(hub, ("data", ["unknown"]), ("exfiltration", "possible"), ("nature", None))
    assert code(lambda: hub.run(decide(hub, name, BY))) == "incident_persons_open"
    assert code(lambda: hub.run(decide(hub, name, BY, persons=True))) == "incident_words_needed"
    assert code(lambda: hub.run(close(hub, name, BY, "Rien."))) == "incident_state"
    after, _ = hub.run(decide(hub, name, BY, persons=True, motive="Le titulaire a vu quelqu'un."))
    assert after.state is State.CLASSIFIED
    assert {each.decided.signed.motive for each in after.decisions.values()} == {"Le titulaire a vu quelqu'un."}
    assert all(each.decided.answer["communicate_persons"] is None for each in after.decisions.values())
    assert code(lambda: hub.run(decide(hub, name, BY, insurers=["0099999999"]))) == "incident_unknown"
    assert code(lambda: hub.run(add_fact(hub, name, BY, "description", "é" * 4_000 * 10))) == "facts_invalid"


def test_an_insurer_without_a_key_gets_counts_alone_and_work_that_stopped_goes_on(
    hub: OpenHub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = begun(hub, ("cause", "external_malicious"))
    hub.run(decide(hub, name, BY, persons=True, motive="Par prudence."))

    async def keys(*_: object) -> dict[str, str]:
        return {FIRST: str(KEY.to_public())}

    monkeypatch.setattr("ecluse.app.incidents.packs.recipients", keys)
    folder = FolderOfPacks(tmp_path / "packs", zipped=False)
    exported(hub)
    with monkeypatch.context() as patched:
        patched.setattr(folder, "hand_over", lambda _: (_ for _ in ()).throw(OSError("cut")))
        with pytest.raises(OSError, match="cut"):
            made(hub, name, folder)
    assert not (tmp_path / "packs" / f"{name}-{FIRST}").exists()
    exported(hub)
    first, second = made(hub, name, folder)
    assert (first.members, second.members, second.recipient) == (PEOPLE // 2, 0, "")
    assert sorted(each.name for each in (tmp_path / "packs" / second.pack).iterdir()) == [
        "LISEZMOI.txt", "SHA256SUMS", "comptes.json",
    ]  # fmt: skip
    counts = json.loads((tmp_path / "packs" / second.pack / "comptes.json").read_bytes())
    assert counts["displayed"] == {"at_least": PEOPLE // 2, "at_most": PEOPLE // 2}
    rows = decrypt((tmp_path / "packs" / first.pack / "courriers.jsonl.age").read_bytes(), [KEY]).splitlines()
    assert len(rows) == PEOPLE // 2
    assert [each.made for each in made(hub, name, folder)] == [False, False]
    hub.run(add_fact(hub, name, BY, "phone", "01 23 45 67 89"))
    exported(hub)
    assert [each.made for each in made(hub, name, folder)] == [True, True], "another version is another pack"


def test_a_question_that_grew_is_scoped_anew_before_anything_is_handed_over(hub: OpenHub, tmp_path: Path) -> None:
    name = begun(hub, ("cause", "external_malicious"))
    first = known(hub, name).scoped
    hub.run(add_fact(hub, name, BY, "accounts", [THIEF, "rpps:10000000020"]))
    folder = FolderOfPacks(tmp_path / "packs", zipped=False)
    assert code(lambda: made(hub, name, folder)) == "incident_state"
    assert code(lambda: hub.run(add_fact(hub, name, BY, "to", "2020-01-01"))) == "exposure_invalid"
    exported(hub)
    hub.run(scope(hub, name, BY, quiet))
    second = known(hub, name).scoped
    assert first is not None
    assert second is not None
    assert (first.exposure_id == second.exposure_id, len(second.question.accounts)) == (False, 2)
    exported(hub)
    assert [each.made for each in made(hub, name, folder)] == [True, True]


def test_a_scope_that_is_outdated_is_decided_on_only_by_who_says_so(hub: OpenHub) -> None:
    name = begun(hub, ("cause", "external_malicious"), ("recipient", "criminal"))
    assert known(hub, name).scope_number == 4
    hub.run(add_fact(hub, name, BY, "phone", "01 23 45 67 89"))
    hub.run(decide(hub, name, BY))  # a fact that asks nothing else of the journal outdates nothing
    hub.run(add_fact(hub, name, BY, "accounts", [THIEF, "rpps:10000000020"]))
    assert code(lambda: hub.run(decide(hub, name, BY))) == "incident_scope_outdated"
    assert code(lambda: hub.run(decide(hub, name, BY, on_scope=3))) == "incident_scope_outdated"
    after, _ = hub.run(decide(hub, name, BY, on_scope=4))
    assert {each.decided.on_scope for each in after.decisions.values()} == {4}
    told = [each["what"] for each in timeline(events.events_of(hub, name))]
    assert re.match(r"Incident ouvert ; découvert le \d\d/\d\d/\d{4} à \d\d:\d\d : ", told[0])
    assert "que l'on savait dépassée" in told[-1]
    exported(hub)
    hub.run(scope(hub, name, BY, quiet))
    after, _ = hub.run(decide(hub, name, BY))
    assert {each.decided.on_scope for each in after.decisions.values()} == {0}


def test_a_display_written_after_its_window_was_measured_outdates_the_scope(hub: OpenHub) -> None:
    now = datetime.now(UTC)
    question = read_question([THIEF], (now - timedelta(hours=3)).isoformat(), now.isoformat())
    name, _ = hub.run(open_incident(hub, BY, question, hub.now_ts_us, "Un appel."))
    hub.run(add_fact(hub, name, BY, "cause", "external_malicious"))
    hub.run(add_fact(hub, name, BY, "recipient", "criminal"))
    exported(hub)
    before = hub.run(scope(hub, name, BY, quiet))
    hub.run(decide(hub, name, BY))
    assert hub.run(scope(hub, name, BY, quiet)).version == known(hub, name).version, "nothing came: not asked again"
    hub.log.append([encode(entry(hub, PEOPLE + 1, FIRST, question.end_ts_us - 1_000_000))])
    assert code(lambda: hub.run(decide(hub, name, BY))) == "incident_scope_outdated"
    exported(hub)
    after = hub.run(scope(hub, name, BY, quiet))
    assert before.scoped is not None
    assert after.scoped is not None
    assert sum(part.at_least for part in after.scoped.parts) == sum(part.at_least for part in before.scoped.parts) + 1
    hub.run(decide(hub, name, BY))


def test_a_scope_whose_answer_is_gone_is_measured_anew(hub: OpenHub) -> None:
    name = begun(hub, ("cause", "external_malicious"), ("recipient", "criminal"))
    scoped = known(hub, name).scoped
    assert scoped is not None
    (hub.dir / "out" / "exposures" / scoped.exposure_id / "exposure.json").unlink()  # what a restored hub lacks
    assert code(lambda: hub.run(decide(hub, name, BY))) == "incident_scope_outdated"
    hub.run(scope(hub, name, BY, quiet))
    hub.run(decide(hub, name, BY))


def test_what_is_sent_late_says_why_where_the_text_asks(hub: OpenHub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(acts, "AHEAD_US", 10 * 86_400_000_000)  # the days pass in no other way here
    name = begun(hub, ("cause", "external_malicious"), ("recipient", "criminal"))
    hub.run(decide(hub, name, BY))
    told_us, day_us = hub.now_ts_us, 86_400_000_000
    hub.run(notify(hub, name, BY, "gdpr_controllers", told_us, insurer=FIRST))
    hub.run(notify(hub, name, BY, "gdpr_controllers", told_us, insurer=SECOND))
    late = {"insurer": FIRST, "at_us": told_us + 4 * day_us}
    assert code(lambda: hub.run(notify(hub, name, BY, "gdpr_authority", **late))) == "incident_reasons_needed"
    assert code(lambda: hub.run(notify(hub, name, BY, "dora_initial", **late))) == "incident_reasons_needed"
    hub.run(notify(hub, name, BY, "lopmi_complaint", told_us + 9 * day_us))  # late too, and no text asks why
    hub.run(notify(hub, name, BY, "gdpr_authority", **late, reasons="Nos équipes étaient injoignables."))
    hub.run(notify(hub, name, BY, "gdpr_authority", told_us + day_us, insurer=SECOND))
    hub.run(
        notify(hub, name, BY, "gdpr_authority", told_us + 5 * day_us, insurer=SECOND)
    )  # a second phase of one in time
    found = clocks(known(hub, name), datetime.now(UTC))
    states = {each.insurer: each.running.state for each in found if each.running.deadline.id == "gdpr_authority"}
    assert states == {FIRST: "late", SECOND: "done"}


def test_one_that_is_reopened_is_measured_and_decided_anew(hub: OpenHub) -> None:
    name = begun(hub, ("cause", "external_malicious"), ("recipient", "criminal"))
    hub.run(decide(hub, name, BY))
    assert name in told_again(hub)
    hub.run(close(hub, name, BY, "Tout est fait."))
    assert name not in told_again(hub)
    version = known(hub, name).version
    hub.run(decide(hub, name, BY))
    assert known(hub, name).version == version
    hub.run(reopen(hub, name, BY, "Un autre compte."))
    assert name in told_again(hub)
    assert code(lambda: hub.run(decide(hub, name, BY))) == "incident_state"
    hub.run(scope(hub, name, BY, quiet))
    hub.run(decide(hub, name, BY))
    assert known(hub, name).state is State.CLASSIFIED


def test_a_scope_brings_cards_and_again_only_what_changed_in_them(hub: OpenHub) -> None:
    file = hub.dir / "organismes.toml"
    file.write_text(
        f'[insurers.{FIRST}]\nsize = "12"\nmeasures_before = ["Une porte."]\n[insurers.0099999999]\nsize = "3"\n'
    )
    try:
        name = begun(hub, ("cause", "external_malicious"))
        before = known(hub, name)
        assert {party for named, party in before.facts if named == "card"} == {FIRST}
        assert hub.run(scope(hub, name, BY, quiet)).version == before.version
        file.write_text(file.read_text().replace("12", "13"))
        after = hub.run(scope(hub, name, BY, quiet))
        assert (after.version, own_of(after, FIRST).size) == (before.version + 1, "13")
    finally:
        file.unlink()


def made(hub: OpenHub, name: str, folder: FolderOfPacks) -> list[Pack]:
    return hub.run(make_packs(hub, name, Making(BY, folder, page, PRINTED, None), quiet))
