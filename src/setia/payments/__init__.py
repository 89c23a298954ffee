"""Points as payment: held for a basket, confirmed in full or part, cancelled, or over by themselves."""
