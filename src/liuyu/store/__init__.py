"""What is remembered: series, latest values, grids, events, jobs. Engines stand behind one interface."""
