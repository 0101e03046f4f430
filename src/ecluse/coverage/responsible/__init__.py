"""The responsible contract (contrat responsable): whether a guarantee table that claims to be one is."""
