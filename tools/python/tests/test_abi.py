# SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
"""The structures and numbers of wdm_iommu.abi are those of the C headers."""
import ctypes
import os
import shutil
import subprocess
import tempfile
import unittest

from wdm_iommu import abi, library

ROOT = os.path.join(os.path.dirname(__file__), "..", "..", "..")
HEADERS = [os.path.join(ROOT, "include", "uapi"), os.path.join(ROOT, "tools", "lib")]

# sizeof and offsets in C, where this union's members are anonymous
ANONYMOUS = {"details"}


def members(structure):
    """The names of a structure's members, including nested ones"""
    for name, kind in structure._fields_:
        if name not in ANONYMOUS:
            yield name
        if issubclass(kind, (ctypes.Structure, ctypes.Union)):
            prefix = "" if name in ANONYMOUS else name + "."
            yield from (prefix + inner for inner in members(kind))


def offset(structure, path):
    """Offset of a member, which may be nested"""
    at = 0
    for name in path.split("."):
        field = getattr(structure, name)
        at += field.offset
        structure = dict(fields(structure))[name]
    return at


def fields(structure):
    """The members with their types, including those of anonymous members"""
    for name, kind in structure._fields_:
        yield name, kind
        if name in ANONYMOUS:
            yield from fields(kind)


def member_size(structure, path):
    """Size of a member"""
    for name in path.split("."):
        structure = dict(fields(structure))[name]
    return ctypes.sizeof(structure)


def expected():
    """C expressions, and their values in Python"""
    for structure in abi.STRUCTURES:
        name = structure.__name__
        yield f"sizeof(struct {name})", ctypes.sizeof(structure)
        for path in members(structure):
            yield f"offsetof(struct {name}, {path})", offset(structure, path)
            yield f"sizeof(((struct {name} *)0)->{path})", member_size(structure, path)
    for enumeration, prefix in abi.PREFIXES.items():
        for number in enumeration:
            yield c_name(number, prefix), int(number)
    yield "WDM_PAGE_SIZE", abi.PAGE_SIZE
    yield "WDM_STATUS_NONE", abi.STATUS_NONE
    yield "WDM_EDU_BUFFER", abi.EDU_BUFFER


def c_name(number, prefix):
    """An enumerator's name in C"""
    return {k.name: v for k, v in abi.C_NAMES.items()
            if type(k) is type(number)}.get(number.name, prefix + number.name)


@unittest.skipUnless(shutil.which("cc") and os.path.isdir(HEADERS[0]),
                     "no C compiler, or no headers")
class Abi(unittest.TestCase):
    """Compare with a C program that prints the same expressions"""

    def test_structures_and_numbers(self):
        wanted = list(expected())
        lines = "".join(f'\tprintf("%llu\\n", (unsigned long long)({e}));\n' for e, _ in wanted)
        source = f"#include <stdio.h>\n#include <wdm_iommu_user.h>\nint main(void)\n{{\n{lines}}}\n"
        with tempfile.TemporaryDirectory() as folder:
            program = os.path.join(folder, "abi")
            subprocess.run(["cc", "-x", "c", "-o", program, *("-I" + h for h in HEADERS), "-"],
                           input=source.encode(), check=True)
            printed = subprocess.run([program], stdout=subprocess.PIPE, check=True).stdout
        got = [int(line) for line in printed.split()]
        self.assertEqual(len(got), len(wanted))
        self.assertGreater(len(got), 150)
        for (expression, value), number in zip(wanted, got):
            self.assertEqual(value, number, expression)

    def test_prototypes(self):
        """A call with the wrong number of arguments does not compile."""
        calls = "".join(
            f"\t(void)sizeof({name}({', '.join('0' for _ in arguments)}), 0);\n"
            for name, (_, arguments) in library._PROTOTYPES.items())
        source = f"#include <wdm_iommu_user.h>\nint main(void)\n{{\n{calls}}}\n"
        result = subprocess.run(
            ["cc", "-x", "c", "-fsyntax-only", *("-I" + h for h in HEADERS), "-"],
            input=source.encode(), stderr=subprocess.PIPE, check=False)
        self.assertEqual(result.returncode, 0, result.stderr.decode())


if __name__ == "__main__":
    unittest.main()
