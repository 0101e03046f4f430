"""Names of what is contained: what is unambiguous is read, the rest is refused with what a name looks like."""

from __future__ import annotations

import pytest

from ecluse.gate.containment import Kind
from ecluse.gate.distance import WHERE
from ecluse.gate.fleet import OVERSEAS, OVERSEAS_BEFORE, department, places
from ecluse.gate.naming import DEPARTMENTS, read_name
from ecluse.gate.network import network_of
from ecluse.kernel.errors import Refused
from ecluse.rights.model import Domain

READ = [
    ("rpps:10000000001", Kind.ACCOUNT, "rpps:10000000001"),
    ("RPPS:10000000001", Kind.ACCOUNT, "rpps:10000000001"),
    (" rpps:10000000001 ", Kind.ACCOUNT, "rpps:10000000001"),
    ("rpps: 1000 0000 001", Kind.ACCOUNT, "rpps:10000000001"),
    ("amc:0075 123456", Kind.ACCOUNT, "amc:0075123456"),
    ("ops:a.martin@site", Kind.ACCOUNT, "ops:a.martin@site"),
    ("account:f:1234:alice", Kind.ACCOUNT, "f:1234:alice"),
    ("insurer:0075 123456", Kind.INSURER, "0075123456"),
    ("Insurer:0075123456", Kind.INSURER, "0075123456"),
    ("domain:med", Kind.DOMAIN, "MED"),
    ("vendor: broker-1 ", Kind.VENDOR, "broker-1"),
    ("vendor:" + "x" * 70, Kind.VENDOR, "x" * 64),
    ("department:037", Kind.DEPARTMENT, "37"),
    ("department:1", Kind.DEPARTMENT, "01"),
    ("department:2a", Kind.DEPARTMENT, "2A"),
    ("department:974", Kind.DEPARTMENT, "974"),
    ("network:127.0.0.1", Kind.NETWORK, "127.0.0.0/24"),
    ("network:192.0.2.0/24", Kind.NETWORK, "192.0.2.0/24"),
    ("network:192.0.2.64/26", Kind.NETWORK, "192.0.2.0/24"),
    ("network:2001:DB8:1:2::3", Kind.NETWORK, "2001:db8:1::/48"),
    ("network:2001:db8:1::/48", Kind.NETWORK, "2001:db8:1::/48"),
    ("network:::ffff:192.0.2.7", Kind.NETWORK, "192.0.2.0/24"),
]
REFUSED = {
    "10000000001": "before a colon",
    "": "before a colon",
    "rpps:": "before a colon",
    "insurer: ": "before a colon",
    "rpps:1000000001": "11 digits",
    "rpps:1000000000x": "11 digits",
    "f:1234:alice": "no account's name",
    "Zoé:1": "no account's name",
    "account:" + "x" * 129: "so long",
    "insurer:AXA": "no insurer's number",
    "amc:AXA": "no insurer's number",
    "domain:DENTAL": "no kind of care",
    "department:Indre-et-Loire": "no département",
    "department:20": "no département",
    "department:096": "no département",
    "network:paris": "no network",
    "network:192.0.0.0/16": "so wide",
    "network:2001:db8::/32": "so wide",
}


@pytest.mark.parametrize(("text", "kind", "name"), READ, ids=[each[0] for each in READ])
def test_names_are_read_as_the_gate_compares_them(text: str, kind: Kind, name: str) -> None:
    assert read_name(text) == (kind, name)
    if kind is not Kind.ACCOUNT:
        assert read_name(f"{kind}:{name}") == (kind, name)


@pytest.mark.parametrize("text", REFUSED)
def test_what_is_no_name_is_refused(text: str) -> None:
    with pytest.raises(Refused, match=REFUSED[text]) as refused:
        read_name(text)
    assert refused.value.code == "contained_unknown"
    assert not text.rpartition(":")[2].strip() or text not in str(refused.value)


def test_whatever_the_gate_holds_a_question_to_can_be_named() -> None:
    practices = [
        code.ljust(9, "1") for code in {*WHERE, *OVERSEAS, *OVERSEAS_BEFORE, "977"} - {"971", "972", "973", "974"}
    ]
    assert {department(each) for each in practices} <= DEPARTMENTS
    for kind, name in places("0075123456", "970400012", "broker", network_of("192.0.2.7")):
        assert read_name(f"{kind}:{name}") == (kind, name)
    for each in Domain:
        assert read_name(f"domain:{each}") == (Kind.DOMAIN, each)
