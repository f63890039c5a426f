"""Electrons of 50 eV to 1 MeV in any substance: how they slow down, turn, knock on others, and what atoms emit."""
