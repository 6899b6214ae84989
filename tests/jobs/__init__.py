"""What happens on its own."""
