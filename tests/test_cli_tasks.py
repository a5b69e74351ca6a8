from __future__ import annotations

import json

import pytest

from tasks.definition import task_names
from tasks.languages import NAMES


def output(done):
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    return done.stdout


def test_list_of_tasks(babelboard):
    lines = [line.split() for line in output(babelboard("tasks")).splitlines()]
    assert ["Task", "Lang.", "Settings", "Queries", "Candidates", "Licence", "Files"] in lines
    rows = {line[0]: line for line in lines if line}
    assert rows["xquad-r"][1:8] == ["11", "133", "13,090", "13,014", "CC", "BY-SA", "4.0"]
    assert rows["mlqa-r"][1:8] == ["7", "57", "4,199", "20,534", "CC", "BY-NC", "4.0"]
    assert rows["pocket"][1:3] == ["11", "133"]
    assert rows["pocket"][-2:] == ["built", "in"]
    # Without data, the list says what will happen.
    assert rows["xquad-r"][8:] == ["to", "fetch"]


def test_list_says_whether_the_files_are_there(babelboard, data):
    by_option = output(babelboard("tasks", "--data", data))
    by_variable = output(babelboard("tasks", env={"BABELBOARD_DATA": str(data)}))
    assert by_option == by_variable
    rows = {line.split()[0]: line for line in by_option.splitlines() if line}
    assert rows["xquad-r"].rstrip().endswith(" here")
    assert rows["mlqa-r"].rstrip().endswith(" here")


def test_list_says_how_many_files_are_there(babelboard, tmp_path):
    (tmp_path / "mlqa-r").mkdir()
    for name in ("ar.json", "de.json"):
        (tmp_path / "mlqa-r" / name).touch()
    listed = output(babelboard("tasks", "--data", tmp_path))
    assert " 2 of 7 here" in listed


def test_list_fits_a_terminal_of_80_columns(babelboard):
    listed = output(babelboard("tasks", env={"COLUMNS": "80"}))
    rows = [line for line in listed.splitlines() if line]
    assert len(rows) == 1 + len(task_names()) + 1
    assert max(map(len, rows)) <= 80
    assert "…" not in listed


def test_list_as_json(babelboard):
    content = json.loads(output(babelboard("tasks", "--json")))
    assert content["schema_version"] == 1
    rows = {row["name"]: row for row in content["tasks"]}
    assert {"miracl", "mlqa-r", "mmarco", "mmarco-rerank", "pocket", "xquad-r"} <= set(rows)
    assert rows["mlqa-r"]["title"] == "MLQA-R"
    assert rows["mlqa-r"]["languages"] == ["ar", "de", "en", "es", "hi", "vi", "zh"]


def test_details_of_a_task(babelboard):
    text = output(babelboard("tasks", "pocket"))
    assert "Pocket (pocket)" in text
    lines = [" ".join(line.split()) for line in text.splitlines()]
    assert [line.split(" such as ")[0] for line in lines if " such as " in line] == [
        "MoIR 11 settings",
        "CLIR 110 settings",
        "MLIR 12 settings",
    ]
    assert "Measures AP, RR@10, nDCG@10, R@100, AP@20, RankDistance (reported: AP)" in lines
    assert "Forms sentence, sentence+context" in lines
    assert "Licence CC BY-SA 4.0" in lines
    assert "Files built in" in lines
    assert "Greek el 75 198" in lines


def test_details_with_data_say_how_many_questions(babelboard, data):
    text = output(babelboard("tasks", "mlqa-r", "--data", data))
    assert "161 to 517 questions each" in text  # CLIR: the pairs with English have most
    assert "500 to 1,148 questions each" in text  # MoIR and MLIR
    assert str(data / "mlqa-r") in text


def test_details_without_data_say_that_sizes_are_unknown(babelboard):
    text = output(babelboard("tasks", "mlqa-r"))
    assert "? questions each" in text
    assert "fetched when needed" in text
    assert "BABELBOARD_DATA" in text


