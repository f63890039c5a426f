"""Electron data against closed forms: elastic and hard collisions, slowing down, shells, energy kept in cascades."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nanotrial.errors import InputError
from nanotrial.radiation.composition import composition
from nanotrial.radiation.electrons import elastic, knock_on, oscillators, relaxation, stopping
from nanotrial.radiation.electrons.media import electron_medium
from nanotrial.radiation.electrons.partial_waves import cross_sections
from nanotrial.radiation.electrons.shells import electron_shells

MATERIALS = ("gold", "water", "HfO2", "Pt", "Bi")


def medium(name: str, cut: float = 0.1):
    """Return the electron medium of a named material."""
    densities = {"HfO2": 9.68}
    return electron_medium(composition(name), densities.get(name), cut)


@given(st.floats(-16.0, 3.0))
def test_screening_gives_back_the_transport_share(logarithm: float) -> None:
    eta = np.array([np.exp(logarithm)])
    share = elastic.transport_share(eta)
    assert elastic.transport_share(elastic.screening_of(share)) == pytest.approx(share, rel=1e-9)


def test_elastic_angles_have_the_mean_that_the_share_says() -> None:
    u = (np.arange(4_000_000) + 0.5) / 4_000_000
    for eta in (0.01, 0.3, 5.0):
        mean = float((2.0 * eta * u / (1.0 + eta - u)).mean())
        assert mean == pytest.approx(float(elastic.transport_share(np.array(eta))), rel=1e-5)


def test_fast_electrons_scatter_from_hydrogen_as_born_says() -> None:
    # Exact for the field exp(-2 r) (1 + 1 / r): pi gamma^2 (7 k^4 + 18 k^2 + 12) / (3 (k^2 + 1)^3) Bohr radii squared.
    for energy, tolerance in ((20.0, 0.004), (60.0, 0.004)):
        t = energy / 0.02721138602
        k2 = t * (2.0 + t / 137.035999**2)
        gamma2 = (1.0 + energy / 510.99895) ** 2
        born = np.pi * gamma2 * (7.0 * k2**2 + 18.0 * k2 + 12.0) / (3.0 * (k2 + 1.0) ** 3) * 0.0529177210903**2
        assert cross_sections(1, energy, exchange=False)[0] == pytest.approx(born, rel=tolerance)


@pytest.mark.parametrize(("number", "energy"), [(79, 0.31), (79, 23.0), (8, 1.7), (1, 0.44), (72, 7.7), (83, 0.071)])
def test_table_holds_the_partial_waves_between_its_energies(number: int, energy: float) -> None:
    found = [float(one[0]) for one in elastic.atom_cross_sections(number, np.array([energy]))]
    assert found == pytest.approx(cross_sections(number, energy), rel=0.02)


def test_partial_waves_do_not_depend_on_the_step() -> None:
    for number, energy in ((79, 0.5), (79, 20.0), (8, 5.0)):
        assert cross_sections(number, energy) == pytest.approx(cross_sections(number, energy, fineness=0.5), rel=5e-4)


def test_phase_shifts_of_gold_agree_with_another_integration() -> None:
    from scipy.integrate import solve_ivp
    from scipy.special import spherical_jn, spherical_yn

    from nanotrial.radiation.electrons.atom_fields import DECAYS, SHARES
    from nanotrial.radiation.electrons.partial_waves import phase_shifts

    energy, c = 1.0 / 0.02721138602, 137.035999
    k, end = np.sqrt(energy * (2.0 + energy / c**2)), 14.0
    plus, minus = phase_shifts(79, 1.0, exchange=False)

    def slopes(r: float, y: list[float], kappa: int) -> list[float]:
        v = -79.0 / r * sum(a * np.exp(-b * r) for a, b in zip(SHARES[78], DECAYS[78], strict=True))
        return [
            -kappa / r * y[0] + ((energy - v) / c + 2.0 * c) * y[1],
            kappa / r * y[1] - (energy - v) / c * y[0],
        ]

    for kappa, shifts in ((-1, plus), (-4, plus), (1, minus), (3, minus)):
        order, gamma = (kappa if kappa > 0 else -kappa - 1), np.sqrt(kappa**2 - (79.0 / c) ** 2)
        start = [1e-9, 1e-9 * (kappa + gamma) / (79.0 / c)]
        y = solve_ivp(slopes, (1e-6, end), start, method="DOP853", rtol=1e-10, atol=1e-30, args=(kappa,)).y[:, -1]
        s, x = -kappa / end + (energy / c + 2.0 * c) * y[1] / y[0], k * end
        j, n = x * spherical_jn(order, x), x * spherical_yn(order, x)
        dj = k * (spherical_jn(order, x) + x * spherical_jn(order, x, derivative=True))
        dn = k * (spherical_yn(order, x) + x * spherical_yn(order, x, derivative=True))
        assert np.sin(np.arctan((s * j - dj) / (s * n - dn)) - shifts[order]) == pytest.approx(0.0, abs=2e-4)


def test_moments_of_hard_collisions_are_integrals_of_the_law() -> None:
    from scipy.integrate import quad

    energies, cut = np.array([0.5, 7.0, 300.0]), 0.1
    rate, loss = knock_on.hard_moments(energies, cut, np.array([0.01, 0.3]), np.array([0.4, 1.0]), 300.0)
    for k, energy in enumerate(energies):
        gamma = 1.0 + energy / knock_on.REST
        factor = 2.0 * np.pi * knock_on.RADIUS**2 * knock_on.REST * 300.0 / (1.0 - gamma**-2)
        for power, found in ((0, rate[k]), (1, loss[k])):
            whole = 0.0
            for share, low in ((0.4, cut), (0.6, max(cut, 0.3))):
                if low < energy / 2:
                    whole += (
                        share
                        * quad(
                            lambda w, e=energy, p=power: knock_on.moller_shape(e, w) * w ** (p - 2), low, energy / 2
                        )[0]
                    )
            assert found == pytest.approx(factor * whole, rel=1e-7)


def test_recipe_draws_hard_collisions_with_their_mean_loss() -> None:
    rng = np.random.default_rng(7)
    energy, cut = 12.0, 0.1
    bindings, shares = np.array([0.02, 0.5, 2.0]), np.array([0.3, 0.8, 1.0])
    rate, loss = knock_on.hard_moments(np.array([energy]), cut, bindings, shares, 1.0)
    drawn = []
    while len(drawn) < 60_000:
        w = knock_on.trial_loss(energy, cut, rng.random())
        assert cut <= w <= energy / 2
        chance = knock_on.acceptance(energy, w)
        assert chance <= 1.0 + 1e-12
        if rng.random() < chance * knock_on.share_below(w, bindings, shares):
            drawn.append(w)
            assert bindings[knock_on.draw_shell(w, bindings, shares, rng.random())] <= w
    sample = np.array(drawn)
    error = sample.std() / np.sqrt(sample.size)
    assert abs(sample.mean() - float(loss[0] / rate[0])) < 4.0 * error


@given(st.floats(0.2, 900.0), st.floats(0.01, 0.5))
def test_knock_on_angles_keep_momentum(energy: float, share: float) -> None:
    loss = share * energy
    one, other = knock_on.deflections(energy, loss)

    def momentum(t: float) -> float:
        return float(np.sqrt(t * (t + 2.0 * knock_on.REST)))

    along = momentum(energy - loss) * one + momentum(loss) * other
    across = momentum(energy - loss) * np.sqrt(1.0 - one**2) - momentum(loss) * np.sqrt(1.0 - other**2)
    assert along == pytest.approx(momentum(energy), rel=1e-9)
    assert across == pytest.approx(0.0, abs=1e-6 * momentum(energy))


@pytest.mark.parametrize("name", MATERIALS)
def test_media_are_positive_and_add_up(name: str) -> None:
    found = medium(name)
    assert np.diff(found.log_energies) == pytest.approx(np.full(found.log_energies.size - 1, found.step))
    for rates in (found.restricted_stopping, found.elastic_inverse_path, found.elastic_screening, found.csda_range):
        assert np.isfinite(rates).all()
        assert (rates > 0).all()
    assert (found.restricted_stopping <= found.total_stopping + 1e-15).all()
    assert (found.hard_inverse_path[found.energies <= 2.0 * found.cut] == 0).all()
    assert (np.diff(found.csda_range) > 0).all()
    assert found.shell_shares[-1] == 1.0
    assert (np.diff(found.shell_energies) >= 0).all()


def test_a_higher_cut_moves_losses_but_keeps_their_sum() -> None:
    fine, coarse = medium("water", 0.05), medium("water", 1.0)
    assert fine.total_stopping == pytest.approx(coarse.total_stopping, rel=1e-12)
    assert (fine.restricted_stopping <= coarse.restricted_stopping + 1e-15).all()
    high = fine.energies > 5.0
    assert (fine.restricted_stopping[high] < 0.98 * coarse.restricted_stopping[high]).all()


def test_rates_of_slow_electrons_scale_with_density() -> None:
    water = composition("water")
    thin, thick = electron_medium(water, 0.5), electron_medium(water, 1.0)
    assert thick.elastic_inverse_path == pytest.approx(2.0 * thin.elastic_inverse_path)
    assert thick.hard_inverse_path == pytest.approx(2.0 * thin.hard_inverse_path, rel=1e-6)


def test_range_is_the_integral_of_the_inverse_stopping_power() -> None:
    energies = np.geomspace(0.05, 1000.0, 256)
    found = stopping.csda_ranges(energies, 3.0 * energies**-0.75)
    exact = (energies**1.75 - energies[0] ** 1.75) / (3.0 * 1.75)
    assert found[60:] == pytest.approx(exact[60:] + found[0], rel=1e-3)


def test_slow_bremsstrahlung_has_its_limit() -> None:
    gold = composition("gold")
    slow = float(stopping.radiative_stopping(gold, np.array([0.05]))[0])
    limit = stopping.BREMSSTRAHLUNG * 79 * 79.5 / 197.2 * 0.51099895 * 16.0 / 3.0
    assert slow == pytest.approx(limit, rel=2e-3)


@pytest.mark.parametrize("name", ["gold", "water", "C"])
def test_oscillators_keep_the_mean_excitation_energy_and_bethe(name: str) -> None:
    material = composition(name)
    excitation = stopping.mean_excitation(material)
    positions, shares = oscillators.oscillators(material, material.density or 1.0, excitation)
    assert shares.sum() == pytest.approx(1.0)
    assert float((shares * np.log(positions)).sum()) == pytest.approx(np.log(excitation), abs=1e-6)
    fast = np.array([3e5])
    found = oscillators.stopping_logarithm(fast, positions, shares)
    assert found == pytest.approx(np.log(1.166 * fast / excitation), rel=4e-3)


def test_electrons_of_gold_are_all_there() -> None:
    _, shares, electrons = electron_shells(composition("gold"), 19.32)
    assert electrons == pytest.approx(79 * 19.32 * 602.214076 / 197.2, rel=1e-6)
    assert shares[-1] == 1.0


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 92))
def test_every_transition_keeps_energy(number: int) -> None:
    table = relaxation.relaxation(number)
    left = np.append(table.bindings, 0.0)
    whole = table.emitted + table.residues + left[table.holes[:, 0]] + left[table.holes[:, 1]]
    assert whole == pytest.approx(np.repeat(table.bindings, np.diff(table.first)), abs=1e-12)
    assert (table.emitted >= 0).all()
    for i, (start, end) in enumerate(zip(table.first[:-1], table.first[1:], strict=True)):
        assert end > start
        assert (np.diff(table.chances[start:end]) >= 0).all()
        assert table.chances[end - 1] == 1.0
        later = table.holes[start:end]
        assert ((later == -1) | (later > i)).all()


def cascade(table: relaxation.Relaxation, shell: int, rng: np.random.Generator) -> tuple[float, float, float, int]:
    """Return energy of photons and of electrons, energy left in place, and how many electrons, of one vacancy."""
    photons, electrons, left, many, waiting = 0.0, 0.0, 0.0, 0, [shell]
    while waiting:
        hole = waiting.pop()
        start, end = table.first[hole], table.first[hole + 1]
        i = start + min(int(np.searchsorted(table.chances[start:end], rng.random(), side="right")), end - start - 1)
        left += table.residues[i]
        if table.radiative[i]:
            photons += table.emitted[i]
        elif table.emitted[i] > 0:
            electrons, many = electrons + table.emitted[i], many + 1
        waiting += [int(k) for k in table.holes[i] if k >= 0]
    return photons, electrons, left, many


def test_cascades_in_gold_keep_energy_and_fluoresce_as_tabulated() -> None:
    table, rng = relaxation.relaxation(79), np.random.default_rng(3)
    runs = np.array([cascade(table, 0, rng) for _ in range(4000)])
    assert runs[:, :3].sum(axis=1) == pytest.approx(np.full(4000, table.bindings[0]), abs=1e-9)
    share = float((runs[:, 0] > 60.0).mean())
    assert abs(share - 0.9604) < 4.0 * np.sqrt(0.9604 * 0.0396 / 4000)
    assert runs[:, 3].mean() > 3.0


def test_photons_empty_shells_that_they_can_reach() -> None:
    table = relaxation.relaxation(79)
    shares = relaxation.shell_shares(79, np.array([13.0, 80.0, 81.5, 200.0]))
    assert shares.sum(axis=1) == pytest.approx(np.ones(4))
    assert shares[:2, 0] == pytest.approx(np.zeros(2))
    assert shares[0, table.shells.index("L2")] == 0.0
    assert (shares[2:, 0] > 0.75).all()


def test_wrong_requests_are_told_what_is_wrong() -> None:
    gold = composition("gold")
    with pytest.raises(InputError, match="positive density"):
        electron_medium(gold, -1.0)
    with pytest.raises(InputError, match="cut of 500"):
        electron_medium(gold, cut=500.0)
    with pytest.raises(InputError, match=r"0\.05 to 1000 keV"):
        electron_medium(gold, highest=1e5)
    with pytest.raises(InputError, match="atomic number"):
        relaxation.relaxation(93)
    with pytest.raises(InputError, match="absorbs"):
        relaxation.shell_shares(79, np.array([1e-4]))
