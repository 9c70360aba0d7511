"""An example of a package that adds a strategy, a benchmark, an extractor, a backend and a judge to promptkit."""