def schema_of_details(content):
    """Checks the form of ``tasks NAME --json``, whatever the task."""
    assert list(content)[:2] == ["schema_version", "name"]
    assert content["schema_version"] == 1
    assert {"title", "protocol", "licence", "measures"} <= set(content)
    assert set(content["languages"]) <= set(NAMES)
    for sizes in content["languages"].values():
        assert set(sizes) == {"queries", "documents"}
    for setting in content["settings"]:
        assert set(setting) == {"id", "kind", "n"}
        assert setting["id"].startswith(setting["kind"] + "/")
    return {setting["id"]: setting["n"] for setting in content["settings"]}


def test_details_as_json(babelboard, data):
    content = json.loads(output(babelboard("tasks", "mlqa-r", "--json", "--data", data)))
    asked = schema_of_details(content)
    assert content["name"] == "mlqa-r"
    assert content["languages"]["en"] == {"queries": 1148, "documents": 6264}
    assert len(asked) == 57
    assert asked["clir/ar-es"] == 161
    assert asked["moir/en-en"] == asked["mlir/en-xx"] == asked["mlir/xx-xx"] == 1148


def test_details_as_json_without_data(babelboard):
    content = json.loads(output(babelboard("tasks", "xquad-r", "--json")))
    asked = schema_of_details(content)
    assert content["languages"]["ar"] == {"queries": 1190, "documents": 1222}
    assert len(asked) == 133
    assert set(asked.values()) == {None}


def test_details_of_the_form_with_context(babelboard):
    plain = json.loads(output(babelboard("tasks", "pocket", "--json")))
    context = json.loads(output(babelboard("tasks", "pocket+context", "--json")))
    assert context == plain | {"name": "pocket+context"}
    assert set(schema_of_details(plain).values()) == {75}


def test_details_of_an_own_task(babelboard, own_task):
    content = json.loads(output(babelboard("tasks", own_task, "--json")))
    asked = schema_of_details(content)
    assert len(asked) == 7
    assert set(asked.values()) == {2}
    assert content["name"] == "own"
    text = output(babelboard("tasks", own_task))
    assert "My own (own)" in text
    assert "built in" not in text
    assert str(own_task.parent) in text.replace("\n", "")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("tasks", "xquadr"), "Unknown task: 'xquadr'. Did you mean xquad-r"),
        (("tasks", "nothing.toml"), "There is no task file nothing.toml."),
        (("tasks", "--data", "nowhere"), "--data names 'nowhere', which is not a folder."),
        (("score", "bm25", "--task", "poket"), "Unknown task: 'poket'. Did you mean pocket?"),
        (
            ("score", "bm25", "--task", "pocket", "--settings", "clir/de-gr"),
            "Unknown setting: 'clir/de-gr'. Did you mean clir/de-",
        ),
    ],
)
def test_a_mistake_gives_one_message_and_exit_code_2(babelboard, arguments, message):
    done = babelboard(*arguments)
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.startswith(f"babelboard: {message}")
    assert "Traceback" not in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_a_folder_in_the_variable_that_does_not_exist(babelboard):
    done = babelboard("tasks", env={"BABELBOARD_DATA": "nowhere"})
    assert done.returncode == 2
    assert done.stderr.startswith("babelboard: $BABELBOARD_DATA names 'nowhere'")


@pytest.mark.parametrize("measure", ["Foo@10", "P"])
def test_a_measure_that_does_not_exist_is_refused_before_scoring(babelboard, own_task, measure):
    text = own_task.read_text(encoding="utf-8").replace("RR@10", measure)
    own_task.write_text(text, encoding="utf-8")
    done = babelboard("score", "bm25", "--task", own_task, cwd=own_task.parent)
    assert done.returncode == 2
    assert done.stderr.startswith(f"babelboard: Unknown measure: {measure!r}")
    assert "Traceback" not in done.stderr


def test_help_names_the_options(babelboard_apart):
    text = output(babelboard_apart("tasks", "--help"))
    assert "Usage: babelboard tasks" in text
    assert "--data" in text
    assert "--json" in text
