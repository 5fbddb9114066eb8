# SPDX-License-Identifier: Apache-2.0

"""A small set of controls, a bundle of stricter values, and overlays that change a test of them."""

import pytest

from app.controls.loader import load_bytes
from app.errors import ControlsInvalid

CATALOG = """\
kind: Catalog
id: house-rules
title: House rules
edition: "1"
short_names: [house]
text_licence: own-words
source_url: https://rules.example
controls:
  - {id: H.1, label: Rights end, summary: Each right ends., aliases: [OLD.1]}
  - {id: H.2, label: Doors, summary: Doors are shut., not_tested_because: Doors leave no trace.}
"""
MAPPING = """\
kind: Mapping
framework: house-rules
entries:
  - {control: H.1, test: ABC-01, relation: supports, strength: primary, basis: direct, rationale: It ends.}
"""
TESTS = """\
kind: ControlTests
title: Ends
tests:
  - id: ABC-01
    title: Grant is short
    intent: Short.
    population: grant
    requires: {records: [grant], fields: [grant.starts_at, grant.expires_at]}
    assert: |-
      grant.expires_at - grant.starts_at <= p.most && size(approvals) >= p.least
      && !(grant.basis in p.refused) && (grant.privileged || !p.only_privileged)
    parameters: {most: 8h, least: 1, refused: [standing], only_privileged: true}
    looser: {most: longer, least: lower, refused: fewer, only_privileged: "off"}
    severity: low
    columns: [grant.id]
    meaning: {fails: it is long., no_evidence: it is not told., not_applicable: never.}
    cause: Haste.
    effect: Doubt.
    remediation: End it.
    examples:
      - name: short
        given:
          grant: {privileged: true, starts_at: "2026-01-02T00:00:00Z", expires_at: "2026-01-02T01:00:00Z"}
          approvals: [{}]
        expect: pass
      - name: long
        given: {grant: {privileged: true, starts_at: "2026-01-02T00:00:00Z", expires_at: "2026-01-03T01:00:00Z"}}
        expect: fail
      - {name: not told, given: {}, expect: no_evidence}
"""
BUNDLE = """\
kind: ParameterBundle
id: strict
title: Strict
source: Ours
values:
  ABC-01: {most: 4h, least: 2}
"""
OVERLAY = """\
kind: Overlay
id: mine
title: Mine
use:
  - bundle: strict
    from: 2026-01-01
changes:
  - test: ABC-01
    parameters: {most: 2h}
    where: workflow != null && workflow.id == "x"
    from: 2026-02-01
    until: 2026-02-28
"""
LOOSER = """\
kind: Overlay
id: mine
title: Mine
changes:
  - test: ABC-01
    parameters:
      most: 12h
    from: 2026-02-01
    reason: The move
    requested_by: Ann Lee
    approved_by: Bo
    approved_on: 2026-01-31
"""


def files(**own: str) -> dict[str, bytes]:
    """Return a small set of controls; the keywords are own files: folder to text."""
    base = {
        "catalog/house.yaml": CATALOG,
        "mappings/house.yaml": MAPPING,
        "tests/house.yaml": TESTS,
        "parameters/strict.yaml": BUNDLE,
    }
    return {name: text.encode() for name, text in (base | {f"own/{n}/x.yaml": text for n, text in own.items()}).items()}


def problems(given: dict[str, bytes]) -> list[str]:
    with pytest.raises(ControlsInvalid) as caught:
        load_bytes(given)
    return caught.value.problems
