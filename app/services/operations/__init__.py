"""What staff and the program look after: webhook events, sweeps, checks, reports, backups and the audit log."""
