"""The small ports on every engine: feeds and their outcomes, guarantee tables, bank details."""

from __future__ import annotations

import asyncio

import msgspec
import pytest

from ecluse.app.ports import FeedCounts, FeedRecord
from ecluse.coverage.product import read_product, version
from ecluse.engines.sql.feeds import WAITING_MAX
from ecluse.formats.feed.file import RowRefusal
from ecluse.kernel.errors import Refused
from tests.contract.store_hub import AMC, OTHER_AMC, PRODUCT, StoreHub
from tests.stores import now


def received(id_: str, digest: str = "d", insurer: str = AMC) -> FeedRecord:
    return FeedRecord(id_, insurer, "full", "received", 1, "amc:x", True, True, FeedCounts(), digest)


def test_a_feed_lives_from_its_receipt_to_its_outcome(hub: StoreHub) -> None:
    feeds = hub.stores.feeds
    assert now(feeds.receive(received("fee_1"), b"", b"")) == "fee_1"
    assert now(feeds.receive(received("fee_2", "e"), b"", b"")) == "fee_2"
    assert now(feeds.unfinished()) == ["fee_1", "fee_2"]
    now(feeds.load("fee_1"))
    assert now(feeds.feed("fee_1")) == msgspec.structs.replace(received("fee_1"), state="loading")
    counts = FeedCounts(rows=2, refused_rows=1, refusals_total=2)
    lines = [RowRefusal(3, "nir", "nir_invalid", "d", "f"), RowRefusal(2, "csr", "csr_invalid", "", "")]
    now(feeds.refuse("fee_1", counts, lines, 5))
    now(feeds.load("fee_1"))  # a finished feed never changes again
    assert now(feeds.feed("fee_1")) == msgspec.structs.replace(received("fee_1"), state="refused", counts=counts)
    assert now(feeds.refusals("fee_1")) == lines[::-1]
    assert (now(feeds.unfinished()), now(feeds.feed("fee_9"))) == (["fee_2"], None)


def test_a_key_names_one_body_of_one_insurer(hub: StoreHub) -> None:
    feeds = hub.stores.feeds
    assert now(feeds.receive(received("fee_1", "a"), b"key", b"body")) == "fee_1"
    assert now(feeds.receive(received("fee_2", "a"), b"key", b"body")) == "fee_1"
    with pytest.raises(Refused, match="idempotency_key_reused"):
        now(feeds.receive(received("fee_3", "c"), b"key", b"other"))
    assert now(feeds.receive(received("fee_4", "c", OTHER_AMC), b"key", b"other")) == "fee_4"
    assert now(feeds.receive(received("fee_5", "a"), b"second key", b"body")) == "fee_1", (
        "the same file is the same feed"
    )


def test_one_file_received_by_several_processes_at_once_is_one_feed(hub: StoreHub) -> None:
    async def all_at_once() -> set[str]:
        every = [hub.stores.feeds, hub.again().feeds]
        sent = [every[n % 2].receive(received(f"fee_{n}"), b"key", b"body") for n in range(12)]
        return set(await asyncio.gather(*sent))

    assert len(now(all_at_once())) == 1
    assert len(now(hub.stores.feeds.unfinished())) == 1


def test_the_same_file_is_another_feed_once_it_was_overtaken(hub: StoreHub) -> None:
    feeds = hub.stores.feeds
    person = b"p" * 16
    hub.load("fee_1", {person: ["1"]})
    assert now(feeds.same(AMC, "full", "fee_1")) == "fee_1"
    assert now(feeds.same(AMC, "delta", "fee_1")) is now(feeds.same(OTHER_AMC, "full", "fee_1")) is None
    hub.load("fee_2", {person: ["2"]})
    assert now(feeds.same(AMC, "full", "fee_1")) is None
    assert now(feeds.same(AMC, "full", "fee_2")) == "fee_2"


def test_a_file_that_broke_here_is_another_feed_when_it_is_sent_again(hub: StoreHub) -> None:
    feeds = hub.stores.feeds
    for id_, code, again in (("fee_1", "feed_not_loaded", "fee_2"), ("fee_2", "header_missing", "fee_2")):
        assert now(feeds.receive(received(id_), b"", b"")) == id_
        now(feeds.refuse(id_, FeedCounts(refusals_total=1), [RowRefusal(1, "", code, "d", "f")], 5))
        assert now(feeds.receive(received("fee_2"), b"", b"")) == again


