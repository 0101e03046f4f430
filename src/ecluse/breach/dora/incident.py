"""What `ecluse breach dora` reads: an incident as one insurer sees it, its times, and the report to write.

A fact left out is not known: `false` and `0` are facts.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from msgspec import Meta, field

from ecluse.breach.facts import Count, Hours, Instant, Sent, Short

Threshold = Literal["9(1)", "9(2)", "9(3)", "9(4)", "9(5)(a)", "9(5)(b)", "9(6)"]
Loss = Literal["availability", "authenticity", "integrity", "confidentiality"]
Percentage = Annotated[float, Meta(ge=0, le=1_000_000)]
Euros = Annotated[float, Meta(ge=0, le=1_000_000_000_000)]
Nis2 = Literal["none", "essential", "important"]
Stage = Literal["initial", "intermediate", "final", "reclassified"]


class Recurring(Sent, frozen=True):
    """Incidents that are not major one by one (2024/1772, art. 8(2))."""

    count: Annotated[int, Meta(ge=0, le=10_000)]
    within_months: Annotated[float, Meta(ge=0, le=1200)]
    same_root_cause: bool
    collectively_meet: bool
    microenterprise: bool = False


class Incident(Sent, frozen=True):
    """The facts that 2024/1772 classifies by.

    `covered_beneficiaries` counts everybody the contracts cover, holders included; `dependants` those beside the `policyholders`.
    `downtime_h` is that of services behind a critical or important function, unless `critical_function` is false.
    """

    clients: Count | None = None
    clients_pct: Percentage | None = None
    clients_total: Count | None = None
    policyholders: Count | None = None
    covered_beneficiaries: Count | None = None
    dependants: Count | None = None
    counterparts: Count | None = None
    counterparts_pct: Percentage | None = None
    transactions: Count | None = None
    transactions_pct: Percentage | None = None
    transactions_amount_pct: Percentage | None = None
    relevant_clients: bool | None = None
    media: bool | None = None
    complaints: bool | None = None
    regulatory_requirements_not_met: bool | None = None
    loss_of_clients: bool | None = None
    duration_h: Hours | None = None
    downtime_h: Hours | None = None
    member_states: Annotated[int, Meta(ge=0, le=50)] | Annotated[list[Short], Meta(max_length=50)] | None = None
    data_losses: Annotated[list[Loss], Meta(max_length=4)] | None = None
    adverse_impact: bool | None = None
    malicious_access: bool | None = None
    may_cause_data_loss: bool | None = None
    costs_eur: Euros | None = None
    critical_services: bool | None = None
    critical_function: bool | None = None
    supervised_service: bool | None = None
    thresholds: Annotated[list[Threshold], Meta(max_length=7)] | None = None
    recurring: Recurring | None = None


Fields = Annotated[dict[str, Any], Meta(max_length=100)]


class Entity(Sent, frozen=True, kw_only=True):
    """One insurer: its name and LEI, the incident as it sees it, and the fields of its own report."""

    name: Short
    lei: Short
    incident: Incident = field(default_factory=Incident)
    fields: Fields = field(default_factory=dict)


class Aggregation(Sent, frozen=True):
    """What article 7 of 2025/302 asks before one report may stand for several; left out: not established."""

    from_third_party: bool = False
    serves_several: bool = False
    member_states: Annotated[list[Short], Meta(max_length=50)] = field(default_factory=list)
    authorities: Annotated[list[Short], Meta(max_length=50)] = field(default_factory=list)
    permitted_by_authority: bool = False
    excluded_entity: bool = False


class Asked(Sent, frozen=True, kw_only=True):
    """A report to write: its stage, the fields all share, those it concerns, and what is so (`stated`, see the template)."""

    stage: Stage
    fields: Fields = field(default_factory=dict)
    entities: Annotated[list[Entity], Meta(max_length=500)] = field(default_factory=list)
    stated: Annotated[
        list[
            Literal[
                "other_entity",
                "group",
                "third_party",
                "authority_reference",
                "relevant_clients",
                "transactions",
                "downtime",
                "resolution_critical_functions",
                "resolvability",
                "recurring",
            ]
        ],
        Meta(max_length=10),
    ] = field(default_factory=list)
    aggregation: Aggregation | None = None


class Dora(Incident, frozen=True):
    """All that `ecluse breach dora` reads."""

    aware: Instant | None = None
    classified: Instant | None = None
    initial_submitted: Instant | None = None
    last_intermediate: Instant | None = None
    final_submitted: Instant | None = None
    nis2: Nis2 | None = None
    significant: bool = False
    timezone: Literal["Europe/Paris", "UTC"] = "UTC"
    report: Asked | None = None
