# SPDX-License-Identifier: Apache-2.0

"""The interpreter is asked about every deviation and every sampled item; what differs is named."""

from collections.abc import Mapping
from pathlib import Path

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from app.cel.errors import BeyondLimit
from app.cel.expression import CheckedExpression
from app.cel.interpreter import Interpreter
from app.controls.loader import Controls, load
from app.evaluation.model import ItemOutcome
from app.packs.assemble import draft_pack
from app.packs.model import ChosenItem, ReportData
from app.packs.report import Folders
from app.resources import shipped
from app.verification.outcome import Failed
from app.verification.second_engine import interpret
from tests.packs.small import SHORTER_GRANTS, identity_in, ingredients, plain_render


class Judged(msgspec.Struct):
    """An evaluated period of three grants, of which an overlay makes two deviate from GRT-01."""

    controls: Controls
    report: ReportData
    folders: Folders

    def without_samples(self, *chosen: ChosenItem) -> ReportData:
        """Return the report as if nothing was drawn."""
        return msgspec.structs.replace(self.report, samples=(), judgemental=chosen)

    def lie(self, test_id: str, item: str, outcome: ItemOutcome, folder: Path) -> Folders:
        """Return folders in which the SQL engine says something else of one grant."""
        folder.mkdir()
        for path in self.folders.results.iterdir():
            (folder / path.name).write_bytes(path.read_bytes())
        table = pq.read_table(folder / "grant.parquet")
        ids, codes = table.column("item_id").to_pylist(), table.column(test_id).to_pylist()
        codes[ids.index(item)] = int(outcome)
        place = table.schema.get_field_index(test_id)
        changed = pa.array(codes, table.schema.field(place).type)
        pq.write_table(table.set_column(place, table.schema.field(place), changed), folder / "grant.parquet")
        return Folders(populations=self.folders.populations, results=folder)


@pytest.fixture(scope="module")
def judged(tmp_path_factory: pytest.TempPathFactory) -> Judged:
    folder = tmp_path_factory.mktemp("judged")
    (folder / "own" / "overlays").mkdir(parents=True)
    (folder / "own" / "overlays" / "mine.yaml").write_text(SHORTER_GRANTS, encoding="utf-8")
    parts = ingredients(folder, identity_in(folder / "identity"), load(shipped("controls"), folder / "own"))
    (folder / "work").mkdir()
    return Judged(parts.controls, draft_pack(parts, plain_render, folder / "work").report, parts.folders)


def test_small_populations_are_asked_about_whole(judged: Judged) -> None:
    asked = interpret(judged.controls, judged.report, judged.folders)
    assert asked.outcomes == sum(sum(test.counts.values()) for test in judged.report.evaluation.tests)
    assert asked.whole == len(judged.report.evaluation.population_sizes)


def test_of_large_populations_every_deviation_is_asked_about(judged: Judged) -> None:
    asked = interpret(judged.controls, judged.without_samples(), judged.folders, whole_up_to=0)
    counts = [test.counts for test in judged.report.evaluation.tests]
    expected = sum(count["fail"] + count["waived"] for count in counts)
    assert (asked.deviations, asked.sampled) == (expected, 0)
    assert asked.outcomes == expected > 2


def test_of_large_populations_every_sampled_item_is_asked_about(judged: Judged) -> None:
    drawn = {(draw.population, item) for draw in judged.report.samples for item in draw.items}
    asked = interpret(judged.controls, judged.report, judged.folders, whole_up_to=0)
    assert asked.sampled == len(drawn) > 5
    assert str(asked).startswith(f"{asked.outcomes:,} outcomes: all {asked.deviations:,} deviations, all ")


@pytest.mark.parametrize(
    ("item", "outcome", "whole_up_to", "is_chosen", "is_seen"),
    [
        ("g1", ItemOutcome.WAIVED, 0, False, True),  # A deviation of the overlay's, called another one.
        ("g0", ItemOutcome.FAIL, 0, False, True),  # A deviation made up.
        ("g1", ItemOutcome.PASS, 0, True, True),  # A deviation hidden: seen if the item was sampled,
        ("g1", ItemOutcome.PASS, 2_000, False, True),  # or if the population is small,
        ("g1", ItemOutcome.PASS, 0, False, False),  # and else by the SQL engine alone (step 15).
    ],
)
def test_what_the_engines_say_differently_is_named(
    judged: Judged, tmp_path: Path, item: str, outcome: ItemOutcome, whole_up_to: int, is_chosen: bool, is_seen: bool
) -> None:
    name = f"broker/grant/{item}"
    folders = judged.lie("GRT-01", name, outcome, tmp_path / "results")
    report = judged.without_samples(*([ChosenItem(population="grant", item_id=name)] if is_chosen else []))
    if not is_seen:
        assert interpret(judged.controls, report, folders, whole_up_to=whole_up_to)
        return
    with pytest.raises(Failed) as caught:
        interpret(judged.controls, report, folders, whole_up_to=whole_up_to)
    assert caught.value.problems == (f"GRT-01 on {name}: the interpreter gives another outcome",)


def test_a_sampled_item_that_is_not_there_is_named(judged: Judged) -> None:
    report = judged.without_samples(ChosenItem(population="grant", item_id="broker/grant/none"))
    with pytest.raises(Failed) as caught:
        interpret(judged.controls, report, judged.folders, whole_up_to=0)
    assert caught.value.problems == ("broker/grant/none is not in population grant",)


def test_what_is_too_long_for_the_interpreter_is_counted_and_not_called_a_difference(
    judged: Judged, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = interpret(judged.controls, judged.report, judged.folders)

    def gives_up(_self: Interpreter, checked: CheckedExpression, _values: object) -> bool:
        raise BeyondLimit(checked.source)

    monkeypatch.setattr(Interpreter, "evaluate", gives_up)
    asked = interpret(judged.controls, judged.report, judged.folders)
    assert (asked.outcomes, asked.deviations, asked.beyond) == (0, 0, whole.outcomes)
    assert f"but for {whole.outcomes:,} outcomes" in str(asked)
    assert f": 0 of {whole.deviations:,} deviations, " in str(asked)
    assert "but for" not in str(whole)


def test_it_says_all_deviations_only_if_it_was_asked_about_all(judged: Judged, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = interpret(judged.controls, judged.without_samples(), judged.folders, whole_up_to=0)
    asks, given_up = Interpreter.evaluate, list[str]()

    def gives_up_once(self: Interpreter, checked: CheckedExpression, values: Mapping[str, object]) -> object:
        if not given_up:
            given_up.append(checked.source)
            raise BeyondLimit(checked.source)
        return asks(self, checked, values)

    monkeypatch.setattr(Interpreter, "evaluate", gives_up_once)
    asked = interpret(judged.controls, judged.without_samples(), judged.folders, whole_up_to=0)
    assert f": all {whole.deviations:,} deviations, " in str(whole)
    assert f": {whole.deviations - 1:,} of {whole.deviations:,} deviations, " in str(asked)
    assert str(asked).endswith("; but for 1 outcomes of items whose lists are too long for the interpreter")
