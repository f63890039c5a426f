"""How much more dose a medium takes up when high-Z particles are mixed into it, and how little at high energy.

Under charged-particle equilibrium the dose at a point is D = sum phi(E) E mu_en/rho(E), so that

    DEF = sum phi E (mu_en/rho)_mixture / sum phi0 E (mu_en/rho)_medium

phi0 is the primary fluence below a depth of medium alone, phi that below the same depth of which the last part
(``loaded_depth``) holds the particles too: they harden the beam and cast a shadow, so the ratio can be below 1. The
mixture keeps the volumes of its parts. Validity: 1 keV to 20 MeV; primary photons (scatter from elsewhere reaches the
point only where a ``spectrum`` says so), particles that are small and even enough for their electrons to mix with those
of the medium. Not in it: where on the scale of nanometres the dose lands, and electrons that cross an interface.
Sources: definition; hubbell_2004 for the range of the coefficients.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from nanotrial.errors import InputError
from nanotrial.radiation.arguments import Array, quantity, read_quantities, read_quantity
from nanotrial.radiation.attenuation import coefficients
from nanotrial.radiation.composition import composition, known_density, mix

if TYPE_CHECKING:
    from nanotrial.radiation.beams import Beam


def dose_enhancement(
    particle_material: object,
    mass_fraction: object,
    beam: object,
    medium: object = "water",
    depth: object = "0 cm",
    *,
    loaded_depth: object = "0 cm",
    spectrum: Any = None,
) -> Any:
    """Return the dose to medium with particles over the dose to medium alone at the same place (quantity, 1).

    Arguments:
        particle_material: anything ``composition`` reads.
        mass_fraction: mass of particles in a mass of mixture: ``"7 mg/g"``, ``"0.7 %"`` or 0.007; 0 to 1.
        beam: a Beam, or what ``beams.beam`` takes: ``"140 kV"``, ``"60 keV"``, ``"192Ir"``.
        medium: what the particles are in; ``depth`` lies in it too.
        depth: of the point below the surface; hardens the beam.
        loaded_depth: how much of the depth holds particles, counted from the point upwards; 0 for a thin layer, the
            distance to the near side of a tumour that holds them all. At most ``depth``.
        spectrum: photons per bin at the point without particles (labelled array over ``energy`` in keV), for instance
            with scatter; takes the place of the beam, and ``depth`` then only limits ``loaded_depth``.

    Raises:
        InputError: a fraction outside 0 to 1, a layer deeper than the point, or a material without density.
    """
    particle, around = composition(particle_material, "particle_material"), composition(medium, "medium")
    fraction = _fraction(mass_fraction, "mass_fraction")
    deep = read_quantity(depth, "cm", "depth", 0.0)
    held = read_quantity(loaded_depth, "cm", "loaded_depth", 0.0)
    if held > deep:
        raise InputError("loaded_depth", f"{held:g} cm", f"at most the depth, {deep:g} cm")
    mixture = mix([(particle, fraction), (around, 1.0 - fraction)], f"{around.name} with {particle.name}")
    energies, fluence = _at(beam, spectrum)
    plain = coefficients(around, energies)
    slope = known_density(around, "medium") * plain.total if deep > 0.0 else np.zeros_like(energies)
    start = np.zeros_like(energies) if spectrum is not None else -slope * deep
    excess = np.zeros_like(energies)
    mixed = coefficients(mixture, energies)
    if held > 0.0:
        excess = (known_density(mixture, "particle_material") * mixed.total - slope) * held
    # The largest exponent is taken out, for a beam so weak that all of it would vanish.
    weight = fluence * energies * np.exp(start - start[fluence > 0.0].max())
    ratio = (weight * np.exp(-excess)) @ mixed.absorption / (weight @ plain.absorption)
    return quantity(float(ratio), "1")


def enhancement_profile(
    particle_material: object,
    mass_fractions: object,
    thicknesses: object,
    beam: object,
    medium: object = "water",
    depth: object = "0 cm",
    *,
    spectrum: Any = None,
) -> Any:
    """Return the dose ratio of every layer along a beam that holds its own share of particles.

    Arguments:
        particle_material: anything ``composition`` reads, with a density.
        mass_fractions: of particles in each layer, the entrance first: texts, numbers or an array; shape (n,).
        thicknesses: of the layers, such as ``["1 mm", "2 mm"]``; shape (n,), above zero.
        beam: a Beam, or what ``beams.beam`` takes.
        medium: what the layers and the depth before them are made of.
        depth: of medium without particles before the first layer.
        spectrum: photons per bin at the entrance of the first layer, as in ``dose_enhancement``.

    Returns a labelled array over ``shell``: mean dose to the mixture in each layer over the mean dose to the layer
    without any particles, with ``mass_fraction`` and ``depth`` (cm, of the middle) along. A sphere of shells on the
    beam's axis is the layers of its radii there and back.

    Raises:
        InputError: lengths that differ, a fraction outside 0 to 1, a thickness that is not above zero.
    """
    from xarray import DataArray

    particle, around = composition(particle_material, "particle_material"), composition(medium, "medium")
    shares = _fractions(mass_fractions)
    wide = np.atleast_1d(read_quantities(thicknesses, "cm", "thicknesses", 0.0))
    if wide.shape != shares.shape or not (wide > 0.0).all():
        expected = f"{shares.size} thicknesses above zero, one for each mass fraction"
        raise InputError("thicknesses", f"{wide.size} of them, the least {wide.min():g} cm", expected)
    deep = read_quantity(depth, "cm", "depth", 0.0)
    energies, fluence = _at(beam, spectrum)
    plain = coefficients(around, energies)
    slope = known_density(around, "medium") * plain.total
    weight = fluence * energies * (1.0 if spectrum is not None else np.exp(-slope * deep))
    ratios, shadow, bare = np.empty(shares.size), np.zeros_like(energies), np.zeros_like(energies)
    for i, (share, width) in enumerate(zip(shares, wide, strict=True)):
        mixture = mix([(particle, share), (around, 1.0 - share)], "layer")
        mixed = coefficients(mixture, energies)
        steep = known_density(mixture, "particle_material") * mixed.total
        with_particles = weight * np.exp(-shadow) * _mean_decay(steep * width)
        without = weight * np.exp(-bare) * _mean_decay(slope * width)
        ratios[i] = with_particles @ mixed.absorption / (without @ plain.absorption)
        shadow, bare = shadow + steep * width, bare + slope * width
    middles = deep + np.cumsum(wide) - 0.5 * wide
    coordinates = {
        "mass_fraction": ("shell", shares, {"units": "1"}),
        "depth": ("shell", middles, {"units": "cm"}),
    }
    attributes = {"units": "1", "long_name": "dose to the mixture over dose to the medium"}
    return DataArray(ratios, dims="shell", coords=coordinates, attrs=attributes, name="dose_ratio")


def absorption_ratio(particle_material: object, energy: object, medium: object = "water") -> Any:
    """Return mu_en/rho of a material over that of a medium (quantity, in the shape of ``energy``).

    Raises:
        InputError: an energy outside the tables, or no such substance.
    """
    wanted = read_quantities(energy, "keV", "energy")
    above = coefficients(composition(particle_material, "particle_material"), wanted.ravel()).absorption
    below = coefficients(composition(medium, "medium"), wanted.ravel()).absorption
    return quantity((above / below).reshape(wanted.shape), "1")


def _mean_decay(thickness: Array) -> Array:
    """Return the mean of exp(-x) over a layer of optical thickness x."""
    return np.asarray(np.where(thickness > 1e-6, -np.expm1(-thickness) / np.maximum(thickness, 1e-6), 1.0))


def _fraction(raw: object, where: str) -> float:
    return read_quantity(raw, "1", where, 0.0, 1.0)


def _fractions(raw: object) -> Array:
    if isinstance(raw, Sequence) and not isinstance(raw, str):
        return np.array([_fraction(one, f"mass_fractions[{i}]") for i, one in enumerate(raw)])
    return np.atleast_1d(read_quantities(raw, "1", "mass_fractions", 0.0, 1.0))


def _at(beam: object, spectrum: Any) -> tuple[Array, Array]:
    """Return energies (keV) and photons per bin of a beam, or of the spectrum that takes its place."""
    if spectrum is None:
        from nanotrial.radiation.beams import Beam
        from nanotrial.radiation.beams import beam as read_beam

        led: Beam = beam if isinstance(beam, Beam) else read_beam(beam)
        return led.energies, led.fluence
    try:
        energies = np.asarray(spectrum["energy"].values, dtype=float)
        fluence = np.asarray(spectrum.values, dtype=float)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        expected = "a labelled array of photons over the coordinate `energy` in keV"
        raise InputError("spectrum", f"{type(spectrum).__name__}", expected) from error
    if fluence.shape != energies.shape or not (fluence >= 0.0).all() or not fluence.sum() > 0.0:
        raise InputError("spectrum", "negative or no photons, or another shape", "photons per bin of at least 0")
    return energies, fluence
