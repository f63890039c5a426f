"""Photons through matter, history by history: tables of the media, the compiled kernel, phantoms, and runs over them.

What electrons carry away is not followed: energy that photons give to electrons counts where they give it (collision
kerma). The public functions stand in ``nanotrial.radiation.depth_dose``.
"""
