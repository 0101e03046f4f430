"""ISO 20022 schemas, from the installed sepaxml package (ISO's own files, not copied here), applied with lxml."""

from __future__ import annotations

from functools import lru_cache
from importlib.resources import files

from lxml import etree


class Schemas:
    """The `Schemas` port. A message that does not hold is a bug of ours: what goes into it was checked before."""

    def check(self, document: bytes, message: str) -> None:
        """Assert that `document` is a valid `message` (`pain.001.001.09`…)."""
        parser = etree.XMLParser(resolve_entities=False, no_network=True, huge_tree=True)  # our own bytes, of any size
        try:
            _schema(message).assertValid(etree.fromstring(document, parser))
        except etree.DocumentInvalid as wrong:
            raise AssertionError(f"{message}: {wrong}") from wrong


@lru_cache(maxsize=8)
def _schema(message: str) -> etree.XMLSchema:
    return etree.XMLSchema(etree.fromstring((files("sepaxml") / "schemas" / f"{message}.xsd").read_bytes()))
