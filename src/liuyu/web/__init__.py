"""What people and machines see: SensorThings, the own API, server-sent events and the map page."""
