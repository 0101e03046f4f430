"""Notices to professionals, in French: what was asked for in their name, so that they can say no. The hub sends nothing itself.

They go to the contact that was known before, by whoever works for the hub; what was asked for tells no new one.
"""

from __future__ import annotations

from ecluse.gate.containment import Reset
from ecluse.kernel.days import PARIS, instant
from ecluse.payments.rib import RibChange, masked
from ecluse.payments.transfer import Payee

RIB = """À transmettre à l'ancien contact de l'établissement, par le moyen connu avant cette demande.

Objet : changement de coordonnées bancaires demandé

Établissement : {practice} ({name})

Le {asked}, un changement du compte sur lequel vous êtes payé a été demandé.

    Compte actuel  : {old}
    Compte demandé : {new}

Il ne prendra pas effet avant le {earliest}, et seulement si une seconde personne le confirme.
D'ici là, vos paiements continuent d'arriver sur le compte actuel.

Si vous n'avez rien demandé, ne répondez pas à ce message : appelez-nous au numéro que vous avez déjà.
Nous ne vous demanderons jamais votre RIB, ni un code, par téléphone.
"""
RESET = """À transmettre à l'ancien contact du professionnel, par le moyen connu avant cette demande.

Objet : remise en service d'un compte demandée

Compte : {account}

Le {asked}, la remise en service de ce compte a été demandée, après la perte d'un appareil.
Elle ne prendra pas effet avant le {earliest}, et seulement si une seconde personne la confirme.

Si vous n'avez rien demandé, ne répondez pas à ce message : appelez-nous au numéro que vous avez déjà.
"""


def rib_notice(change: RibChange, old: Payee) -> str:
    """What the old contact of a practice is told; accounts but for their ends."""
    return RIB.format(
        practice=change.practice,
        name=old.name,
        asked=_said(change.asked_us),
        earliest=_said(change.from_us),
        old=masked(old.iban),
        new=masked(change.payee.iban),
    )


def reset_notice(account: str, asked: Reset, at_us: int) -> str:
    """What the holder of an account is told."""
    return RESET.format(account=account, asked=_said(at_us), earliest=_said(at_us + asked.delay_us))


def _said(at_us: int) -> str:
    return f"{instant(at_us).astimezone(PARIS):%d/%m/%Y à %H:%M}"
