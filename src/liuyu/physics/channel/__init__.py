"""Saint-Venant flow over a network of channels.

sections      width, wetted area and conveyance of a cross-section by level, from surveyed points
fields        the arrays that a network is marched on
tables        look-up in those tables
momentum      the momentum of every face: advection, friction, slope of the surface
structures    dams, weirs and gates as faces
volume        the levels at which every volume balances: Newton with sparse elimination on any graph
order         in which order the elimination goes
march         steps, halved where a step has no solution
"""
