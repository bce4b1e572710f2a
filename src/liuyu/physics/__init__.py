"""How water moves: laws as Numba functions, SI numbers in, SI numbers out. Imports numpy and numba alone.

routing           Muskingum cascades, pure lag
muskingum_cunge   parameters from the channel's own section at every flow, no volume lost
diffusive         river and lake cells on a tree that push each other's water back
rating            stage-discharge laws, with the fall to the next station where the river backs up
pool              storage curves, level-pool step of a lake, mass balance of a reservoir
hydrograph        rain to runoff of small basins: losses, linear reservoir, unit hydrograph
powers            powers of positive numbers as arithmetic that becomes vector instructions
"""
