"""What happens on its own: the embedded ticker and one body per due thing."""
