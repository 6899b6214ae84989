"""The local payment gateway, driven by the real SDK."""
