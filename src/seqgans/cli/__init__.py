"""Words into a call: flags and files into arguments, results to stdout, everything else to stderr."""
