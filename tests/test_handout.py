"""The hand-out of a lecture: its demos' pictures and questions, with answers for the teacher."""

import runpy
import sys
from pathlib import Path
from unittest import mock

import pytest

DEMOS = Path(__file__).resolve().parent.parent / "demos"


@pytest.fixture(scope="module")
def handout():
    with mock.patch.object(sys, "path", sys.path.copy()):
        yield runpy.run_path(str(DEMOS / "handout.py"))


def test_a_lecture_has_the_demos_of_its_table(handout):
    assert handout["lecture_demos"](1) == [
        "median_counterexample",
        "breakdown",
        "influence",
        "krum_has_favourites",
        "normalized_mean_attack",
        "mimic",
    ]
    assert handout["lecture_demos"](2) == [
        "proposition_1",
        "algorithm_2_as_printed",
        "equation_9",
        "choosing_s",
    ]


def test_questions_have_room_and_answers_are_the_teachers(handout, tmp_path):
    page = handout["page"]
    with mock.patch.dict(page.__globals__, {"lecture_demos": lambda _: ["median_counterexample"]}):
        students, teachers = page(2, answers=False), page(2, answers=True)
    part = handout["run"]("median_counterexample")
    for question in part.questions:
        text, answer = (" ".join(words.split()) for words in (question.text, question.answer))
        assert text in students
        assert text in teachers
        assert answer not in students
        assert answer in teachers
    assert students.count('<div class="room">') == len(part.questions) >= 2
    assert students.count("<img ") == 1
    assert students.count("<math ") >= 4
    assert "http:" not in students + teachers
    assert "https:" not in students + teachers


@pytest.mark.parametrize(
    ("lecture", "path", "message"),
    [("3", "x.html", "invalid choice"), ("1", "no/x.html", "there is no folder no")],
)
def test_the_command_refuses_what_there_is_not(handout, capsys, lecture, path, message):
    arguments = ["handout.py", "--lecture", lecture, "--html", path]
    with mock.patch.object(sys, "argv", arguments), pytest.raises(SystemExit, match="2"):
        handout["main"]()
    assert message in capsys.readouterr().err
