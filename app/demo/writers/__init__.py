# SPDX-License-Identifier: Apache-2.0

"""One writer per vendor format: from the neutral story to the bytes which that product would have written."""
