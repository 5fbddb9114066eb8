# SPDX-License-Identifier: Apache-2.0

"""Sign and check: canonical JSON, keys, DSSE, CMS, PAdES. Knows nothing of what is signed, and no network."""
