"""NEXT: forecast -> warn -> rehearse -> plan."""
