"""Measuring the service as shipped, beside what one RSA signature costs on the same core."""
