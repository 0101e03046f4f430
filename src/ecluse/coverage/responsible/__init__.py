"""The responsible contract (contrat responsable): whether a guarantee table is what it says."""
