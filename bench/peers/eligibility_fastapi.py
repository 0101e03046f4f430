"""The peer most teams would write: FastAPI, a Pydantic question, a SQLAlchemy model, PostgreSQL. No token, no journal.

ECLUSE_PEER_SOCKET=/tmp/… uvicorn bench.peers.eligibility_fastapi:app
"""

import os
from collections.abc import Iterator
from datetime import date
from hashlib import sha256
from typing import Annotated, Any

from fastapi import Depends, FastAPI
from pydantic import BaseModel
from sqlalchemy import URL, LargeBinary, String, create_engine, select
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column, sessionmaker

SOCKET = os.environ.get("ECLUSE_PEER_SOCKET", "/tmp")
engine = create_engine(URL.create("postgresql+psycopg", "postgres", host=SOCKET, database="postgres"), pool_size=20)
sessions = sessionmaker(engine)
app = FastAPI()


class Base(DeclarativeBase):
    """The declarative base."""


class Right(Base):
    """One row of the table `rights`."""

    __tablename__ = "rights"

    person: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    contract: Mapped[str] = mapped_column(String)
    domains: Mapped[str] = mapped_column(String)
    valid_from: Mapped[date]
    valid_to: Mapped[date | None]


class Beneficiary(BaseModel):
    """Who is meant."""

    nir: str
    birth_date: date
    birth_rank: int


class Question(BaseModel):
    """What is asked."""

    insurer: str
    beneficiary: Beneficiary
    care_date: date
    domain: str


def session() -> Iterator[Session]:
    """One session a request."""
    with sessions() as opened:
        yield opened


def person(question: Question) -> bytes:
    """The key of the person asked about."""
    who = question.beneficiary
    return sha256(f"{who.nir}|{who.birth_date}|{who.birth_rank}".encode()).digest()[:16]


@app.post("/check")
def check(question: Question, database: Annotated[Session, Depends(session)]) -> dict[str, Any]:
    """Look one person up."""
    found = database.scalars(select(Right).where(Right.person == person(question))).first()
    if found is None or question.domain not in found.domains or question.care_date < found.valid_from:
        return {"outcome": "not_confirmed"}
    return {"outcome": "confirmed", "covered_until": found.valid_to}
