"""What accounts of one practice made is shown to each of them: by what the asker is limited to first, then by the day's count."""

from __future__ import annotations

from ecluse.app.colleagues import Sent
from ecluse.app.hub import Hub
from ecluse.gate.admission import Admission


async def let_see(hub: Hub, admission: Admission, made_by: str, sent: Sent) -> None:
    """Let who was admitted see, cancel or replace what an account of their practice made; `sent` says how many it sends.

    Raises `step_up_required`, `colleagues_read_many`.
    """
    hub.desk.hold_to_own(admission, made_by)
    await hub.colleagues.let_read(admission, made_by, sent, hub.desk.record)
