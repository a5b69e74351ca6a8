"""Models that a job may name."""

from __future__ import annotations

from pathlib import Path

import pytest
from job_manifests import COMMIT, command_of, manifest, refusal

from submissions.queue.model_names import locate
from tasks.errors import ModelError


@pytest.mark.parametrize(
    "model",
    [
        "mteb:some/model",
        "run:runs",
        "/root/model",
        "../model",
        "./model",
        "model",
        "a/b/c",
        "models/..",
        "models/.hidden",
        "models/a/b",
        "package:os.path",
        "package:",
        "--help",
        "-",
        "owner/na me",
        "owner/name\n",
        "ówner/name",
        "https://hub/a",
        "~root/model",
    ],
)
def test_a_model_outside_the_rule_is_refused(tmp_path, model):
    said = refusal(manifest(tmp_path, model=model, revision=COMMIT))
    assert "cannot be scored here" in said
    assert "package:NAME" in said


@pytest.mark.parametrize(
    "revision", [None, "main", "v1.0", COMMIT[:-1], COMMIT.upper(), "refs/pr/1"]
)
def test_a_hub_model_needs_a_whole_commit(tmp_path, revision):
    assert "revision" in refusal(manifest(tmp_path, model="owner/name", revision=revision))


@pytest.mark.parametrize("model", ["bm25", "models/mine", "package:some"])
def test_a_model_that_is_here_takes_no_revision(tmp_path, model):
    assert "leave revision out" in refusal(manifest(tmp_path, model=model, revision=COMMIT))


def test_a_model_of_the_queue_is_a_folder_without_links(queue, tmp_path):
    path = manifest(tmp_path, model="models/mine")
    folder = queue.models / "mine"
    with pytest.raises(ModelError, match="no folder 'mine'"):
        command_of(queue, path)
    (tmp_path / "elsewhere").mkdir()
    folder.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(ModelError, match="a link does not do"):
        command_of(queue, path)
    folder.unlink()
    (folder / "inner").mkdir(parents=True)
    (folder / "inner" / "weights").symlink_to("/etc/hostname")
    with pytest.raises(ModelError, match="is a link"):
        command_of(queue, path)
    (folder / "inner" / "weights").unlink()
    assert command_of(queue, path)[-1] == str(folder)


def test_a_model_of_a_package_is_linked_under_the_packages_name(tmp_path, monkeypatch):
    package = tmp_path / "site" / "made_up_weights"
    (package / "model").mkdir(parents=True)
    (package / "__init__.py").write_text("raise SystemExit('code of the package ran')", "utf-8")
    monkeypatch.syspath_prepend(str(tmp_path / "site"))
    with pytest.raises(ModelError, match="carries 0 models"):
        locate("package:made_up_weights", tmp_path, tmp_path)
    (package / "model" / "modules.json").write_text("[]", "utf-8")
    found = locate("package:made_up_weights", tmp_path, tmp_path)
    assert found == str(tmp_path / "made_up_weights")
    assert Path(found).resolve() == package / "model"
    with pytest.raises(ModelError, match="not installed"):
        locate("package:not_there_at_all", tmp_path, tmp_path)
