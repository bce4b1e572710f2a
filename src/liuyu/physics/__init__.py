"""How water moves: laws as Numba functions, SI numbers in, SI numbers out. Imports numpy and numba alone."""
