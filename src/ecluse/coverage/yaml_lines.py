"""Reads the strict part of YAML that guarantee tables need, and keeps the line of every value.

Plain mappings, lists and scalars only: a key given twice, an anchor, an alias, a tag or a second document is refused.
"""

from __future__ import annotations

from typing import Any, NoReturn

import yaml

from ecluse.kernel.errors import Refused, refusal

BYTES_MAX = 512 * 1024  # two thousand rows with their labels; keeps a hostile file from filling memory
DEPTH_MAX = 8  # a table is four deep

BAD_PRODUCT = refusal(
    "product_invalid",
    422,
    "This is not a guarantee table the hub can use",
    fix="Correct the line that is named; docs/coverage.md describes the file.",
)

_Loader: type[Any] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_OPENING = (
    yaml.BlockMappingStartToken,
    yaml.BlockSequenceStartToken,
    yaml.FlowMappingStartToken,
    yaml.FlowSequenceStartToken,
)
_CLOSING = (yaml.BlockEndToken, yaml.FlowMappingEndToken, yaml.FlowSequenceEndToken)
_SCALARS = {f"tag:yaml.org,2002:{kind}" for kind in ("str", "int", "float", "bool", "null", "timestamp")}


def read_lines(data: bytes) -> tuple[Any, dict[str, int]]:
    """The values of a YAML file, and the line (from 1) of each by its RFC 6901 pointer. Raises `product_invalid`."""
    if len(data) > BYTES_MAX:
        raise BAD_PRODUCT(f"the file has {len(data)} bytes, at most {BYTES_MAX}", fix="Split the table in products.")
    _plain_tokens(data)
    loader = _Loader(data)
    try:
        root = loader.get_single_node()
        lines: dict[str, int] = {}
        return _value(loader, root, "", lines) if root else None, lines
    except yaml.YAMLError as error:
        raise _unreadable(error) from None
    finally:
        loader.dispose()


def _plain_tokens(data: bytes) -> None:
    """Refuse aliases and depth before nodes are made: ten lines of aliases can stand for a billion values."""
    depth = 0
    try:
        for token in yaml.scan(data, Loader=_Loader):
            depth += isinstance(token, _OPENING) - isinstance(token, _CLOSING)
            if depth > DEPTH_MAX:
                _refuse(token.start_mark.line + 1, f"more than {DEPTH_MAX} levels", "", "Write plain rows.")
            if isinstance(token, yaml.AnchorToken | yaml.AliasToken | yaml.TagToken):
                _refuse(token.start_mark.line + 1, "an anchor, alias or tag", "", "Write the value itself.")
    except yaml.YAMLError as error:
        raise _unreadable(error) from None


def _value(loader: Any, node: yaml.Node, pointer: str, lines: dict[str, int]) -> Any:
    lines[pointer] = line = node.start_mark.line + 1
    if isinstance(node, yaml.MappingNode):
        return _mapping(loader, node, pointer, lines)
    if isinstance(node, yaml.SequenceNode):
        return [_value(loader, each, f"{pointer}/{index}", lines) for index, each in enumerate(node.value)]
    if node.tag not in _SCALARS:
        _refuse(line, "a value of a kind not used here", pointer, "Write text, a number, true, false or a day.")
    try:
        return loader.construct_object(node)
    except ValueError:
        _refuse(line, "no such day", pointer, "Write an ISO day: YYYY-MM-DD.")


def _mapping(loader: Any, node: yaml.MappingNode, pointer: str, lines: dict[str, int]) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for key_node, value_node in node.value:
        key, line = key_node.value, key_node.start_mark.line + 1
        if not isinstance(key, str) or key_node.tag != "tag:yaml.org,2002:str":
            _refuse(line, "a key that is not text", pointer, "Write the keys as docs/coverage.md shows them.")
        inside = f"{pointer}/{key.replace('~', '~0').replace('/', '~1')}"
        if key in values:
            _refuse(line, "a key given twice", inside, "Keep one of them.")
        values[key] = _value(loader, value_node, inside, lines)
        lines[inside] = line
    return values


def _refuse(line: int, what: str, pointer: str, fix: str) -> NoReturn:
    raise BAD_PRODUCT(f"line {line}: {what}", pointer=pointer, fix=fix)


def _unreadable(error: Exception) -> Refused:
    mark = getattr(error, "problem_mark", None)
    where = f"line {mark.line + 1}: " if mark else ""
    return BAD_PRODUCT(f"{where}this is not YAML", fix="Check indents, quotes and days (YYYY-MM-DD).")
