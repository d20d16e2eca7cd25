"""What one can do: train, resume, sample, score, evaluate, compare. Plain functions; the command line only calls them."""
