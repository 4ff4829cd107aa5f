"""The ways into the issuance log: the names of its pages, and who may read it or take it away."""

from __future__ import annotations

VIEW_LOG = "issuances.view_issuance"
EXPORT_LOG = "issuances.export_issuance"
"""Permissions, of people."""

AUDIT_SCOPE = "registry.audit.read"
"""The OAuth scope that opens both to programs."""

LOG_LIST = "admin:issuances_issuance_changelist"
LOG_ROW = "admin:issuances_issuance_change"
"""Names of URLs."""
