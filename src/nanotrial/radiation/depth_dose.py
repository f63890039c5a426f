"""Dose with depth, backscatter, and dose ratios of regions that hold particles, by photon histories.

Dose is collision kerma: photon energy counts where electrons take it up. Electrons are not followed, so this holds
where their range is short against what is resolved (kV beams to 192Ir; less than 0.5 mm of water up to 250 keV), and
for MV beams beyond the build-up depth, inside regions wider than the range of the electrons.
The field of layers without end is counted by reciprocity: all photons enter on the axis, and what they leave inside
the outline of the field stands for what a whole field leaves on the axis. For a divergent beam the outline widens with
depth, and the tilt of oblique rays is left out (below 1 % for fields up to a third of the distance).
The uncollided part on the axis is exact. Validity 1 keV to 20 MeV. Sources: schoonjans_2011, klein_1929.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from nanotrial.errors import InputError
from nanotrial.radiation.arguments import Array, quantity, read_quantities, read_quantity
from nanotrial.radiation.attenuation import coefficients
from nanotrial.radiation.beams import Beam
from nanotrial.radiation.beams import beam as named_beam
from nanotrial.radiation.photons.phantom import WIDE, Phantom, mouse, slabs
from nanotrial.radiation.photons.run import GRAY, Beamlet, Tally, mean_and_error, transport
from nanotrial.radiation.photons.tables import COLOURS

if TYPE_CHECKING:
    import xarray as xr

    from nanotrial.radiation.composition import Composition

BIN = 0.02  # cm, thickest depth bin: the scatter rises steeply below the surface
BEHIND = 20.0  # cm of medium below the deepest point asked for
SPOT = 0.25  # cm, half width of the window about the axis of a box; narrower below a curved surface
PARALLEL, DIVERGENT = 0, 1


def depth_dose(
    beam: str | Beam,
    depths: object,
    medium: object = "water",
    field: object = None,
    phantom: str | Phantom | None = None,
    distance: object = None,
    histories: int = 400_000,
    seed: int = 1,
    threads: int | None = None,
) -> xr.Dataset:
    """Return dose along the axis of a beam in a phantom, with what scatter adds to it.

    D(z) = sum_E phi(E) E mu_en/rho(E) exp(-tau(E, z)) (f / (f + z))^2 + scattered part by photon histories

    Arguments:
        beam: a Beam or what ``beam`` reads ("100 kV", "60 keV", an id).
        depths: a length, a list of lengths, or an array quantity.
        medium: anything ``composition`` reads; what layers without end consist of where no phantom is given.
        field: edge of a square field at the surface (``"10 cm"``) or two edges; None irradiates everything.
        phantom: a Phantom, ``"mouse"`` (soft tissue, 25 mm), or None.
        distance: of the source from the surface; None is a parallel beam.
        histories, seed, threads: see ``transport``.

    Result: ``dose_per_fluence``, ``primary``, ``standard_error`` (Gy cm2, for a photon per cm2 at the surface),
    ``relative_to_entrance``, ``relative_to_maximum``, ``scatter_fraction`` over ``depth`` (cm); the attribute
    ``backscatter_factor`` is dose over primary at the surface.

    Raises:
        InputError: a depth outside the phantom, a field or distance of nothing, energies outside the tables.
    """
    rays = _rays(beam)
    wanted = np.atleast_1d(read_quantities(depths, "cm", "depths", 0.0))
    points = np.unique(np.concatenate([[0.0], wanted]))
    body = _phantom(phantom, medium, float(points[-1]))
    _within(points, body)
    total, error, primary = _along_axis(rays, points, body, _field(field, body), distance, histories, seed, threads)
    place = np.searchsorted(points, wanted)
    return _dataset(wanted, total, error, primary, place, rays, body, histories, seed)


def backscatter_factor(
    beam: str | Beam, field: object = None, medium: object = "water", histories: int = 400_000, seed: int = 1
) -> tuple[Any, Any]:
    """Return the kerma at the surface of a thick phantom over that without it, and its standard error.

    Arguments: as for ``depth_dose``, with a parallel beam.
    """
    found = depth_dose(beam, "0 cm", medium, field, histories=histories, seed=seed)
    error = float(found.standard_error[0] / found.primary[0])
    return quantity(found.attrs["backscatter_factor"], "1"), quantity(error, "1")


def enhancement_in_phantom(
    particle_material: object,
    loading: Mapping[str, object],
    beam: str | Beam,
    phantom: str | Phantom,
    field: object = None,
    distance: object = None,
    histories: int = 400_000,
    seed: int = 1,
    threads: int | None = None,
) -> xr.Dataset:
    """Return, region by region, the dose with particles over the dose without them, in the whole field of photons.

    Photons are hardened, scattered and taken away by medium and particles alike, fluorescence of the particles
    included; both runs follow the same random streams.

    Arguments:
        particle_material: anything ``composition`` reads, with a density.
        loading: region -> mass of particle in a mass of mixture, such as ``{"tumour": "7 mg/g"}``.
        beam, field, distance: as for ``depth_dose``; the field is centred on the axis.
        phantom: a Phantom, or ``"mouse"``.
        histories, seed, threads: see ``transport``.

    Result over ``region``: ``dose_ratio`` (dose to the mixture over dose to the medium without particles),
    ``fluence_ratio`` (dose to the medium itself, with over without: below 1 where particles shield),
    each with its ``..._error``.

    Raises:
        InputError: a region that the phantom lacks, a mass fraction outside 0 to 1, or a region that no photon met.
    """
    import xarray as xr

    rays = _rays(beam)
    plain = _phantom(phantom, "water", 0.0)
    source = _broad(rays, plain, _field(field, plain), _away(distance))
    loaded = plain.loaded(particle_material, loading)
    runs = [transport(p, source, histories, seed, threads=threads).bodies.sum(axis=1) for p in (loaded, plain)]
    names = [body.name for body in plain.bodies]
    empty = [name for name, score in zip(names, runs[1].sum(axis=0)[:, 1], strict=True) if score <= 0.0]
    if empty:
        action = "Follow more histories, or widen the field."
        raise InputError("phantom", f"no photon in {', '.join(empty)}", "photons in each region", action)
    found = {}
    for name, response in (("dose_ratio", 0), ("fluence_ratio", 1)):
        ratio, error = _ratio(runs[0][:, :, response], runs[1][:, :, 1])
        found[name], found[f"{name}_error"] = ("region", ratio, {"units": "1"}), ("region", error, {"units": "1"})
    attributes = {"beam": rays.name, "phantom": plain.name, "histories": histories, "seed": seed}
    return xr.Dataset(found, {"region": names}, attributes)


def _ratio(with_: Array, without: Array) -> tuple[Array, Array]:
    """Return ratios of means over batches (first axis) and their errors, batches of both runs being paired."""
    ratio = with_.mean(axis=0) / without.mean(axis=0)
    _, error = mean_and_error(with_ - ratio * without)
    return ratio, error / without.mean(axis=0)


def spectrum_at_depth(
    beam: str | Beam,
    depth: object,
    medium: object = "water",
    field: object = None,
    phantom: str | Phantom | None = None,
    distance: object = None,
    histories: int = 400_000,
    seed: int = 1,
    threads: int | None = None,
) -> xr.DataArray:
    """Return the photons on the axis at a depth, those that have not collided and those that have.

    Arguments: as for ``depth_dose``, with one depth.

    Result over ``energy`` (keV): photons per bin for each photon per cm2 at the surface, the uncollided at their own
    energies and the scattered at the middles of 32 steps of each octave; ``standard_error`` stands beside it. It fits
    the argument ``spectrum`` of ``dose_enhancement``.

    Raises:
        InputError: as ``depth_dose``.
    """
    import xarray as xr

    rays, point = _rays(beam), np.array([read_quantity(depth, "cm", "depth", 0.0)])
    body = _phantom(phantom, medium, float(point[0]))
    _within(point, body)
    tally, per, widen = _score(rays, point, body, _field(field, body), distance, histories, seed, threads, True)
    scattered, error = mean_and_error(tally.spectra[:, 1, 0] / per[0])
    steps = np.arange(len(scattered)) / COLOURS
    middles = 2.0 ** np.floor(steps) * (1.0 + steps % 1.0 + 0.5 / COLOURS)
    straight = rays.fluence * np.exp(-_thickness(rays, body, float(point[0]))) / (1.0 + point[0] * widen) ** 2
    energies = np.concatenate([rays.energies, middles])
    order = np.argsort(energies, kind="stable")
    photons, errors = np.concatenate([straight, scattered])[order], np.concatenate([0.0 * straight, error])[order]
    some = photons > 0.0
    coordinates = {
        "energy": ("energy", energies[order][some], {"units": "keV"}),
        "standard_error": ("energy", errors[some], {"units": "1"}),
    }
    attributes = {"units": "1", "beam": rays.name, "phantom": body.name, "histories": histories, "seed": seed}
    return xr.DataArray(photons[some], coordinates, ("energy",), "photons", attributes)


def _along_axis(
    rays: Beam,
    points: Array,
    phantom: Phantom,
    half: tuple[float, float] | None,
    distance: object,
    histories: int,
    seed: int,
    threads: int | None,
) -> tuple[Array, Array, Array]:
    """Return total, standard error and primary (Gy cm2) at depths (cm) on the axis."""
    tally, per, widen = _score(rays, points, phantom, half, distance, histories, seed, threads)
    scattered, error = mean_and_error(tally.bins[:, 1, :, 0] / per * GRAY)
    primary = np.array([_primary(rays, phantom, z) for z in points]) / (1.0 + points * widen) ** 2
    return primary + scattered, error, primary


def _score(
    rays: Beam,
    points: Array,
    phantom: Phantom,
    half: tuple[float, float] | None,
    distance: object,
    histories: int,
    seed: int,
    threads: int | None,
    spectral: bool = False,
) -> tuple[Tally, Array, float]:
    """Return scores at depths (cm), what they are divided by for a fluence of one, and 1/distance (1/cm)."""
    away = _away(distance)
    bins = _bins(points, phantom)
    widen = 0.0 if np.isinf(away) else 1.0 / away
    per = (bins[1] - bins[0]) * (1.0 + 0.5 * (bins[0] + bins[1]) * widen) ** 2
    if phantom.layered:
        sides = half or (1e9, 1e9)
        source = Beamlet(PARALLEL, (0.0, 0.0, 0.0, 0.0), rays.energies, rays.fluence)
    else:
        source = _broad(rays, phantom, half, away)
        sides = _spot(phantom, source)
        per = per * sides[0] * sides[1] / (source.place[0] * source.place[1]) * _filled(bins, phantom, sides)
    window = (*sides, widen)
    return (
        transport(phantom, source, histories, seed, bins=bins, sides=window, spectral=spectral, threads=threads),
        per,
        widen,
    )


def _primary(rays: Beam, phantom: Phantom, depth: float) -> float:
    """Return the dose (Gy cm2) by photons that have not collided, at a depth (cm) on the axis of a parallel beam."""
    here = phantom.bodies[phantom.stretch_at(depth)[0]].made_of
    absorbed = coefficients(here, rays.energies).absorption
    return float(np.sum(rays.fluence * rays.energies * absorbed * np.exp(-_thickness(rays, phantom, depth)))) * GRAY


def _thickness(rays: Beam, phantom: Phantom, depth: float) -> Array:
    """Return the optical depth of the axis down to a depth (cm), for each energy of a beam."""
    found = np.zeros_like(rays.energies)
    for body, length in phantom.along_axis(depth):
        found += length * _linear(phantom.bodies[body].made_of, rays.energies)
    return found


def _linear(of: Composition, energies: Array) -> Array:
    found = coefficients(of, energies)
    parts = found.photoelectric + found.incoherent + found.coherent + found.pair
    return parts * (of.density or 0.0)


def _bins(points: Array, phantom: Phantom) -> tuple[Array, Array]:
    """Return edges of thin bins about depths (cm) that neither overlap nor reach over a border."""
    half = 0.5 * min(BIN, float(np.diff(points).min()) if len(points) > 1 else BIN)
    low, high = points - half, points + half
    for i, point in enumerate(points):
        _, top, bottom = phantom.stretch_at(float(point))
        low[i], high[i] = max(low[i], top), min(high[i], bottom)
    return low, high


def _spot(phantom: Phantom, source: Beamlet) -> tuple[float, float]:
    """Return the half widths (cm) of the window about the axis: well inside the field, long along a cylinder."""
    outer = phantom.bodies[0]
    x, y = {"box": (SPOT, SPOT), "cylinder": (0.4 * SPOT, 4.0 * SPOT), "ball": (0.4 * SPOT, 0.4 * SPOT)}[outer.shape]
    sides = phantom.half_sides
    return min(x, 0.25 * sides[0], 0.25 * source.place[0]), min(y, 0.25 * sides[1], 0.25 * source.place[1])


def _filled(bins: tuple[Array, Array], phantom: Phantom, sides: tuple[float, float]) -> Array:
    """Return the share of every bin that lies below the surface of a phantom and above its far side."""
    outer = phantom.bodies[0]
    if outer.shape == "box":
        return np.ones(len(bins[0]))
    x, y = (half * (np.arange(-20, 21) / 20.5) for half in sides)
    radius, round_ = outer.size[0], y**2 if outer.shape == "ball" else 0.0 * y
    chord = np.sqrt(radius**2 - x[:, None] ** 2 - round_)[:, :, None]
    inside = np.minimum(bins[1], radius + chord) - np.maximum(bins[0], radius - chord)
    share: Array = np.clip(inside, 0.0, None).mean(axis=(0, 1)) / (bins[1] - bins[0])
    return share


def _broad(rays: Beam, phantom: Phantom, half: tuple[float, float] | None, away: float) -> Beamlet:
    """Return a beam that covers a field, or the whole phantom where none is given."""
    x, y = half or phantom.half_sides
    kind = PARALLEL if np.isinf(away) else DIVERGENT
    return Beamlet(kind, (x, y, 0.0, 0.0 if np.isinf(away) else away), rays.energies, rays.fluence)


def _rays(beam: str | Beam) -> Beam:
    return beam if isinstance(beam, Beam) else named_beam(beam)


def _away(distance: object) -> float:
    return np.inf if distance is None else read_quantity(distance, "cm", "distance", 0.1)


def _within(points: Array, phantom: Phantom) -> None:
    if points[-1] > phantom.height:
        raise InputError("depths", f"{points[-1]:g} cm", f"at most {phantom.height:g} cm, the height of {phantom.name}")


def _phantom(phantom: str | Phantom | None, medium: object, deepest: float) -> Phantom:
    if isinstance(phantom, Phantom):
        return phantom
    if phantom == "mouse":
        return mouse()
    if phantom is not None:
        raise InputError("phantom", f"{phantom!r}", 'a Phantom, "mouse", or None for layers without end')
    return slabs([(medium, f"{deepest + BEHIND} cm")], "half-space")


def _field(field: object, phantom: Phantom) -> tuple[float, float] | None:
    """Return half edges (cm) of a field, None where everything is irradiated."""
    if field is None:
        return None
    edges: Sequence[object] = field if isinstance(field, tuple | list) else (field, field)
    if len(edges) != 2:
        raise InputError("field", f"{len(edges)} edges", "one edge of a square, or two")
    halves = [0.5 * read_quantity(edge, "cm", "field", 1e-4) for edge in edges]
    if phantom.layered and max(halves) > 0.25 * WIDE:
        raise InputError("field", f"{2 * max(halves):g} cm", f"at most {0.5 * WIDE:g} cm, or None for no limit")
    return halves[0], halves[1]


def _dataset(
    wanted: Array,
    total: Array,
    error: Array,
    primary: Array,
    place: Any,
    rays: Beam,
    phantom: Phantom,
    histories: int,
    seed: int,
) -> xr.Dataset:
    import xarray as xr

    dose = {"units": "Gy*cm^2"}
    plain = {"units": "1"}
    found = {
        "dose_per_fluence": ("depth", total[place], dose),
        "primary": ("depth", primary[place], dose),
        "standard_error": ("depth", error[place], dose),
        "relative_to_entrance": ("depth", total[place] / total[0], plain),
        "relative_to_maximum": ("depth", total[place] / total.max(), plain),
        "scatter_fraction": ("depth", 1.0 - primary[place] / total[place], plain),
    }
    attributes = {
        "beam": rays.name,
        "phantom": phantom.name,
        "histories": histories,
        "seed": seed,
        "backscatter_factor": float(total[0] / primary[0]),
    }
    return xr.Dataset(found, {"depth": ("depth", wanted, {"units": "cm"})}, attributes)
