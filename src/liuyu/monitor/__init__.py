"""NOW: sense -> gather -> quality -> assess -> alert -> respond -> summarise."""
