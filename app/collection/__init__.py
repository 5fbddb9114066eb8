# SPDX-License-Identifier: Apache-2.0

"""Collection: run a connector, keep what it yields in the ledger, and write down what each record states.

In:  a connector, the name of a source, a window of time.
Out: ledger entries, observations of access records, and a CollectionRun: the completeness box of the run, which is a
     ledger entry too.
It must never drop a record silently: received = accepted + duplicates + rejected, and a run that stops early says so.
Everything but the ledger is derived, and ``CollectionService.rebuild`` makes it anew from the ledger alone.
"""
