"""Dose around one particle by Monte Carlo, and its ratio to the dose without it in a wide field.

The ratio is that of charged-particle equilibrium: the field is wide, so that water gets electrons from everywhere:

    D(r)/D_water = 1 + N_m f_m(r) - N_w f_w(r) + J [g_m(r) - g_w(r)]

N f: events in the particle (metal m, or the water w that it displaces) times the dose that one gives; J g: electrons
of the surrounding water that enter it times the dose that one gives beyond. Water in the place of the particle is
water until the electron has left it, so that returns meet the particle: the sum is then exact (see the docs). Energies
in keV, lengths in nm. Sources: rabus_2021; models of nanotrial.radiation.electrons.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

import numpy as np

from nanotrial.radiation.arguments import Array, read_quantities
from nanotrial.radiation.electrons.histories import BATCHES, FARTHEST, score, shell_edges
from nanotrial.radiation.equilibrium import Part, electrons_entering, equilibrium_field
from nanotrial.radiation.kept_results import digest, load_arrays, store_arrays
from nanotrial.radiation.particle_case import (
    GRAY,
    Case,
    ParticleDose,
    event_rate,
    particle_world,
    read_case,
    read_count,
    water,
)

if TYPE_CHECKING:
    import xarray as xr

    from nanotrial.radiation.electrons.kernel import World

# Farthest distance that may be asked for (nm).
MOST_DISTANT = 1.0e6


def content(case: Case) -> str:
    """Return a digest of everything that a run of a case computes with: tables of media, photons, atoms, form."""
    from nanotrial.radiation.electrons.interactions import photon_source

    whole = hashlib.sha256(repr((BATCHES, case.form, case.density)).encode())
    tables = [*particle_world(case), case.rays.energies, case.rays.fluence]
    tables += [array for substance in (case.substance, water()[0]) for array in photon_source(substance, case.rays)]
    for array in tables:
        whole.update(np.ascontiguousarray(array).tobytes())
    return f"{whole.hexdigest()} {event_rate(case.substance, case.density, 1.0, case.rays):.12g}"


def events_in(case: Case, world: World, edges: Array, count: int, seed: int, as_water: bool = False) -> Part:
    """Follow ionising events in the particle, or in the water that would be in its place.

    Arguments:
        case: substance, form, beam.
        world: of the case.
        edges: (k + 1,) nm.
        count: events.
        seed: of the random numbers.
        as_water: the events are those of water, which stands for the particle until it has been left.
    """
    from nanotrial.radiation.electrons.interactions import photon_source
    from nanotrial.radiation.electrons.source import run_events

    substance, density = water() if as_water else (case.substance, case.density)
    source = photon_source(substance, case.rays)
    flag = int(as_water)
    found = score(
        lambda n, tally, state: run_events(n, source, flag, world, tally, state),
        count, seed, edges, int(world.grid[2]) + 1,
    )  # fmt: skip
    return Part(event_rate(substance, density, case.form.solid_volume, case.rays), found)


def simulated_dose(case: Case, histories: int, seed: int, farthest: float = FARTHEST) -> ParticleDose:
    """Return the dose around a particle per ionising event, by Monte Carlo.

    Arguments:
        case: substance, form, beam.
        histories: events.
        seed: of the random numbers.
        farthest: distance to which water is followed (nm).
    """
    from nanotrial.radiation.electrons import kernel

    edges, world = shell_edges(farthest), particle_world(case)
    part = events_in(case, world, edges, histories, seed)
    dose = part.scored.shells * GRAY / _masses(case, edges)
    volumes = case.form.volume_within(edges)
    totals = part.scored.totals
    return ParticleDose(
        material=case.substance.name, diameter=case.diameter, beam=case.rays.name, event_rate=part.rate,
        radii=np.cbrt(volumes * 3.0 / (4.0 * np.pi)), dose_per_event=dose.mean(axis=0),
        deposited_inside=float(totals[kernel.IN_SOLID]), escaping_energy=float(totals[kernel.CARRIED_OUT]),
        standard_error=_error(dose), method="monte_carlo", shape=case.form.text, histories=histories, seed=seed,
        photon_energy=float(totals[kernel.BY_PHOTONS]), distances=edges, leaving=part.scored.leaving,
        leaving_energies=np.exp(world.grid[0] + (np.arange(part.scored.leaving.size) + 0.5) / world.grid[1]),
    )  # fmt: skip


def _masses(case: Case, edges: Array) -> Array:
    """Return the mass of each shell of water, in nm^3 of water of 1 g/cm^3."""
    return np.asarray(np.diff(case.form.volume_within(edges)) * water()[1])


def _error(batches: Array) -> Array:
    """Return the standard error of the mean over batches; not a number for one batch."""
    if len(batches) < 2:
        return np.full(batches.shape[1], np.nan)
    return np.asarray(batches.std(axis=0, ddof=1) / np.sqrt(len(batches)))


def ratio_parts(case: Case, edges: Array, histories: int, seed: int) -> list[tuple[int, Part]]:
    """Return the four terms of the dose ratio with their signs: events, and electrons that enter, metal and water."""
    world = particle_world(case)
    seeds = [int(s.generate_state(1, np.uint64)[0] >> np.uint64(1)) for s in np.random.SeedSequence(seed).spawn(4)]
    field = equilibrium_field(case, world, max(histories, 20_000), seeds[0])
    return [
        (1, events_in(case, world, edges, histories, seed)),
        (-1, events_in(case, world, edges, histories, seeds[1], as_water=True)),
        (1, electrons_entering(case, field, world, edges, histories, seeds[2])),
        (-1, electrons_entering(case, field, world, edges, histories, seeds[3], as_water=True)),
    ]


def _weights(edges: Array, distances: Array) -> Array:
    """Return what takes means over shells to places: linear in ln(distance) for dose times squared distance.

    Arguments:
        edges: (k + 1,) nm.
        distances: (n,) nm; within half of the first shell its mean is taken.
    """
    middles = np.sqrt(edges[1:] * np.maximum(edges[:-1], edges[1:] / 4.0))
    at = np.clip(distances, middles[0], middles[-1])
    i = np.clip(np.searchsorted(middles, at, side="right") - 1, 0, middles.size - 2)
    part = np.log(at / middles[i]) / np.log(middles[i + 1] / middles[i])
    rows = np.arange(distances.size)
    out = np.zeros((distances.size, middles.size))
    out[rows, i] = (1.0 - part) * (middles[i] / at) ** 2
    out[rows, i + 1] += part * (middles[i + 1] / at) ** 2
    return out


def dose_ratio_profile(
    material: object,
    diameter: object,
    beam: object,
    distances: object,
    histories: int = 20_000,
    seed: int = 1,
    shape: str = "sphere",
    density: object = None,
) -> xr.Dataset:
    """Return the dose to water near a particle over the dose without it, in a wide field (secondary equilibrium).

    D(r)/D_water = 1 + N_m f_m(r) - N_w f_w(r) + J [g_m(r) - g_w(r)]: events in the particle less those of the water
    it displaces, and what it changes for electrons of the water that enter it.

    Arguments:
        material: anything ``composition`` reads.
        diameter: length; outer diameter, edge of a cage; 0.5 nm to 20 um.
        beam: Beam, or anything ``beam`` reads (``"50 kV"``, ``"60 keV"``, an id).
        distances: lengths from the surface, shape (n,), 0 to 1 mm.
        histories: followed for each of the four terms.
        seed: of the random numbers; the same seed gives the same numbers.
        shape: ``sphere``; ``rod, length 60 nm``; ``disc, thickness 5 nm``; ``shell, wall 5 nm``; ``cage, wall 5 nm``.
        density: g/cm^3; None takes that of the material.

    Returns a Dataset over ``distance`` (nm): ``dose_ratio`` (1) and its ``standard_error``, ``dose_per_event`` (Gy),
    ``ratio_of_events`` (1 + N_m f_m alone). The mean over all directions; attributes: event_rate (1/Gy),
    deposited_inside and escaping_energy (keV per event), histories, seed, and what the run assumed.

    Validity: photons 1 keV to 20 MeV, electrons above 50 eV; no fluorescence photon is caught again.
    Sources: rabus_2021 (definition of the ratio).

    Raises:
        InputError: unknown material, beam or shape, a negative distance, no histories.
        UnitError: a length without a unit.
    """
    count, stream = read_count(histories, "histories"), read_count(seed, "seed", 0, 2**63)
    at = np.atleast_1d(read_quantities(distances, "nm", "distances", 0.0, MOST_DISTANT))
    case = read_case(material, diameter, beam, shape, density)
    farthest = max(FARTHEST, 1.3 * float(at.max()))
    name = digest("dose_ratio_profile", content(case), count, stream, farthest)
    found = load_arrays(name)
    if found is None or "sums" not in found:
        found = _profile_arrays(case, farthest, count, stream)
        store_arrays(name, found)
    return _labelled(case, at, found, count, stream)


def _profile_arrays(case: Case, farthest: float, histories: int, seed: int) -> dict[str, Any]:
    """Return the terms of the ratio by batches (keV per shell and gray times volume, made a ratio), and sums."""
    from nanotrial.radiation.electrons import kernel

    edges = shell_edges(farthest)
    parts = ratio_parts(case, edges, histories, seed)
    to_ratio = GRAY / _masses(case, edges)
    terms = [sign * part.rate * part.scored.shells * to_ratio for sign, part in parts]
    totals = parts[0][1].scored.totals
    return {
        "sums": np.array([parts[0][1].rate, totals[kernel.IN_SOLID], totals[kernel.CARRIED_OUT]]),
        "edges": edges,
        **{f"term_{i}": term for i, term in enumerate(terms)},
    }


def _labelled(case: Case, at: Array, found: dict[str, Any], histories: int, seed: int) -> xr.Dataset:
    """Return the profile at distances as a Dataset."""
    import xarray as xr

    rate, inside, escaping = (float(x) for x in found["sums"])
    weights = _weights(found["edges"], at)
    terms = [found[f"term_{i}"] @ weights.T for i in range(4)]
    excess = sum(term.mean(axis=0) for term in terms)
    error = np.sqrt(sum(_error(term) ** 2 for term in terms))
    events = terms[0].mean(axis=0)
    coordinates = {"distance": ("distance", at, {"units": "nm", "long_name": "distance from the surface"})}
    variables = {
        "dose_ratio": ("distance", 1.0 + excess, {"units": "1"}),
        "standard_error": ("distance", error, {"units": "1"}),
        "dose_per_event": ("distance", events / rate, {"units": "Gy"}),
        "ratio_of_events": ("distance", 1.0 + events, {"units": "1"}),
    }
    attributes = {
        "event_rate": rate, "deposited_inside": inside, "escaping_energy": escaping, "histories": histories,
        "seed": seed, "material": case.substance.name, "diameter": case.diameter, "shape": case.form.text,
        "beam": case.rays.name, "beam_assumptions": "; ".join(case.rays.assumptions),
    }  # fmt: skip
    return xr.Dataset(variables, coords=coordinates, attrs=attributes)
