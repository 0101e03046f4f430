"""What `/schema` says, held against bodies: a reader of the words of JSON Schema that it uses, and of no other."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import date, datetime
from typing import Any

KINDS: dict[str, Callable[[Any], bool]] = {
    "null": lambda value: value is None,
    "boolean": lambda value: isinstance(value, bool),
    "integer": lambda value: isinstance(value, int) and not isinstance(value, bool),
    "number": lambda value: isinstance(value, int | float) and not isinstance(value, bool),
    "string": lambda value: isinstance(value, str),
    "array": lambda value: isinstance(value, list),
    "object": lambda value: isinstance(value, dict),
}
FORMATS = {"date": date.fromisoformat, "date-time": datetime.fromisoformat}
LIMITS: dict[str, tuple[str, Callable[[Any, Any], bool]]] = {  # the kind each is about: others it lets through
    "minimum": ("number", lambda value, least: value >= least),
    "maximum": ("number", lambda value, most: value <= most),
    "maxLength": ("string", lambda value, most: len(value) <= most),
    "pattern": ("string", lambda value, form: re.search(form, value) is not None),
    "minItems": ("array", lambda value, least: len(value) >= least),
    "maxItems": ("array", lambda value, most: len(value) <= most),
    "required": ("object", lambda value, names: value.keys() >= {*names}),
}
READ = {"$ref", "type", "enum", "format", "oneOf", "anyOf", "items", "properties", "additionalProperties", *LIMITS}
SAID = {"title", "description", "default"}  # for people


class Described:
    """The description that a hub gives of its calls."""

    def __init__(self, schema: dict[str, Any]) -> None:
        self.paths: dict[str, dict[str, Any]] = schema["paths"]
        self._named: dict[str, Any] = schema["components"]["schemas"]

    def call(self, method: str, path: str) -> tuple[str, dict[str, Any]]:
        """The path's template and its call; of two templates that fit, the one with fewer names."""
        fit = (each for each in self.paths if re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", each), path))
        template = min(fit, key=lambda each: each.count("{"))
        return template, self.paths[template][method.lower()]

    def sent(self, path: str, body: Any) -> list[str]:
        """What is wrong with a JSON body that is posted there."""
        _, call = self.call("POST", path)
        return self.faults(call["requestBody"]["content"]["application/json"]["schema"], body)

    def answered(self, method: str, path: str, status: int, media: str, body: Any) -> list[str]:
        """What is wrong with an answer: its status, its media type, what it says."""
        answers = self.call(method, path)[1]["responses"]
        told = answers.get(str(status), answers["default"])["content"]
        if media not in told:
            return [f"{status} {media} is none of {[*told]}"]
        return self.faults(told[media]["schema"], body) if "json" in media else []

    def faults(self, node: dict[str, Any], value: Any, way: str = "") -> list[str]:
        """Each thing that is wrong with a value, and where."""
        return [*self._faults(node, value, way)]

    def _faults(self, node: dict[str, Any], value: Any, way: str) -> Iterator[str]:
        assert node.keys() <= READ | SAID, f"words that are not read here: {node.keys() - READ - SAID}"
        if name := node.get("$ref"):
            yield from self._faults(self._named[name.rpartition("/")[2]], value, way)
        kinds = node.get("type", [*KINDS])
        if not any(KINDS[kind](value) for kind in ([kinds] if isinstance(kinds, str) else kinds)):
            yield f"{way}: no {kinds}"
            return
        if value not in node.get("enum", [value]):
            yield f"{way}: not in {node['enum']}"
        if isinstance(value, str) and not _reads(node.get("format", ""), value):
            yield f"{way}: no {node['format']}"
        for word, (kind, holds) in LIMITS.items():
            if word in node and KINDS[kind](value) and not holds(value, node[word]):
                yield f"{way}: not {word} {node[word]}"
        yield from self._ways(node, value, way)
        yield from self._inside(node, value, way)

    def _ways(self, node: dict[str, Any], value: Any, way: str) -> Iterator[str]:
        for word, most in (("oneOf", 1), ("anyOf", len(node.get("anyOf", ())))):
            tried = [self.faults(each, value, way) for each in node.get(word, ())]
            if tried and not 1 <= sum(not faults for faults in tried) <= most:
                yield f"{way}: {word} does not hold: {tried}"

    def _inside(self, node: dict[str, Any], value: Any, way: str) -> Iterator[str]:
        if isinstance(value, list):
            for place, each in enumerate(value):
                yield from self._faults(node.get("items", {}), each, f"{way}/{place}")
        if isinstance(value, dict):
            known, others = node.get("properties", {}), node.get("additionalProperties", {})
            for name, each in value.items():
                if (of := known.get(name, others)) is False:
                    yield f"{way}/{name}: has no place here"
                else:
                    yield from self._faults({} if of is True else of, each, f"{way}/{name}")


def _reads(form: str, text: str) -> bool:
    try:
        FORMATS.get(form, str)(text)
    except ValueError:
        return False
    return True
