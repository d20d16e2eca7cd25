"""What one can do: train, resume, sample, score, evaluate, compare. The command line only calls these functions."""
