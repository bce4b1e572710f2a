"""Results of scenarios side by side: a table, hydrographs, maps of the difference, a film."""
