# SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
"""Real DMA of QEMU's edu device, which the environment variable WDM_EDU names."""
import errno
import os
import unittest

from wdm_iommu import (
    Buffer, DomainState, DomainType, DomainTypesChanged, Edu, Format, Iommu, IrqType, PAGE_SIZE,
    Permission, Query, RangeKind, Tables, WdmError)
from wdm_iommu.device import eventfd

IOVA = 0x100000
HOME = 0x200000
STATUS_RESOURCE_IN_USE = 0xC0000708
STATUS_NOT_FOUND = 0xC0000225
STATUS_ACCESS_VIOLATION = 0xC0000005
ALLOW = "/sys/module/wdm_iommu/parameters/allow_pass_through"


@unittest.skipUnless("WDM_EDU" in os.environ, "WDM_EDU names no device")
class Dma(unittest.TestCase):
    """A device, a buffer of two pages, and one to access the device's buffer"""

    def setUp(self):
        self.iommu = self.enterContext(Iommu())
        self.device = self.enterContext(self.iommu.open_device(os.environ["WDM_EDU"]))
        self.edu = Edu(self.device)
        self.memory = self.enterContext(Buffer(2))
        self.home = self.enterContext(Buffer(1))
        self.serial = 0

    def enterContext(self, manager):
        """unittest has this from Python 3.11 on."""
        value = manager.__enter__()
        self.addCleanup(manager.__exit__, None, None, None)
        return value

    def arrives(self, address, offset=0, home=HOME):
        """Check that the device writes to an address, each time with new bytes."""
        self.serial += 1
        sent = b"transfer %7d" % self.serial
        self.home[0:16] = sent
        self.memory[offset:offset + 16] = b"-" * 16
        self.edu.read(home, 16)
        self.edu.write(address, 16)
        got = self.memory[offset:offset + 16]
        self.assertIn(got, (sent, b"-" * 16))
        return got == sent

    def test_os_managed(self):
        with self.iommu.create_domain(page_granular=True) as domain:
            with self.iommu.pin(self.memory) as mdl, domain.attach(self.device):
                domain.map(self.home, HOME)
                self.assertEqual(domain.map(mdl, IOVA), IOVA)
                self.assertTrue(self.arrives(IOVA))
                self.assertTrue(self.arrives(IOVA + PAGE_SIZE, PAGE_SIZE))
                with self.assertRaises(WdmError) as caught:
                    mdl.destroy()
                self.assertEqual(caught.exception.status, STATUS_RESOURCE_IN_USE)
                self.assertEqual([(m.address, m.length) for m in domain.mappings()
                                  if m.mdl == mdl.handle], [(IOVA, 2 * PAGE_SIZE)])
                domain.unmap(IOVA, PAGE_SIZE)
                self.assertFalse(self.arrives(IOVA))
                self.assertTrue(self.arrives(IOVA + PAGE_SIZE, PAGE_SIZE))
                domain.unmap(IOVA + PAGE_SIZE, PAGE_SIZE)
                domain.map(mdl.memory(PAGE_SIZE), IOVA, Permission.READ)
                self.assertFalse(self.arrives(IOVA, PAGE_SIZE))
                domain.unmap(IOVA, PAGE_SIZE)
                with self.assertRaises(WdmError) as caught:
                    domain.unmap(IOVA, PAGE_SIZE)
                self.assertEqual(caught.exception.status, STATUS_NOT_FOUND)
                self.assertIn("STATUS_NOT_FOUND", str(caught.exception))
                state = domain.query()
                self.assertEqual(state.devices, 1)
                self.assertTrue(state.flags & DomainState.PAGE_GRANULAR)

    def test_allocator_and_tokens(self):
        regions = [(0x100000000, PAGE_SIZE, False)]
        with self.iommu.create_domain(width=39, regions=regions) as domain:
            with domain.attach(self.device):
                home = domain.map(self.home)
                address = domain.map(self.memory, minimum=0x400000)
                self.assertEqual(address, 0x400000)
                self.assertTrue(self.arrives(address, home=home))
                domain.unmap(address, 2 * PAGE_SIZE)
                with domain.reserve(4 * PAGE_SIZE) as token:
                    token.map(self.memory, 2 * PAGE_SIZE)
                    at = token.address + 2 * PAGE_SIZE
                    self.assertTrue(self.arrives(at + PAGE_SIZE, PAGE_SIZE, home))
                    token.unmap(2 * PAGE_SIZE, 2 * PAGE_SIZE)
                    self.assertFalse(self.arrives(at + PAGE_SIZE, PAGE_SIZE, home))

    def check_tables(self, kind):
        with Buffer(5) as pages, self.iommu.create_caller_domain() as domain:
            mdls = [self.iommu.pin(b) for b in (pages, self.memory, self.home)]
            for mdl in mdls:
                domain.add_memory(mdl, mdl.address)
            tables = Tables(pages, kind)
            tables.map(HOME, self.home.address)
            tables.map(IOVA, self.memory.address)
            with domain.attach(self.device):
                self.assertFalse(self.arrives(IOVA))
                domain.configure(tables)
                self.assertTrue(self.arrives(IOVA))
                tables.map(IOVA, self.memory.address + PAGE_SIZE)
                domain.flush([IOVA], last_level=True)
                self.assertTrue(self.arrives(IOVA, PAGE_SIZE))
                tables.clear(IOVA)
                domain.flush()
                self.assertFalse(self.arrives(IOVA, PAGE_SIZE))
                tables.map(IOVA, 0x1000)
                with self.assertRaises(WdmError) as caught:
                    domain.flush()
                self.assertEqual(caught.exception.status, STATUS_ACCESS_VIOLATION)
                self.assertEqual(caught.exception.walk_error.logical_address, IOVA)
                self.assertEqual(len(list(domain.mappings(Query.CALLER))), 3)

    def test_x64_tables(self):
        self.check_tables(Format.X64)

    def test_arm64_tables(self):
        self.check_tables(Format.ARM64)

    def test_device(self):
        config = self.device.config
        self.assertEqual(config[0, 2], 0x1234)
        self.assertEqual(config[2, 2], 0x11e8)
        bar = self.device.bars[0]
        self.assertEqual(bar.info().size, 0x100000)
        # The liveness check inverts what is written to it
        bar[4, 4] = 0x12345678
        self.assertEqual(bar[4, 4], 0x12345678 ^ 0xffffffff)
        self.assertEqual(self.device.query().group, self.device.group)
        self.assertIn(DomainType.TRANSLATE, self.device.domain_types())
        kinds = {r.kind for r in self.device.ranges().ranges}
        self.assertIn(RangeKind.ALLOWED, kinds)
        with self.assertRaises(WdmError):
            self.device.open_beside("0000:00:1f.7")

    def test_close(self):
        with self.iommu.create_domain() as domain:
            domain.attach(self.device)
            self.device.close()
            self.device.close()
        for use in (self.device.reset, self.device.bars[0].info, lambda: self.device.config[0, 2],
                    lambda: self.device.group, lambda: self.edu.read(IOVA, 1)):
            with self.assertRaises(ValueError):
                use()
        with self.assertRaises(WdmError):
            self.device.query()
        with self.iommu.open_device(os.environ["WDM_EDU"]) as device:
            self.assertEqual(device.config[0, 2], 0x1234)

    def test_interrupts(self):
        bar = self.device.bars[0]
        self.assertEqual(self.device.interrupt_count(IrqType.MSI), 1)
        with self.iommu.create_domain() as domain, domain.attach(self.device):
            with self.device.interrupts(IrqType.MSI) as interrupts:
                self.assertEqual(interrupts.wait(timeout=0), 0)
                bar[0x60, 4] = 1
                self.assertEqual(interrupts.wait(timeout=10), 1)
                bar[0x64, 4] = 1

    def test_intx(self):
        bar = self.device.bars[0]
        with self.device.interrupts(IrqType.INTX) as interrupts:
            unmask = eventfd()
            self.addCleanup(os.close, unmask)
            interrupts.unmask_by(unmask)
            bar[0x60, 4] = 1
            self.assertEqual(interrupts.wait(timeout=10), 1)
            # Masked, and still asserted
            self.assertEqual(interrupts.wait(timeout=0.2), 0)
            interrupts.unmask()
            self.assertEqual(interrupts.wait(timeout=10), 1)
            os.write(unmask, (1).to_bytes(8, "little"))
            self.assertEqual(interrupts.wait(timeout=10), 1)
            bar[0x64, 4] = 1
            interrupts.unmask()
            interrupts.mask()
            bar[0x60, 4] = 1
            self.assertEqual(interrupts.wait(timeout=0.2), 0)
            bar[0x64, 4] = 1

    def test_hot_reset(self):
        with self.assertRaises(WdmError) as caught:
            self.device.hot_reset()
        self.assertEqual(caught.exception.errno, errno.ENODEV)
        names = os.environ["WDM_BRIDGED"].split()
        with self.iommu.open_device(names[0]) as first, first.open_beside(names[1]) as second:
            self.assertEqual(first.hot_reset_list(), names)
            # The device's status shows an asserted INTx, which a reset deasserts
            for device in (first, second):
                device.config[4, 2] |= 0x400
                device.bars[0][0x60, 4] = 1
                self.assertTrue(device.config[6, 2] & 8)
            first.hot_reset(second)
            self.assertFalse((first.config[6, 2] | second.config[6, 2]) & 8)

    def test_events(self):
        events = self.iommu.events(timeout=10)
        for value, available in (("Y", True), ("N", False)):
            with open(ALLOW, "w", encoding="ascii") as parameter:
                parameter.write(value)
            event = next(events)
            self.assertIsInstance(event, DomainTypesChanged)
            self.assertEqual(event.device, self.device.handle)
            self.assertEqual(DomainType.PASS_THROUGH in event.types, available)
        self.assertEqual(list(self.iommu.events(timeout=0)), [])

    def test_info(self):
        info = self.iommu.info()
        self.assertEqual(info.page_size, PAGE_SIZE)
        self.assertIn(info.interface_version, (2, 3))


if __name__ == "__main__":
    unittest.main()
