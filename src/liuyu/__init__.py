"""liuyu (流域): an open digital twin and monitoring system for a whole river basin."""

__version__ = "0.1.0"
