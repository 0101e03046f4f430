"""Asks the hub who was shown what, with its own command, and opens each insurer's list with that insurer's own key.

The keys are made here, as an insurer would with `age-keygen`; the hub gets the public ones. They stay in `input/keys/`, so that
the lists of a demo can be opened by hand: `age -d -i input/keys/AMC.txt LIST`.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

import pyarrow.csv as table_text
import pyarrow.parquet as table_file
import pyrage

from sim.auditor.exposure import Json
from sim.auditor.lie import Oath
from sim.auditor.questions import Question
from sim.auditor.told import instant
from sim.hub import Operator

WORDS = (("--account", "accounts"), ("--insurer", "insurers"), ("--network", "networks"), ("--session", "sessions"))


@dataclass
class Investigator:
    """Who asks the hub in `directory`; `folder` takes the encrypted lists."""

    operator: Operator
    directory: Path
    folder: Path
    oath: Oath
    identities: dict[str, pyrage.x25519.Identity] = field(default_factory=dict)

    def register(self, insurers: Iterable[str], keys: Path) -> None:
        """Make a pair of keys for each insurer, and register the public ones."""
        keys.mkdir(parents=True, exist_ok=True)
        for insurer in insurers:
            identity = self.identities[insurer] = pyrage.x25519.Identity.generate()
            secret, public = keys / f"{insurer}.txt", keys / f"{insurer}.pub"
            secret.write_text(f"# public key: {identity.to_public()}\n{identity}\n")
            public.write_text(f"{identity.to_public()}\n")
            self.operator.command("insurer", "key", insurer, str(public), "--dir", str(self.directory))

    def ask(self, question: Question) -> tuple[Json, dict[str, str]]:
        """What the hub says, and the lists in clear, as CSV. Raises `Lie` when a file is not what was said of it."""
        words = ["--from", instant(question.start_us), "--to", instant(question.end_us), "--dir", str(self.directory)]
        for option, name in WORDS:
            for value in sorted(getattr(question, name)):
                words += [option, value]
        if question.is_listed:
            words += ["--lists", str(self.folder)]
        said = self.operator.command("exposure", *words)
        return said, {each["insurer"]: self._opened(each["insurer"], each["files"]) for each in said["lists"]}

    def _opened(self, insurer: str, files: dict[str, str]) -> str:
        """One insurer's list, opened by its key; the Parquet file has the same rows."""
        opened = {}
        for name, digest in files.items():
            sealed = (self.folder / name).read_bytes()
            self.oath.same("lists are the files that were told", name, hashlib.sha256(sealed).hexdigest(), digest)
            opened[name.split(".")[-2]] = pyrage.decrypt(sealed, [self.identities[insurer]])
        table = table_file.read_table(io.BytesIO(opened["parquet"]))
        kinds = table_text.ConvertOptions(column_types=table.schema)
        same = table_text.read_csv(io.BytesIO(opened["csv"]), convert_options=kinds).equals(table)
        self.oath.true("lists are the same in both forms", f"list of {insurer}", same, "the same rows")
        return str(opened["csv"], "utf-8")
