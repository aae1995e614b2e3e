"""Where results of experiments are kept."""
