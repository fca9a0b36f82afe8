"""The only place that speaks SQL: one file an aggregate = its tables, row <-> value, queries."""
