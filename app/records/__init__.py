# SPDX-License-Identifier: Apache-2.0

"""The vocabulary of privileged access: record types, folding, times and redaction. Imports no other stage."""
