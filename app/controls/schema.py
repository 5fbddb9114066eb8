# SPDX-License-Identifier: Apache-2.0

"""The JSON Schemas of the YAML under ``controls/``, for editors: generated from the structs, never written by hand.

``docs`` regenerates ``controls/schema/``; a test compares the files with what is generated here.
"""

import json
from typing import Any, Final

import msgspec

from app.controls.changes import Overlay, ParameterBundle
from app.controls.metrics import Metrics
from app.controls.model import Catalog, ControlTests, Mapping, RiskRules
from app.controls.sampling import SamplingPlan
from app.controls.statements import CatalogText, StatementOfApplicability
from app.trails.populations import POPULATIONS

_SHAPES: Final[dict[str, type[msgspec.Struct]]] = {
    "catalog": Catalog,
    "control-tests": ControlTests,
    "mapping": Mapping,
    "metrics": Metrics,
    "risk-rules": RiskRules,
    "overlay": Overlay,
    "parameter-bundle": ParameterBundle,
    "statement-of-applicability": StatementOfApplicability,
    "catalog-text": CatalogText,
    "sampling-plan": SamplingPlan,
}


def schema_files() -> dict[str, str]:
    """Return file name below ``controls/schema/`` to its text."""
    return {f"{name}.schema.json": _text(name, shape) for name, shape in _SHAPES.items()}


def _text(name: str, shape: type[msgspec.Struct]) -> str:
    schema: dict[str, Any] = msgspec.json.schema(shape)
    test = schema["$defs"].get("ControlTest")
    if test is not None:
        test["properties"]["population"]["enum"] = list(POPULATIONS)
    metric = schema["$defs"].get("Metric")
    if metric is not None:
        metric["properties"]["population"]["anyOf"] = [{"enum": list(POPULATIONS)}, {"type": "null"}]
    schema = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"https://proofroom.example/schema/{name}.schema.json",
        **schema,
    }
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"
