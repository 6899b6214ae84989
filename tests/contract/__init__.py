"""What portal and mobile app share, replayed on the live app."""
