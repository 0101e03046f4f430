"""What systemd is told: ready, stopping (sd_notify(3)). Elsewhere nobody listens, and nothing happens."""

from __future__ import annotations

import os
import socket
from collections.abc import Mapping

READY, STOPPING = "READY=1", "STOPPING=1"


def notify(state: str, environment: Mapping[str, str] = os.environ) -> bool:
    """Send one state to the socket that `NOTIFY_SOCKET` names; False when nobody heard."""
    address = environment.get("NOTIFY_SOCKET", "")
    if not address:
        return False
    if address.startswith("@"):  # the abstract namespace is written so in the variable
        address = "\0" + address[1:]
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as speaking:
            speaking.connect(address)
            speaking.sendall(state.encode())
    except OSError:  # the hub answers all the same; systemd will say that it was told nothing
        return False
    return True
