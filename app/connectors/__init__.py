# SPDX-License-Identifier: Apache-2.0

"""One folder per source: read it, and say purely what each record states. Connectors never write and never judge."""
