"""The page of tables."""

from pathlib import Path

import numpy as np
import polars as pl
import pytest
from verdict_policy_page import main

PAGE = Path(__file__).parents[2] / "data" / "policy_on_public_data.md"


@pytest.fixture
def folder(tmp_path):
    """A data set of two tasks: one where the models are alike, one where not."""
    rng = np.random.default_rng(1)
    rows = [
        {
            "subject": subject,
            "prompt_tokens_cl100k": 40,
            "strong_correct": True,
            "weak_correct": subject == "alike" or bool(rng.random() < 0.5),
        }
        for subject in ("alike", "unlike")
        for _ in range(200)
    ]
    pl.DataFrame(rows).write_parquet(tmp_path / "routellm_mmlu.parquet")
    return tmp_path


def test_the_page_is_written_and_says_how(folder, tmp_path, capsys):
    """Every section, every policy, and the command that makes it again."""
    out = tmp_path / "page.md"
    main([str(folder), "--draws", "20", "--out", str(out)])
    text = out.read_text("utf-8")

    assert "python tests/benchmarks/verdict_policy_page.py" in text
    assert "2 features; 20 draws" in text
    assert "| MMLU | evidence, 200 pairs | 2 | 50 % | 0.00 % |" in text
    assert "| MMLU | always | 2 | 100 % | 50 % |" in text
    assert "None in these data." in text
    assert "| fine | 1 | 0 | 0 |" in text

    main([str(folder), "--draws", "20"])
    assert capsys.readouterr().out == text + "\n"


def test_verdicts_are_judged_on_other_questions(folder, capsys):
    """Of a folder that was held back: the same features, by name."""
    main([str(folder), "--draws", "5", "--judged-on", str(folder)])
    text = capsys.readouterr().out

    assert "of the 2 features that both have" in text
    assert text.count("| fine | 1 | 0 | 0 |") == 2


def test_small_tasks_are_not_the_same_feature_elsewhere(tmp_path, capsys):
    """Under that name are whatever tasks are small there."""
    rows = pl.DataFrame(
        {
            "subject": [s for s in ("a", "b", "c") for _ in range(8)],
            "prompt_tokens_cl100k": 40,
            "strong_correct": True,
            "weak_correct": True,
        }
    )
    rows.write_parquet(tmp_path / "routellm_mmlu.parquet")
    main([str(tmp_path), "--draws", "5", "--judged-on", str(tmp_path)])

    assert "of the 0 features that both have" in capsys.readouterr().out


def test_a_folder_of_nothing_is_told_in_a_line(tmp_path, capsys):
    """No traceback."""
    with pytest.raises(SystemExit) as stopped:
        main([str(tmp_path)])

    assert stopped.value.code == 2
    assert "There is none of mmlu_pro_models" in capsys.readouterr().err


def test_the_published_page_names_sources_and_licences():
    """Figures only, with their origin."""
    text = PAGE.read_text("utf-8")

    assert "Apache-2.0" in text
    assert "| 200 |" in text
