# SPDX-License-Identifier: Apache-2.0

"""The controls: what is asked of privileged access, and what the answers bear on.

In:  the YAML under ``controls/``, or the same files out of a pack; all of it is taken as hostile.
Out: ``Controls``, checked and immutable, or every problem at once, each with file, line, column and a hint.
It must never run anything a file says, judge an item, or leave a file out without a word.

    model.py        the shapes of the YAML
    document.py     hostile YAML to plain values, with the position of each
    convert.py      plain values to shapes
    metrics.py      the shapes of metrics; metric_checks.py whether they can be computed
    checks.py       whether they fit together and speak of things that exist
    expressions.py  whether their CEL can be used
    rule_text.py    how a command or query is read; rules.py matches all risk rules on it
    rule_checks.py  whether rules are RE2 and their samples hold; rule_reference.py docs/reference/risk-rules.md
    loader.py       Controls, load, load_bytes
    changes.py      the shapes of overlays and bundles; overlays.py their order; overlay_checks.py whether they may
    statements.py   the shapes of applicability and licensed text; applicability.py whether they fit
    paths.py        dotted paths through the rows of a population
    problems.py     how a problem reads
    schema.py       JSON Schemas for editors
    reference.py    docs/reference/control-tests.md

controls/README.md is the page for people.
"""
