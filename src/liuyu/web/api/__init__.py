"""The project's own HTTP interface, one file for each thing that is asked for."""
