"""The newest seal is noted beside the database, so that sealing covers nothing up."""

from __future__ import annotations

import pytest
from django.core.management import CommandError, call_command

from issuances.models import Issuance, SealedBatch
from issuances.sealing.making import newest_head
from tests.log_rows import row, saved
from tests.sealed_log import change, filled, sealed_log

pytestmark = pytest.mark.django_db


def seal(file):
    call_command("seal_issuances", head_file=file, verbosity=0)


@pytest.fixture
def file(tmp_path):
    return tmp_path / "head"


def test_the_newest_seal_is_noted_after_each_run(file):
    filled(5)
    seal(file)
    assert file.read_text() == f"{newest_head()}\n"
    saved(row(100))
    seal(file)
    assert file.read_text() == f"{newest_head()}\n"
    assert newest_head().number == 2
    assert [one.name for one in file.parent.iterdir()] == ["head"]


def test_without_rows_nothing_is_noted(file):
    seal(file)
    assert not file.exists()


def cut_off():
    SealedBatch.objects.filter(number__gte=2).delete()


def made_anew():
    SealedBatch.objects.all().delete()
    call_command("seal_issuances", verbosity=0)
    for _ in range(3):
        saved(row(1000 + Issuance.objects.count()))
        call_command("seal_issuances", verbosity=0)


HARM = {
    "cut off": (cut_off, "batch 4 is gone"),
    "all gone": (lambda: SealedBatch.objects.all().delete(), "batch 4 is gone"),
    "made anew": (made_anew, "batch 4 is another than was noted"),
}


@pytest.mark.parametrize(("harm", "said"), HARM.values(), ids=HARM)
def test_nothing_is_sealed_where_seals_were(file, harm, said):
    rows = sealed_log()
    seal(file)
    noted = file.read_text()
    change(rows[12], subject="mallory")
    harm()
    there = SealedBatch.objects.count()
    with pytest.raises(CommandError, match=said) as error:
        seal(file)
    assert "seals were cut off or made anew" in str(error.value)
    assert f"--expect-head {noted.strip()}" in str(error.value)
    assert (SealedBatch.objects.count(), file.read_text()) == (there, noted)


@pytest.mark.parametrize("content", ["", "7", "0:" + "0" * 64, "é"])
def test_a_file_of_something_else_is_said(file, content):
    filled(3)
    file.write_text(content)
    with pytest.raises(CommandError, match="write NUMBER:HASH"):
        seal(file)
    assert not SealedBatch.objects.exists()


def test_a_folder_that_is_not_there_is_said(file):
    filled(3)
    with pytest.raises(CommandError, match="No such file or directory"):
        seal(file.parent / "none" / "head")
