"""Écluse, an open third-party-payment hub: answer what was asked, trace it first, pay to the cent."""

__version__ = "0.1.0"
