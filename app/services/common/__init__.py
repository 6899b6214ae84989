"""What every use case shares: idempotent execution, the frame of staff's actions, the account snapshot."""
