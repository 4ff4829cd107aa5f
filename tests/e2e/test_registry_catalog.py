"""Listing all repositories of a registry: `registry:catalog:*`, for plans that say so."""

from __future__ import annotations

import json

from tests.e2e.asking import get_token, granted
from tests.e2e.clients import succeeded

CATALOG = "registry:catalog:*"


def test_lists_all_repositories_with_a_plan_that_allows_it(service, registry, new_skopeo, image):
    succeeded(new_skopeo(service.authority.token("builder")).push(image, "team/in-catalog"))
    registry_token = granted(get_token(service, service.authority.token("auditor"), CATALOG))
    status, _, body = registry.request("GET", "/v2/_catalog", registry_token)
    assert status == 200
    assert "team/in-catalog" in json.loads(body)["repositories"]


def test_refuses_to_list_repositories_with_a_plan_without_it(service):
    status, body = get_token(service, service.authority.token("janitor"), CATALOG)
    assert (status, body["errors"][0]["code"]) == (403, "DENIED")
    assert "plan janitor does not allow * of registry:catalog" in body["errors"][0]["message"]


def test_the_registry_lists_nothing_for_a_token_without_it(service, registry):
    scopes = ("repository:team/in-catalog:pull", CATALOG)
    registry_token = granted(get_token(service, service.authority.token("reader"), *scopes))
    assert registry.request("GET", "/v2/_catalog", registry_token)[0] == 401
