"""The living basin: network, parameters and state; run, balance, calibrate, correct."""