def test_so_many_files_of_an_insurer_wait_and_no_more(hub: StoreHub) -> None:
    feeds = hub.stores.feeds
    for number in range(WAITING_MAX):
        now(feeds.check_room(AMC))
        now(feeds.receive(received(f"fee_{number:02d}", f"d{number}"), b"", b""))
    for refused in (feeds.check_room(AMC), feeds.receive(received("fee_x", "x"), b"", b"")):
        with pytest.raises(Refused, match="feeds_waiting"):
            now(refused)
    newest = f"{WAITING_MAX - 1}"
    same = received("fee_x", f"d{newest}")
    assert now(feeds.receive(same, b"", b"")) == f"fee_{newest}", "the same file takes no more room"
    with pytest.raises(
        Refused, match="feeds_waiting"
    ):  # behind others it is a file of its own: what is sent last holds
        now(feeds.receive(received("fee_x", "d3"), b"", b""))
    now(feeds.check_room(OTHER_AMC))
    now(feeds.load("fee_00"))
    with pytest.raises(Refused, match="feeds_waiting"):
        now(feeds.check_room(AMC))
    now(feeds.refuse("fee_00", FeedCounts(), [], 5))
    assert now(feeds.receive(received("fee_x", "x"), b"", b"")) == "fee_x"


def test_how_many_people_a_delta_left_shows_later_those_of_a_full_file_at_once(hub: StoreHub) -> None:
    feeds = hub.stores.feeds
    assert now(feeds.people_shown(AMC, 1 << 60)) == 0
    hub.load("fee_1", {b"p" * 16: ["1"], b"q" * 16: ["1"]})
    hub.load("fee_2", {b"r" * 16: ["1"]}, over=True)
    _, at_ts_us = (each.since_ts_us for each in now(feeds.held(1 << 60)))
    assert [now(feeds.people_shown(AMC, at_ts_us + late)) for late in (-9, 0, 1)] == [2, 2, 3]
    hub.load("fee_3", {b"p" * 16: ["1"]})
    assert [now(feeds.people_shown(each, at_ts_us)) for each in (AMC, OTHER_AMC)] == [1, 0]


def test_how_many_people_were_held_is_known_after_each_feed(hub: StoreHub) -> None:
    feeds = hub.stores.feeds
    assert now(feeds.held(1 << 60)) == []
    assert now(feeds.people(AMC)) == 0
    hub.load("fee_1", {b"p" * 16: ["1"]})
    hub.load("fee_2", {b"p" * 16: ["2"], b"q" * 16: ["3"]})
    held = now(feeds.held(1 << 60))
    assert [(each.insurer, each.people) for each in held] == [(AMC, 1), (AMC, 2)]
    assert [now(feeds.people(each)) for each in (AMC, OTHER_AMC)] == [2, 0]
    assert [each.people for each in now(feeds.held(held[1].since_ts_us))] == [
        each.people for each in held[:-1] if each.since_ts_us < held[1].since_ts_us
    ]


def test_the_newest_version_of_a_product_is_in_force_and_none_is_lost(hub: StoreHub) -> None:
    products = hub.stores.products
    first, second = read_product(PRODUCT), read_product(PRODUCT.replace(b"TM:100", b"NONE"))
    assert now(products.in_force(AMC, "P")) == version(first)
    assert now(products.add(AMC, first, 2)) is False
    assert now(products.add(AMC, second, 3)) is True
    assert now(products.in_force(AMC, "P")) == version(second), "seen at once by whoever loaded it"
    assert now(hub.again().products.in_force(AMC, "P")) == version(second)
    assert now(products.add(AMC, first, 4)) is True, "a version sent again is in force again"
    assert now(products.in_force(AMC, "P")) == version(first)
    assert now(products.table(AMC, "P", version(second))) == second
    assert now(products.table(AMC, "P", "nothing")) is now(products.table(OTHER_AMC, "P", version(first))) is None
    assert (now(products.names(AMC)), now(products.names(OTHER_AMC))) == (["P"], [])
    assert now(products.in_force(OTHER_AMC, "P")) == ""


def test_bank_details_are_those_last_given(hub: StoreHub) -> None:
    directory = hub.stores.directory
    now(directory.put_payees([("1", b"a"), ("2", b"b"), ("1", b"c")]))
    now(directory.put_settlements([(AMC, b"s"), (OTHER_AMC, b"t")]))
    assert now(directory.payees(["1", "2", "3"])) == {"1": b"c", "2": b"b"}
    assert now(directory.settlements([AMC, OTHER_AMC, "9"])) == {AMC: b"s", OTHER_AMC: b"t"}
    now(hub.stores.products.add(OTHER_AMC, read_product(PRODUCT), 1))  # an insurer that is known is now served
    assert now(directory.settlements([OTHER_AMC])) == {OTHER_AMC: b"t"}


def test_the_public_key_of_an_insurer_is_the_last_one_given(hub: StoreHub) -> None:
    directory = hub.stores.directory
    assert now(directory.recipients([AMC])) == {}
    now(directory.put_settlements([(AMC, b"s")]))
    for key in (b"k", b"l"):
        now(directory.put_recipient(AMC, key))
    assert now(directory.recipients([AMC, OTHER_AMC])) == {AMC: b"l"}
    assert now(directory.settlements([AMC])) == {AMC: b"s"}, "the rest of the insurer's line is left as it was"
