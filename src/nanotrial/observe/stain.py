"""What stains, X-rays of elements and diffraction show of mineral that cells and matrix hold.

    stained share   1 - exp(-m / (s A))        m bound substance (mol), s what a spot holds per area, A area looked at
    Ca:P            n_Ca / n_P                 0 where there is no phosphorus
    diffraction     m_i / sum of m             masses of crystalline phases; amorphous ones give no peak

Spots lie anywhere, over each other too, as a Poisson process puts them: their size cancels. Thicker deposits than s
stain less area than this says. Sources: hall_1988 (coverage); gregory_2004 (alizarin red); the sheets of stains.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from nanotrial.network.terms import exp, share, total

if TYPE_CHECKING:
    from collections.abc import Mapping

    from nanotrial.catalogue.mineral_schema import Phase
    from nanotrial.network.terms import Term


def stained_share(amount: Term, area: Term, visible_amount: Term) -> Term:
    """Return the stained share of an area: 1 - exp(-m / (s A)).

    Arguments:
        amount: what the stain binds, in mineral on cells and matrix (mol).
        area: area looked at (m^2).
        visible_amount: what a stained spot holds per area (mol/m^2), from the sheet of the stain.
    """
    return 1.0 - exp(-(amount / (visible_amount * area)))


def calcium_to_phosphorus(calcium: Term, phosphate: Term, floor: Term) -> Term:
    """Return the molar ratio of calcium to phosphorus in mineral, as X-rays of the elements show it.

    Arguments:
        calcium: in mineral (mol).
        phosphate: in mineral (mol).
        floor: amount (mol) far below which phosphate counts as nothing; there the ratio goes to 0.
    """
    return share(calcium, phosphate, floor)


def phase_shares(masses: Mapping[str, Term], phases: Mapping[str, Phase], floor: Term) -> dict[str, Term]:
    """Return the share of each crystalline phase in the mass of all crystalline ones; 0 where there are none.

    Arguments:
        masses: phase -> mass (kg), amorphous phases among them or not.
        phases: phase -> its sheet.
        floor: mass (kg) far below which crystals count as nothing.
    """
    seen = {name: mass for name, mass in masses.items() if phases[name].structure == "crystalline"}
    whole = total(seen.values(), "kg")
    return {name: share(mass, whole, floor) for name, mass in seen.items()}
