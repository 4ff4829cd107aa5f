"""The pages for people: what Django's admin has, and pages of ours that look like it."""
