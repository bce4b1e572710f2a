"""The twin of the present: the loop on the wall clock, over what sources deliver through the inbox."""
