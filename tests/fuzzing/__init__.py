"""Made-up, wrong and chained requests against every address of a running desk, made from its own descriptions."""
