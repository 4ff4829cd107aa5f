"""The issuance log: one row for every decision about an authenticated request."""
