"""Measurements of this product beside a floor or a peer of the same run; `tracker bench NAME`."""
