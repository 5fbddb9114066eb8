# SPDX-License-Identifier: Apache-2.0

"""Who may do what in our own service: bearer tokens, and the log of what our users did. Never stores a token itself."""
