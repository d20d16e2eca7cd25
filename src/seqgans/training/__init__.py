"""A schedule into updates: one loop, checkpoints, a run's folder."""
