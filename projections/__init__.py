"""The SQL projections: what the rows of the services say, as tables that anybody can ask."""
