"""Shallow water in two dimensions on a raster: scalar laws, the loops that march them, and exact solutions.

laws        flux through a face (HLLC), friction, slopes, local inertia; one source for single and double precision
structures  weirs, gates, culverts, openings that grow
exact       solutions that the laws are held against
rows        laws along a row of cells, as vector instructions
godunov     a step of first order on a rectangle of cells
muscl       a step of second order
inertial    a step without advection of momentum
ghosts      boundaries
sources     water put in, taken out and led through structures
tiles       which squares of cells have water and must be marched
peaks       greatest depth, speed and hazard, and arrival
march       the march through time on several threads
threads     a counter and a barrier in machine code
fields      names of places in the arrays that all share
"""
