# SPDX-License-Identifier: Apache-2.0

"""A sample organisation that writes vendor formats, with deviations planted from a published list."""
