"""Where it is plugged together: configuration, the pipeline list, the clock, the command line."""
