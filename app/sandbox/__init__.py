"""What makes it run on a laptop with no outside account; production never loads this room."""
