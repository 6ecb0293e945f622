# SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
"""Tests without the module: memory, page tables, statuses, exceptions, events."""
import ctypes
import errno
import os
import unittest

from wdm_iommu import (
    Buffer, DomainType, DomainTypesChanged, Fault, Format, Iommu, LEVEL_2M, Lost, PAGE_SIZE,
    Permission, Status, Tables, WdmError, abi, library, objects, user_memory)

STATUS_ACCESS_DENIED = 0xC0000022


class Memory(unittest.TestCase):
    """Buffer"""

    def test_buffer(self):
        with Buffer(2) as buffer:
            self.assertEqual(buffer.address % PAGE_SIZE, 0)
            self.assertEqual(len(buffer), 2 * PAGE_SIZE)
            buffer[PAGE_SIZE:PAGE_SIZE + 3] = b"abc"
            self.assertEqual(ctypes.string_at(buffer.address + PAGE_SIZE, 3), b"abc")
        buffer.close()
        with self.assertRaises(ValueError):
            user_memory(buffer.address, PAGE_SIZE)


class PageTables(unittest.TestCase):
    """Tables, in both formats"""

    def check_format(self, kind, valid, table):
        with Buffer(4) as buffer:
            tables = Tables(buffer, kind, address=0x10000000)
            tables.map(0x40201000, 0x123000)
            entry = tables.entry(0x40201000)
            self.assertEqual(entry & 0x0000fffffffff000, 0x123000)
            self.assertEqual(entry & valid, valid)
            root = int.from_bytes(buffer[0:8], "little")
            self.assertEqual(root & 0x0000fffffffff000, 0x10000000 + PAGE_SIZE)
            self.assertEqual(root & table, table)
            self.assertEqual(tables.entry(0x40202000), 0)
            self.assertIsNone(tables.entry(0x80000000))
            tables.clear(0x40201000)
            self.assertEqual(tables.entry(0x40201000), 0)
            with self.assertRaises(MemoryError):
                tables.map(0x8000000000, 0)
            tables.map(0x40400000, 0x200000, LEVEL_2M)
            for change in (lambda: tables.map(0x40401000, 0), lambda: tables.clear(0x40401000)):
                with self.assertRaises(WdmError) as caught:
                    change()
                self.assertEqual(caught.exception.errno, errno.EEXIST)
            self.assertIsNone(tables.entry(0x40401000))
            with self.assertRaises(WdmError) as caught:
                tables.map(1 << 48, 0)
            self.assertEqual(caught.exception.errno, errno.ERANGE)
            tables.clear(0x80000000)
        with self.assertRaises(ValueError):
            tables.map(0x40201000, 0x123000)

    def test_x64(self):
        self.check_format(Format.X64, 0x7, 0x7)

    def test_arm64(self):
        self.check_format(Format.ARM64, 0x443, 0x3)

    def test_read_only(self):
        with Buffer(4) as buffer:
            tables = Tables(buffer)
            tables.map(0, 0x200000, LEVEL_2M, Permission.READ)
            self.assertEqual(tables.entry(0, LEVEL_2M) & 0x87, 0x85)

    def test_memory_is_a_buffer(self):
        with self.assertRaises(TypeError):
            Tables(bytearray(PAGE_SIZE))


class Errors(unittest.TestCase):
    """Status and WdmError"""

    def test_status(self):
        status = Status(STATUS_ACCESS_DENIED)
        self.assertEqual(status.name, "STATUS_ACCESS_DENIED")
        self.assertEqual(str(status), "STATUS_ACCESS_DENIED")
        self.assertTrue(status.text)
        self.assertEqual(status, STATUS_ACCESS_DENIED)

    def test_check(self):
        library.check("nothing", 0)
        ctypes.set_errno(errno.EACCES)
        with self.assertRaises(WdmError) as caught:
            library.check("cannot attach", STATUS_ACCESS_DENIED)
        self.assertEqual(caught.exception.status, STATUS_ACCESS_DENIED)
        self.assertEqual(caught.exception.errno, errno.EACCES)
        self.assertIn("cannot attach: STATUS_ACCESS_DENIED: ", str(caught.exception))
        ctypes.set_errno(errno.ENOTTY)
        with self.assertRaises(WdmError) as caught:
            library.check("cannot ask", abi.STATUS_NONE)
        self.assertIsNone(caught.exception.status)
        self.assertEqual(caught.exception.errno, errno.ENOTTY)

    @unittest.skipIf(os.path.exists(abi.PATH), "the module is loaded")
    def test_no_module(self):
        with self.assertRaises(WdmError) as caught:
            Iommu()
        self.assertEqual(caught.exception.errno, errno.ENOENT)

    def test_device(self):
        class NoFile:
            """An Iommu that is not open"""
            def fileno(self):
                return -1

        from wdm_iommu import Device
        for name in "no address", b"\xff":
            with self.assertRaises(WdmError) as caught:
                Device(NoFile(), name)
            self.assertTrue(str(caught.exception))


class Integers(unittest.TestCase):
    """Arguments that do not fit"""

    def test_calls(self):
        iommu = Iommu.__new__(Iommu)
        iommu._fd = -1
        domain, mdl = objects.Domain(iommu, 1), objects.Mdl(iommu, 2, 0x1000, PAGE_SIZE, None)
        callers = objects.CallerDomain(iommu, 3)
        for call in (
                lambda n: domain.map(mdl, n), lambda n: domain.map(mdl.memory(n)),
                lambda n: domain.map(user_memory(0, n)), lambda n: domain.unmap(0, n),
                lambda n: domain.map(mdl, minimum=n), lambda n: domain.reserve(n),
                lambda n: iommu.create_domain(regions=[(n, 0, False)]),
                lambda n: iommu.create_domain(width=n), lambda n: iommu.pin(n, 0),
                lambda n: callers.flush([n]), lambda n: callers.add_memory(mdl, n)):
            for number in 2**64 + 0x1000, -0x1000:
                with self.assertRaises((OverflowError, ctypes.ArgumentError)):
                    call(number)
            with self.assertRaises(WdmError) as caught:
                call(0x1000)
            self.assertEqual(caught.exception.errno, errno.EBADF)


class Events(unittest.TestCase):
    """Records as tuples"""

    def event(self, kind, **details):
        e = abi.wdm_iommu_event(type=kind, size=ctypes.sizeof(abi.wdm_iommu_event), time=1,
                                device=2, domain=3)
        for path, value in details.items():
            member, name = path.split("__")
            setattr(getattr(e, member), name, value)
        return objects._event(e)

    def test_events(self):
        self.assertEqual(self.event(0, lost__number=9), Lost(1, 9))
        self.assertEqual(self.event(1, fault__address=0x1000, fault__flags=1, fault__kind=6),
                         Fault(1, 2, 3, 0x1000, True, 6))
        self.assertEqual(self.event(3, domain_types__available=0b101),
                         DomainTypesChanged(1, 2, {DomainType.TRANSLATE, DomainType.UNMANAGED}))
        self.assertIsNone(self.event(99))


class Package(unittest.TestCase):
    """pyproject.toml"""

    def test_version(self):
        here = os.path.dirname(__file__)
        try:
            with open(os.path.join(here, "..", "..", "..", "VERSION"), encoding="ascii") as file:
                version = file.read().strip()
        except FileNotFoundError:
            self.skipTest("not in the source tree")
        with open(os.path.join(here, "..", "pyproject.toml"), encoding="ascii") as file:
            self.assertIn(f'version = "{version}"', file.read())


if __name__ == "__main__":
    unittest.main()
