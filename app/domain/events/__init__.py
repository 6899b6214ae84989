"""What the audit log records: one frozen class for each kind of event, with its fields and its sentence."""
