"""Revoked licences: the deny list of licence ids."""
