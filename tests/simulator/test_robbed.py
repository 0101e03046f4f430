"""Whose logins thieves steal: those whom nobody tries first in the world that a demo leaves."""

from __future__ import annotations

from sim.attacks.over_http import in_order_of_theft
from sim.world import World

GP = "general_practitioner"


def test_the_first_of_each_profession_is_robbed_after_everybody_else(small: World) -> None:
    listed = sorted(small.professionals, key=lambda who: who.account)
    firsts = {who.trade.profession: who for who in reversed(listed)}
    robbed = in_order_of_theft(small.professionals)
    assert sorted(who.account for who in robbed) == [who.account for who in listed]
    assert {who.account for who in robbed[-len(firsts) :]} == {who.account for who in firsts.values()}
    practitioners = [who.account for who in reversed(listed) if who.trade.profession == GP][:-1]
    assert practitioners
    assert [who.account for who in robbed[: len(practitioners)]] == practitioners, "the last of the list first"
    assert listed[0] not in robbed[: len(practitioners)]
