"""Rain and snow to runoff of a sub-basin: one step law per model, usable alone. Depths in mm a step over the sub-basin.

gr4j, gr6j    INRAE's daily models of four and six parameters
xinanjiang    saturation excess with three layers of evaporation and three sources of runoff
hbv           the soil, response and transformation routines of HBV-96
sacsma        Sacramento soil moisture accounting
degree_day    snow on bands of elevation by the degree-day method
snow17        Anderson's temperature-index snow at a point, with its heat deficit
evaporation   potential evaporation: Oudin, Hargreaves, Penman-Monteith
delay         unit hydrographs that hold the water on its way

A law changes its `state` in place, so a state is a row of numbers that can be saved and restored bit for bit. It
returns runoff, actual evaporation and water gained from outside; `*_storage` is the water within. Every law closes
inflow + gain = runoff + evaporation + change of storage.
"""
