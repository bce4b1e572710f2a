"""OGC SensorThings API 1.1 (OGC 18-088), read-only: stations as things, series as datastreams."""
