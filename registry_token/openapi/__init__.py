"""The OpenAPI document of everything that programs may call, made by drf-spectacular.

Each operation is described here, beside its view and not in it: nothing on the way of a token may
import drf-spectacular, and /jwks and the probes are no views of DRF.
"""
