# SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
"""A caller's page tables, in its memory."""
import errno
import os
from ctypes import POINTER, byref, cast, get_errno

from . import abi
from .abi import Format, PAGE_SIZE
from .library import WdmError, lib
from .objects import RW, Buffer

# Levels of entries
LEVEL_4K, LEVEL_2M, LEVEL_1G = range(3)

_FORMATS = {Format.X64: "wdm_format_x64", Format.ARM64: "wdm_format_arm64"}


class Tables:
    """Page tables in a Buffer, whose first page is the root.

    address is where the caller's address space has the buffer (CallerDomain.add_memory());
    by default its own address.
    """

    def __init__(self, buffer, kind=Format.X64, input_bits=48, address=None):
        if not isinstance(buffer, Buffer):
            raise TypeError("page tables live in a Buffer")
        self.format = abi.wdm_table_format.in_dll(lib, _FORMATS[kind])
        self.buffer = buffer
        self.c = abi.wdm_tables()
        lib.wdm_tables_init(byref(self.c), byref(self.format), input_bits, buffer.address,
                            buffer.length // PAGE_SIZE,
                            buffer.address if address is None else address)

    @property
    def _c(self):
        # The address raises an exception if there is no memory any more
        return self.buffer.address and byref(self.c)

    def map(self, address, target, level=LEVEL_4K, permissions=RW):
        """Write the entry that translates an address to a caller address."""
        if not lib.wdm_tables_map(self._c, address, target, level, permissions):
            self._fail(address)

    @staticmethod
    def _fail(address):
        number = get_errno()
        if number == errno.ENOMEM:
            raise MemoryError("no page is left for another table")
        why = {errno.EEXIST: "a leaf is in the way",
               errno.ERANGE: "the tables do not translate it"}.get(number, os.strerror(number))
        raise WdmError(number, f"cannot reach the entry of {address:#x}: {why}")

    def _entry(self, address, level):
        return cast(lib.wdm_tables_entry(self._c, address, level, False),
                    POINTER(abi.c_uint64))

    def entry(self, address, level=LEVEL_4K):
        """The entry of an address; None if there is no table for it"""
        entry = self._entry(address, level)
        return entry[0] if entry else None

    def clear(self, address, level=LEVEL_4K):
        """Make the entry of an address invalid."""
        entry = self._entry(address, level)
        if entry:
            entry[0] = 0
        elif get_errno() != errno.ENOENT:
            self._fail(address)
