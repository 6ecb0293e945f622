# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# The matrix of end-to-end tests. Source lib.sh first.

# Print the rows of the matrix: NAME VERSION FLAVOUR IOMMU SECONDS [SUITE...].
e2e_rows() {
	grep -vE '^[[:space:]]*(#|$)' "$ROOT/scripts/tests.d/e2e.matrix"
}
