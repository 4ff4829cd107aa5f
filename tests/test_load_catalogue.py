"""load_catalogue: brings the database to what the file says, all of it or nothing."""

from __future__ import annotations

from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from licences.models import LicenceEvent, RevokedLicence
from plans.models import CatalogueRevision, Plan, PlanRule
from plans.revisions import process_user
from tests.conftest import EXAMPLE

pytestmark = pytest.mark.django_db


@pytest.fixture
def load(tmp_path):
    """Load a file of `text`; what is printed."""

    def load(text, *options):
        path = tmp_path / "catalogue.yaml"
        path.write_text(text, encoding="utf-8")
        out = StringIO()
        call_command("load_catalogue", str(path), *options, stdout=out)
        return out.getvalue()

    return load


def check(load, text, *options):
    """The exit status of --check."""
    try:
        load(text, "--check", *options)
    except SystemExit as exit:
        return exit.code
    except CommandError as error:
        return error.returncode
    return 0


def dumped():
    out = StringIO()
    call_command("dump_catalogue", stdout=out)
    return out.getvalue()


def test_loads_the_example(load):
    assert load(EXAMPLE.read_text()).splitlines() == [
        "added plan community with 1 rule",
        "added plan enterprise with 4 rules",
        "added revoked licence LIC-0007",
    ]
    assert [str(rule) for rule in Plan.objects.get(name="enterprise").rules.all()] == [
        "allow pull, push on stella-ops/**",
        "deny push, delete on stella-ops/internal/**",
        "allow pull on mirror/** for mirror.example.com",
        "allow * on registry:catalog",
    ]
    assert Plan.objects.get(name="enterprise").licence_required
    assert RevokedLicence.objects.get().reason == "chargeback"


def test_a_second_load_changes_nothing(load):
    load(EXAMPLE.read_text())
    before = set(PlanRule.objects.values_list("id"))
    assert load(EXAMPLE.read_text()) == "nothing to change\n"
    assert set(PlanRule.objects.values_list("id")) == before
    assert CatalogueRevision.objects.latest("number").number == 1


def test_a_load_is_one_revision_with_its_origin(load, tmp_path):
    load(EXAMPLE.read_text())
    load("plans: []", "--prune")
    revisions = [
        (revision.number, revision.actor, revision.source, revision.reason)
        for revision in CatalogueRevision.objects.order_by("number")[1:]
    ]
    reason = f"load_catalogue {tmp_path / 'catalogue.yaml'}"
    assert revisions == [
        (1, process_user(), "file", reason),
        (2, process_user(), "file", f"{reason} --prune"),
    ]


def test_a_load_can_have_a_reason(load):
    load("plans: [{name: a}]", "--reason", " ticket 7 ")
    revision = CatalogueRevision.objects.latest("number")
    assert (revision.source, revision.reason) == ("file", "ticket 7")


def test_says_what_changes(load):
    load(EXAMPLE.read_text())
    said = load(
        """
plans:
  - name: community
    description: changed
    enabled: false
    rules:
      - {repositories: "stella-ops/public/**", actions: [push, pull]}
  - name: team
revoked_licences:
  - {licence: lic-0007, reason: fraud}
  - {licence: LIC-8}
"""
    )
    assert said.splitlines() == [
        "changed plan community: description, enabled",
        "changed plan community: rules",
        "  - allow pull on stella-ops/public/**",
        "  + allow pull, push on stella-ops/public/**",
        "added plan team with 0 rules",
        "changed revoked licence lic-0007",
        "added revoked licence LIC-8",
    ]
    assert not Plan.objects.get(name="community").enabled
    assert Plan.objects.get(name="community").rules.get().actions == ["pull", "push"]
    assert RevokedLicence.objects.get(licence="lic-0007").reason == "fraud"


def test_the_order_of_rules_counts(load):
    rules = ["{repositories: a, actions: [pull]}", "{repositories: b, actions: [pull]}"]
    load(f"plans: [{{name: a, rules: [{rules[0]}, {rules[1]}]}}]")
    said = load(f"plans: [{{name: a, rules: [{rules[1]}, {rules[0]}]}}]")
    assert said == "changed plan a: rules\n  in another order\n"
    assert [rule.pattern for rule in PlanRule.objects.all()] == ["b", "a"]


