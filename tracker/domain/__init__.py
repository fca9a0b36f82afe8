"""Values and rules of the trade: frozen, without input or output, standard library only."""
