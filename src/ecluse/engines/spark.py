"""The lake asked with Spark: the same files, the same named queries, on one machine or on many.

`spark:lake?master=…`: where Spark runs, as it writes it (`local[2]`, `local-cluster[2,1,1024]`, `spark://host:7077`); further
options, as `&spark.executor.memory=4g`, are Spark's own. The executors of another machine need the lake under the same path. It
needs Java and the extra `ecluse[spark]`.
"""

from __future__ import annotations

import atexit
import os
import shutil
import sys
from collections.abc import Mapping
from functools import cache, reduce
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa

from ecluse.app.ports.journal import Head, Shards
from ecluse.app.ports.lake import Covered, Parameters
from ecluse.engines.lake.asked import Asked, Signed, Source, asked, sources
from ecluse.engines.lake.columns import PERSONS as PERSONS_SCHEMA
from ecluse.engines.lake.columns import SCHEMA
from ecluse.engines.lake.export import covered
from ecluse.engines.lake.layout import ENTRIES, PERSONS, place
from ecluse.gate.admission import Admission
from ecluse.kernel.errors import refusal

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

MASTER = "local[2]"
TRIES = 3  # an export may replace files between the look at what there is and their reading

SPARK_ABSENT = refusal(
    "spark_absent",
    500,
    "Spark cannot be started here",
    fix='Run `pip install "ecluse[spark]"` and install Java 17, or write duckdb: in lake.url.',
)
_SETTINGS = {
    "spark.app.name": "ecluse",
    "spark.ui.enabled": "false",
    "spark.ui.showConsoleProgress": "false",
    "spark.log.level": "ERROR",
    "spark.sql.shuffle.partitions": "4",  # what is shuffled is small, accounts and windows leave thousands of rows
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.ansi.enabled": "true",
}
_HERE = "127.0.0.1"
_KINDS = {"uint32": "bigint", "uint8": "smallint", "int64": "bigint", "bool": "boolean", "string": "string"}


class SparkLake:
    """The `Lake` port on the folder `lake`."""

    def __init__(self, lake: Path, shards: Shards, master: str, options: Mapping[str, str]) -> None:
        self._lake = lake.resolve()
        self._signed = Signed(shards)
        self._master = master
        self._options = tuple(options.items())

    @property
    def heads(self) -> list[Head]:
        """The signed heads it is asked of."""
        return self._signed.heads

    def covered(self) -> list[Covered]:
        """What the lake has, by shard."""
        return covered(self._lake)

    def ask(self, admission: Admission, query: str, parameters: Parameters) -> pa.Table:
        """What the query answers. Raises `lake_behind`, `lake_differs`, `lake_query_unknown`, `spark_absent`."""
        assert isinstance(admission, Admission)
        what = asked(query, parameters)
        spark = session(self._master, self._options).newSession()  # views of its own
        for again in range(TRIES):
            found = sources(self._signed, self._lake, what)
            try:
                return _answer(spark, what, found)
            except _spark_error():
                if again == TRIES - 1 or found == sources(self._signed, self._lake, what):
                    raise
        raise AssertionError


@cache
def session(master: str, options: tuple[tuple[str, str], ...] = ()) -> SparkSession:
    """The Spark of this process. Starting it takes seconds. Raises `spark_absent`."""
    try:
        from pyspark.sql import SparkSession
    except ImportError:
        raise SPARK_ABSENT("pyspark is not installed") from None
    if not shutil.which("java") and "JAVA_HOME" not in os.environ:
        raise SPARK_ABSENT("there is no java")
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    building = SparkSession.builder.master(master)
    if master.startswith("local"):
        os.environ["SPARK_LOCAL_IP"] = _HERE  # its processes listen to one another, and to nobody else
        building = building.config("spark.driver.host", _HERE).config("spark.driver.bindAddress", _HERE)
    for name, value in (*_SETTINGS.items(), *options):
        building = building.config(name, value)
    started = building.getOrCreate()
    atexit.register(started.stop)  # else its processes are cut off, and complain
    return started


def _answer(spark: SparkSession, what: Asked, found: list[Source]) -> pa.Table:
    entries = _union(spark, [(each.shard, each.paths(ENTRIES, each.files)) for each in found], SCHEMA)
    entries = entries.where((entries.ts_us >= what.from_us) & (entries.ts_us < what.to_us))
    for column, values in what.only.items():
        entries = entries.where(entries[column].isin(values))
    for each in found:
        if each.end is not None:
            entries = entries.where((entries["shard"] != each.shard) | (entries["index"] < each.end))
    entries.createOrReplaceTempView("entries")
    persons = _union(spark, [(each.shard, each.paths(PERSONS, each.all_files)) for each in found], PERSONS_SCHEMA)
    persons.createOrReplaceTempView("persons")
    hours = list(zip(what.hours["hour_us"], what.hours["day"], strict=True))
    spark.createDataFrame(hours, "hour_us bigint, day string").createOrReplaceTempView("hours")
    return spark.sql(what.text, args=what.own).toArrow()


def _union(spark: SparkSession, shards: list[tuple[str, list[str]]], schema: pa.Schema) -> DataFrame:
    from pyspark.sql import DataFrame
    from pyspark.sql.functions import lit

    columns = ", ".join(f"`{each.name}` {_KINDS.get(str(each.type), 'binary')}" for each in schema)
    if not shards:
        return spark.createDataFrame([], f"{columns}, shard string")
    reader = spark.read.schema(columns)  # told, or Spark opens files to find it out
    return reduce(DataFrame.union, [reader.parquet(*paths).withColumn("shard", lit(shard)) for shard, paths in shards])


def _spark_error() -> type[Exception]:
    """What Spark raises when a file it was about to read is gone."""
    from pyspark.errors import PySparkException

    found: type[Exception] = PySparkException
    return found


def open_lake(directory: Path, url: str, shards: Shards) -> SparkLake:
    """The engine of `spark:url`, in a hub's directory. Options are `master` and Spark's own, as `spark.executor.memory`."""
    folder, options = place(url)
    return SparkLake(directory / folder, shards, options.pop("master", MASTER), options)
