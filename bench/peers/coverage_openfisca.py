"""The peer on tax-benefit rules: OpenFisca-core with the formula of coverage, run in an environment of its own.

Reads one JSON object (cases, rates, guarantees) from standard input and prints another: the amounts of every case and the
speeds of three ways to ask. Amounts are whole cents in integer variables, rates ten-thousandths: its own floats have 24 bits,
too few to round half up as the law does.
"""

import gc
import json
import sys
import time
from collections.abc import Callable
from statistics import median
from typing import Any

import numpy
from openfisca_core.entities import build_entity
from openfisca_core.indexed_enums import Enum
from openfisca_core.parameters import ParameterNode
from openfisca_core.periods import DateUnit
from openfisca_core.simulations import SimulationBuilder
from openfisca_core.taxbenefitsystems import TaxBenefitSystem
from openfisca_core.variables import Variable

Line = build_entity(key="line", plural="lines", label="A line of care", is_person=True)
QUESTION = json.load(sys.stdin)
DAY, CASES = QUESTION["day"], QUESTION["cases"]
WHOLE = 10_000  # 100 % in hundredths of a percent

Array = numpy.ndarray
Case = dict[str, Any]

Care = Enum("Care", {name: name for name in QUESTION["rates"]})
Kind = Enum("Kind", {name: name for name in ("NONE", "TM", "BR_INCL", "BR_EXCL", "FR", "EUR")})


def share(cents: Array, rate: Array) -> Array:
    """A share in cents, half up; in 64 bits, since the product passes 32."""
    return (2 * cents.astype(numpy.int64) * rate.astype(numpy.int64) + WHOLE) // (2 * WHOLE)


def variable(name: str, value_type: type = int, **more: Any) -> type[Variable]:
    """A variable of a line on a day."""
    fields = {"value_type": value_type, "entity": Line, "definition_period": DateUnit.DAY, "label": name, **more}
    return type(name, (Variable,), fields)


def amo(line: Any, period: Any, parameters: Any) -> Array:
    """The AMO: base × rate, never above the expense."""
    rate = parameters(period).amo_rate[line("care", period)]
    return numpy.minimum(share(line("base", period), rate), line("expense", period))


def ceiling(line: Any, period: Any) -> Array:
    """What the guarantee may pay."""
    base, expense, paid = line("base", period), line("expense", period), line("amo", period)
    kind, number = line("kind", period), line("number", period)
    return numpy.select(
        [kind == Kind.TM, kind == Kind.BR_INCL, kind == Kind.BR_EXCL, kind == Kind.FR, kind == Kind.EUR],
        [
            share(numpy.maximum(0, base - paid), number),
            numpy.maximum(0, share(base, number) - paid),
            share(base, number),
            numpy.maximum(0, share(expense, number) - paid),
            number,
        ],
        0,
    )


def amc(line: Any, period: Any) -> Array:
    """What the contract pays: within the guarantee and what is left."""
    return numpy.minimum(line("ceiling", period), line("expense", period) - line("amo", period))


def patient(line: Any, period: Any) -> Array:
    """What is left at the counter."""
    return line("expense", period) - line("amo", period) - line("amc", period)


def system() -> TaxBenefitSystem:
    """Variables, and the AMO's rates as parameters with their day."""
    made = TaxBenefitSystem([Line])
    made.add_variables(
        *(variable(name) for name in ("expense", "base", "number")),
        variable("care", Enum, possible_values=Care, default_value=next(iter(Care))),
        variable("kind", Enum, possible_values=Kind, default_value=Kind.NONE),
        *(variable(formula.__name__, formula=formula) for formula in (amo, ceiling, amc, patient)),
    )
    rates = {name: {"values": {"2020-01-01": {"value": rate}}} for name, rate in QUESTION["rates"].items()}
    made.parameters = ParameterNode("", data={"amo_rate": rates})
    return made


SYSTEM = system()
ANSWERS = ("amo", "amc", "patient")


def inputs(case: Case) -> Case:
    """The input variables of one case."""
    kind, number = QUESTION["guarantees"][case["guarantee"]]
    return {"expense": case["expense"], "base": case["base"], "care": case["care"], "kind": kind, "number": number}


def columns(asked: list[Case]) -> dict[str, Array]:
    """Each input of all cases as one array, as who asks for many at once holds them."""
    return {name: numpy.array([case[name] for case in asked]) for name in asked[0]}


def asked_together(given: dict[str, Array]) -> Array:
    """All cases in one simulation; a row of amounts for each."""
    simulation = SimulationBuilder().build_default_simulation(SYSTEM, count=len(given["base"]))
    for name, values in given.items():
        simulation.set_input(name, DAY, values)
    return numpy.stack([simulation.calculate(name, DAY) for name in ANSWERS], axis=1)


def asked_alone(case: Case) -> list[int]:
    """One case in a simulation of its own, in the quickest way there is."""
    return asked_together(columns([case]))[0].tolist()


def asked_from_dictionary(case: Case) -> list[int]:
    """One case as its web API takes it."""
    line = {name: {DAY: value} for name, value in case.items()}
    simulation = SimulationBuilder().build_from_entities(SYSTEM, {"lines": {"one": line}})
    return [int(simulation.calculate(name, DAY)[0]) for name in ANSWERS]


def speed(work: Callable[[], Any], lines: int) -> float:
    """The median number of lines a second."""
    speeds = []
    for _ in range(QUESTION["runs"]):
        gc.collect()
        started_s = time.process_time()
        work()
        speeds.append(lines / (time.process_time() - started_s))
    return median(speeds)


def main() -> None:
    """Amounts first, the same in all three ways; then the speeds."""
    asked = [inputs(case) for case in CASES]
    few = asked[: QUESTION["one_by_one"]]
    together = columns(asked)
    amounts = asked_together(together).tolist()
    for case, known in zip(few, amounts, strict=False):
        assert asked_alone(case) == asked_from_dictionary(case) == known, case
    found = {
        "amounts": amounts,
        "numpy": numpy.__version__,
        "vectorised": speed(lambda: asked_together(together), len(asked)),
        "per_case": speed(lambda: [asked_alone(case) for case in few], len(few)),
        "per_case_read": speed(lambda: [asked_from_dictionary(case) for case in few], len(few)),
    }
    print(json.dumps(found))


if __name__ == "__main__":
    main()
