"""Floods of a scenario: what the river drives, the plain beside it, what they reach, and how they are drawn."""
