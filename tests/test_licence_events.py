"""The history of licences: an event for each change of the deny list, whoever makes it."""

from __future__ import annotations

from datetime import UTC, datetime
from importlib import import_module
from io import StringIO

import pytest
from django.apps import apps
from django.core.management import call_command

from licences.models import LicenceEvent, RevokedLicence
from plans.models import CatalogueRevision
from plans.revisions import catalogue_change, note_bulk

pytestmark = pytest.mark.django_db

UNTIL = datetime(2030, 1, 31, tzinfo=UTC)


def history():
    """All events, oldest first, with the newest revision's number at the end of each."""
    fields = ("what", "actor", "source", "reason", "until", "revision")
    return list(LicenceEvent.objects.order_by("id").values_list(*fields))


def newest():
    return CatalogueRevision.objects.latest("number").number


def test_a_change_by_a_person_says_who_and_why():
    with catalogue_change(actor="alice", source="admin", reason="asked by phone"):
        revoked = RevokedLicence.objects.create(licence="LIC-1", reason="fraud", until=UNTIL)
    first = newest()
    assert RevokedLicence.objects.get().revoked_by == "alice"
    with catalogue_change(actor="bob", source="admin", reason="a mistake"):
        revoked.delete()
    assert history() == [
        ("revoked", "alice", "admin", "fraud", UNTIL, first),
        ("reinstated", "bob", "admin", "a mistake", None, first + 1),
    ]
    assert newest() == first + 1


def test_a_change_in_a_shell_is_told_too():
    revoked = RevokedLicence.objects.create(licence="LIC-1")
    first = newest()
    revoked.reason = "fraud"
    revoked.save()
    RevokedLicence.objects.all().delete()
    events = history()
    assert [(what, source, revision) for what, _, source, _, _, revision in events] == [
        ("revoked", "code", first),
        ("changed", "code", first + 1),
        ("reinstated", "code", first + 2),
    ]
    assert newest() == first + 2


def test_loading_a_file_is_told_with_the_file(tmp_path):
    path = tmp_path / "catalogue.yaml"
    for text in ("revoked_licences: [{licence: LIC-1}]", "revoked_licences: []"):
        path.write_text(text)
        call_command("load_catalogue", path, "--prune", stdout=StringIO())
    assert [(event[0], event[2]) for event in history()] == [
        ("revoked", "file"),
        ("reinstated", "file"),
    ]
    assert str(path) in history()[1][3]


def test_a_change_that_fails_leaves_no_event():
    with (
        pytest.raises(RuntimeError),
        catalogue_change(actor="alice", source="admin"),
    ):
        RevokedLicence.objects.create(licence="LIC-1")
        raise RuntimeError
    assert history() == []


def test_events_are_neither_changed_nor_deleted():
    RevokedLicence.objects.create(licence="LIC-1")
    event = LicenceEvent.objects.get()
    event.reason = "another"
    with pytest.raises(TypeError):
        event.save()
    with pytest.raises(TypeError):
        event.delete()
    assert LicenceEvent.objects.get().reason == ""


def test_what_was_revoked_before_gets_its_first_event():
    RevokedLicence.objects.bulk_create([RevokedLicence(licence="LIC-1", key="lic-1", reason="x")])
    assert history() == []
    import_module("licences.migrations.0003_events").begin(apps, None)
    assert history() == [("revoked", "migration", "setup", "x", None, None)]
    assert LicenceEvent.objects.get().at == RevokedLicence.objects.get().revoked_at


def test_changes_in_bulk_need_a_change_around_them():
    with pytest.raises(RuntimeError):
        note_bulk("revoked 3 licences")
