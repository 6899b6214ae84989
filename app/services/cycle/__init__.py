"""The month: closing it, forecasting it, and the Billing Summary."""
