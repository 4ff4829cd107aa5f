"""Nobody gives, takes or takes over more than their own rights, whatever page they try."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import Group, Permission, User

pytestmark = pytest.mark.django_db

PASSWORD = "correct horse battery"
USERS = "/admin/auth/user/"


def person(name, *groups, **fields):
    user = User.objects.create_user(name, password=PASSWORD, is_staff=True, **fields)
    user.groups.set(Group.objects.filter(name__in=groups))
    return user


@pytest.fixture
def root():
    return person("root", is_superuser=True)


@pytest.fixture
def administrator(client):
    user = person("ann", "administrator")
    client.force_login(user)
    return user


def change(client, user, **fields):
    """The answer to the form of an account's page with everything in it that one could wish for."""
    day, time = f"{user.date_joined:%Y-%m-%d %H:%M:%S}".split()
    form = {"username": user.username, "is_active": "on", "is_staff": "on"}
    form |= {"date_joined_0": day, "date_joined_1": time}
    return client.post(f"{USERS}{user.pk}/change/", form | fields)


@pytest.mark.parametrize("name", ["ann", "bob"])
def test_an_administrator_makes_no_superuser_not_even_of_themselves(client, administrator, name):
    user = administrator if name == "ann" else person("bob", "viewer")
    own = [group.pk for group in user.groups.all()]
    assert change(client, user, is_superuser="on", groups=own, first_name="B").status_code == 302
    user.refresh_from_db()
    assert (user.first_name, user.is_superuser) == ("B", False)


def test_a_superuser_makes_superusers(client, root):
    client.force_login(root)
    bob = person("bob")
    change(client, bob, is_superuser="on")
    bob.refresh_from_db()
    assert bob.is_superuser


@pytest.mark.parametrize("is_active", [True, False])
@pytest.mark.parametrize("path", ["change/", "password/", "delete/"])
@pytest.mark.usefixtures("administrator")
def test_an_administrator_only_looks_at_superusers(client, root, path, is_active):
    User.objects.filter(pk=root.pk).update(is_active=is_active)
    form = {"password1": "another long word", "password2": "another long word", "post": "yes"}
    assert client.post(f"{USERS}{root.pk}/{path}", form).status_code == 403
    root.refresh_from_db()
    assert root.check_password(PASSWORD)
    assert client.get(f"{USERS}{root.pk}/change/").status_code == 200


@pytest.mark.usefixtures("administrator")
def test_superusers_are_not_deleted_in_bulk_either(client, root):
    bob = person("bob")
    form = {"action": "delete_selected", "_selected_action": [root.pk, bob.pk], "post": "yes"}
    assert client.post(USERS, form).status_code == 403
    assert User.objects.filter(pk__in=[root.pk, bob.pk]).count() == 2


@pytest.mark.usefixtures("administrator")
def test_an_administrator_puts_people_into_groups(client):
    bob = person("bob")
    change(client, bob, groups=[group.pk for group in Group.objects.all()])
    assert bob.groups.count() == Group.objects.count() >= 5


@pytest.mark.parametrize("is_active", [True, False])
def test_who_only_manages_accounts_takes_over_none_that_may_more(client, is_active):
    helpdesk = person("helpdesk")
    own = Permission.objects.filter(content_type__model="user")
    helpdesk.user_permissions.set(own)
    client.force_login(helpdesk)
    editor, nobody = person("ed", "catalogue editor", is_active=is_active), person("nobody")
    form = {"password1": "another long word", "password2": "another long word"}
    assert client.post(f"{USERS}{editor.pk}/password/", form).status_code == 403
    assert client.post(f"{USERS}{nobody.pk}/password/", form).status_code == 302
    editors = editor.groups.get()
    assert change(client, nobody, groups=[editors.pk]).status_code == 200  # not a choice
    every = [right.pk for right in Permission.objects.all()]
    assert change(client, nobody, user_permissions=every).status_code == 200
    assert change(client, nobody, user_permissions=[one.pk for one in own]).status_code == 302
    assert nobody.user_permissions.count() == len(own)
    assert not nobody.groups.exists()


@pytest.mark.usefixtures("administrator")
def test_no_group_is_given_more_than_its_maker_may(client):
    beyond = Permission.objects.get(content_type__model="session", codename="change_session")
    own = Permission.objects.get(codename="view_plan")
    for number, permission in enumerate((beyond, own)):
        form = {"name": f"new {number}", "permissions": [permission.pk]}
        client.post("/admin/auth/group/add/", form)
    assert list(Group.objects.filter(name__startswith="new")) == [Group.objects.get(name="new 1")]
    mighty = Group.objects.create(name="mighty")
    mighty.permissions.add(beyond)
    form = {"name": "mighty", "permissions": [own.pk], "post": "yes"}
    for path in ("change/", "delete/"):
        assert client.post(f"/admin/auth/group/{mighty.pk}/{path}", form).status_code == 403
