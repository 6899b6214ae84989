"""Developer tools: dev.py makes the environment and runs everything else; nothing here is shipped."""
