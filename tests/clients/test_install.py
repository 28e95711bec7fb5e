"""Which clients are installed, and what is said where they cannot be."""

import re

import pytest

from clients import install


def test_every_client_has_one_version():
    """No range: what is run is what was measured."""
    for one in install.pinned().values():
        assert one["mib"] > 0
        for version in one["packages"].values():
            assert re.fullmatch(r"\d+(\.\d+)+", version)


@pytest.mark.parametrize(("ci", "code"), [("true", 1), ("", 0)])
def test_without_npm_ci_fails_and_others_are_told(
    tmp_path, monkeypatch, capsys, ci, code
):
    """Nothing is installed, and the way out is named."""
    monkeypatch.setattr(install, "CLIENTS", tmp_path / "none")
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("CI", ci)

    assert install.main() == code
    assert "apt-get install nodejs npm" in capsys.readouterr().err
    assert not install.CLIENTS.exists()


@pytest.mark.parametrize(("ci", "code"), [("true", 1), ("", 0)])
def test_what_npm_said_is_shown_where_it_fails(tmp_path, monkeypatch, capfd, ci, code):
    """And nothing counts as installed."""
    npm = tmp_path / "npm"
    npm.write_text("#!/bin/sh\necho no such package >&2\nexit 3\n")
    npm.chmod(0o755)
    monkeypatch.setattr(install, "CLIENTS", tmp_path / "clients")
    monkeypatch.setenv("PATH", f"{tmp_path}:/bin:/usr/bin")
    monkeypatch.setenv("CI", ci)

    assert install.main() == code
    assert "no such package" in capfd.readouterr().err
    assert install.installed(install.IN_CI) is None
