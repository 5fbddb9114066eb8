# SPDX-License-Identifier: Apache-2.0

"""OpenBao: the file audit device's JSON lines."""