def test_rules_that_read_alike_are_told_apart(load):
    text = "plans: [{{name: a, rules: [{{repositories: a, actions: [pull], services: {}}}]}}]"
    load(text.format('["a, b"]'))
    load(text.format("[a, b]"))
    assert PlanRule.objects.get().services == ["a", "b"]


def test_what_the_file_does_not_name_stays_unless_pruned(load):
    load(EXAMPLE.read_text())
    assert load("plans: [{name: community, rules: []}]").startswith("changed plan community")
    assert Plan.objects.filter(name="enterprise").exists()
    assert RevokedLicence.objects.exists()
    said = load("plans: [{name: community, rules: []}]", "--prune")
    assert said == "removed plan enterprise\nremoved revoked licence LIC-0007\n"
    assert list(Plan.objects.values_list("name", flat=True)) == ["community"]
    assert not RevokedLicence.objects.exists()


def test_many_licences_take_few_queries(load, django_assert_max_num_queries):
    """On SQLite no token is recorded meanwhile."""
    text = "\n".join(["revoked_licences:", *(f"- {{licence: LIC-{n}}}" for n in range(1000))])
    with django_assert_max_num_queries(50):
        added = load(text)
    assert added.splitlines()[::999] == [
        "added revoked licence LIC-0",
        "added revoked licence LIC-999",
    ]
    (event,) = LicenceEvent.objects.filter(key="lic-7")
    assert (event.what, event.source, event.actor) == ("revoked", "file", process_user())
    assert RevokedLicence.objects.get(key="lic-7").revoked_by == process_user()
    with django_assert_max_num_queries(50):
        load("revoked_licences: [{licence: LIC-0}]", "--prune")
    assert [revoked.licence for revoked in RevokedLicence.objects.all()] == ["LIC-0"]
    assert LicenceEvent.objects.filter(what="reinstated").count() == 999


@pytest.mark.parametrize(
    ("text", "status"),
    [(EXAMPLE.read_text(), 0), ("plans: [{name: a}]", 1), ("plans: [{}]", 2), ("", 0)],
    ids=["same", "change", "error", "names nothing"],
)
def test_check_changes_nothing_and_tells_by_its_status(load, text, status):
    load(EXAMPLE.read_text())
    before = dumped()
    assert check(load, text) == status
    assert dumped() == before
    assert CatalogueRevision.objects.latest("number").number == 1


def test_an_empty_file_never_prunes_everything(load):
    load(EXAMPLE.read_text())
    with pytest.raises(CommandError, match="is empty") as caught:
        load("# nothing", "--prune")
    assert caught.value.returncode == 2
    assert Plan.objects.exists()


def test_check_counts_what_prune_would_remove(load, capsys):
    load(EXAMPLE.read_text())
    assert check(load, "plans: []") == 0
    assert check(load, "plans: []", "--prune") == 1


def test_a_wrong_file_is_not_loaded_at_all(load, tmp_path):
    with pytest.raises(CommandError) as caught:
        load("plans: [{name: good}, {name: b d}]\nrevoked_licences: [{licence: 1}]\n")
    assert caught.value.returncode == 2
    lines = str(caught.value).splitlines()
    assert lines[0] == f"{tmp_path / 'catalogue.yaml'} is not loaded:"
    assert [line.partition(": ")[0] for line in lines[1:]] == [
        "- plans[1].name",
        "- revoked_licences[0].licence",
    ]
    assert not Plan.objects.exists()
    assert CatalogueRevision.objects.latest("number").number == 0


def test_a_missing_file_is_an_error(tmp_path):
    with pytest.raises(CommandError, match=r"missing\.yaml does not exist") as caught:
        call_command("load_catalogue", str(tmp_path / "missing.yaml"))
    assert caught.value.returncode == 2


def test_a_load_counts_from_the_next_request(load, authority, get_token):
    token, scope = authority.token("team"), "repository:team/app:pull"
    assert get_token(token, scope).status_code == 403
    load("plans: [{name: team, rules: [{repositories: team/app, actions: [pull]}]}]")
    assert get_token(token, scope).status_code == 200
    load("plans: [{name: team, rules: [{repositories: team/b, actions: [pull]}]}]")
    assert get_token(token, scope).status_code == 403
