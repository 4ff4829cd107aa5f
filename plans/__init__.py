"""Plans and their rules: what the callers that carry a plan may do with which repositories."""
