"""Which engine a URL of the settings names. Engines are imported when they are used."""

from __future__ import annotations

from importlib import import_module
from types import ModuleType

from ecluse.kernel.errors import refusal

KEYS = {
    "file": "ecluse.engines.keys.file",
    "pkcs11": "ecluse.engines.keys.pkcs11",
    "openbao": "ecluse.engines.keys.openbao",
}
LOGS = {"local": "ecluse.engines.local"}
LAKES = {"duckdb": "ecluse.engines.duckdb.lake", "spark": "ecluse.engines.spark"}
FILES = "ecluse.engines.lake.anew"  # imports pyarrow and DuckDB: a third of a second that only what reads a lake pays
READERS = {"local": "ecluse.engines.journal_search"}
STORES = {"sqlite": "ecluse.engines.sqlite", "postgresql": "ecluse.engines.postgres"}

ENGINE_UNKNOWN = refusal("engine_unknown", 500, "No engine for this URL", fix="Write one of the schemes named here.")


def plug(url: str, engines: dict[str, str]) -> tuple[ModuleType, str]:
    """The engine module a URL names, and the rest of the URL. Raises `engine_unknown`."""
    scheme, _, place = url.partition(":")
    if scheme not in engines:
        raise ENGINE_UNKNOWN(f"no engine for {scheme!r}; there is {', '.join(sorted(engines))}")
    return import_module(engines[scheme]), place
