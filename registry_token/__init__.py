"""The registry token service: exchanges an Authority access token for a registry token."""
