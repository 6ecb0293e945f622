# SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
"""PCI devices: registers, configuration space, interrupts; and QEMU's edu device."""
import ctypes
import os
import select
from ctypes import byref, c_int, c_void_p

from . import abi
from .abi import DomainType, IrqType
from .library import WdmError, call, check, fit, lib


_libc = ctypes.CDLL(None, use_errno=True)
_libc.free.argtypes = [c_void_p]
_libc.free.restype = None


class Bar:
    """A BAR of a device: bar[offset, width] reads and writes 1, 2, 4 or 8 bytes."""

    def __init__(self, device, index):
        self._device = device
        self.index = index

    @property
    def _c(self):
        return self._device.c

    def info(self):
        """Size and flags of the BAR: a wdm_bar_info"""
        info = abi.wdm_bar_info()
        call("wdm_bar_info", self._c, self.index, byref(info))
        return info

    def __getitem__(self, where):
        offset, width = where
        value = abi.WIDTHS[width]()
        call("wdm_bar_read", self._c, self.index, offset, byref(value), width)
        return value.value

    def __setitem__(self, where, value):
        offset, width = where
        value = fit(abi.WIDTHS[width], value)
        call("wdm_bar_write", self._c, self.index, offset, byref(value), width)

    def map(self, offset=0, length=0):
        """Map the BAR, or part of it, and return the address."""
        return call("wdm_bar_map", self._c, self.index, offset, length)


class Config:
    """The configuration space of a device: config[offset, width]"""

    def __init__(self, device):
        self._device = device

    def __getitem__(self, where):
        offset, width = where
        value = abi.WIDTHS[width]()
        call("wdm_config_read", self._device.c, offset, byref(value), width)
        return value.value

    def __setitem__(self, where, value):
        offset, width = where
        value = fit(abi.WIDTHS[width], value)
        call("wdm_config_write", self._device.c, offset, byref(value), width)

    def capability(self, number):
        """Offset of a capability, or 0"""
        return lib.wdm_config_capability(self._device.c, number)


class Interrupts:
    """Enabled interrupts of one type; a context manager, which disables them.

    A wait for number n is done when it came at least once since the last wait.
    """

    def __init__(self, device, kind, number):
        self._device = device
        self._kind = kind
        self.fds = []
        try:
            for _ in range(number):
                self.fds.append(eventfd())
            call("wdm_irq_enable", device.c, kind, 0, number, (c_int * number)(*self.fds))
        except BaseException:
            self._close()
            raise

    def wait(self, number=0, timeout=None):
        """Number of interrupts since the last wait; 0 after timeout seconds"""
        poll = select.poll()
        poll.register(self.fds[number], select.POLLIN)
        if not poll.poll(None if timeout is None else timeout * 1000):
            return 0
        return int.from_bytes(os.read(self.fds[number], 8), "little")

    def mask(self):
        """Mask INTx."""
        call("wdm_irq_mask", self._device.c)

    def unmask(self):
        """Unmask INTx, which VFIO masks at each interrupt."""
        call("wdm_irq_unmask", self._device.c)

    def unmask_by(self, fd):
        """Make writes to an eventfd unmask INTx; -1 ends that."""
        call("wdm_irq_unmask_eventfd", self._device.c, fd)

    def disable(self):
        """Disable the interrupts."""
        if self.fds:
            try:
                call("wdm_irq_disable", self._device.c, self._kind)
            finally:
                self._close()

    def _close(self):
        for fd in self.fds:
            os.close(fd)
        self.fds = []

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.disable()


def eventfd():
    """A new eventfd; os.eventfd() requires Python 3.10."""
    fd = _libc.eventfd(0, os.O_CLOEXEC)
    if fd < 0:
        number = ctypes.get_errno()
        raise WdmError(number, f"cannot make an eventfd: {os.strerror(number)}")
    return fd


class Device:
    """A PCI device opened through VFIO; Iommu.open_device() makes one.

    A context manager, which closes it. All of its DMA is blocked until it is attached.
    """

    def __init__(self, iommu, name, beside=None):
        self.iommu = iommu
        arguments = (iommu.fileno(), os.fsencode(name))
        if beside is None:
            self._c = call("wdm_vfio_open", *arguments)
        else:
            self._c = call("wdm_vfio_open_beside", beside.c, *arguments)
        self.handle = lib.wdm_vfio_handle(self.c)
        self.config = Config(self)
        self.bars = [Bar(self, index) for index in range(6)]

    @property
    def c(self):
        """The device's pointer in C"""
        if self._c is None:
            raise ValueError("the device is closed")
        return self._c

    def open_beside(self, name):
        """Open another device in the same container, such as one of the same group."""
        return Device(self.iommu, name, self)

    @property
    def group(self):
        """Number of the device's IOMMU group"""
        return lib.wdm_vfio_group(self.c)

    def query(self):
        """State of the device: a wdm_iommu_query_device"""
        answer = abi.wdm_iommu_query_device()
        check("cannot query the device", lib.wdm_query_device_sized(
            self.iommu.fileno(), self.handle, byref(answer), ctypes.sizeof(answer)))
        return answer

    def domain_types(self):
        """Types of domains that the device can be attached to now"""
        available = self.query().domain_types
        return {t for t in DomainType if available & 1 << t}

    def ranges(self):
        """Addresses that can be mapped for the device: Ranges"""
        return self.iommu.ranges(self)

    def detach(self):
        """Detach the device from its domain: all of its DMA is blocked."""
        check("cannot detach the device", lib.wdm_detach(self.iommu.fileno(), self.handle))

    def report_faults(self, enable=True):
        """Report faults of the device as events."""
        check("cannot report faults",
              lib.wdm_set_fault_reporting(self.iommu.fileno(), self.handle, enable))

    def bus_master(self, enable=True):
        """Enable or disable bus mastering, without which the device does no DMA."""
        call("wdm_bus_master", self.c, enable)

    def reset(self):
        """Reset the device."""
        call("wdm_vfio_reset", self.c)

    def hot_reset_list(self):
        """Addresses of the functions that hot_reset() resets"""
        addresses = ctypes.POINTER(abi.wdm_pci_address)()
        number = call("wdm_vfio_hot_reset_list", self.c, byref(addresses))
        try:
            return [f"{a.segment:04x}:{a.bus:02x}:{a.devfn >> 3:02x}.{a.devfn & 7:x}"
                    for a in addresses[:number]]
        finally:
            _libc.free(addresses)

    def hot_reset(self, *others):
        """Reset all functions on its bus or in its slot, which must be those of open devices."""
        devices = (c_void_p * len(others))(*(device.c for device in others))
        call("wdm_vfio_hot_reset", self.c, devices, len(others))

    def interrupt_count(self, kind=IrqType.MSI):
        """Number of interrupts of a type"""
        return call("wdm_irq_count", self.c, kind)

    def interrupts(self, kind=IrqType.MSI, number=1):
        """Enable interrupts, and return Interrupts."""
        return Interrupts(self, kind, number)

    def close(self):
        """Close the device, detach it, and delete its handle."""
        if self._c is not None:
            lib.wdm_vfio_close(self._c)
            self._c = None
        if self.handle and self.iommu.fileno() >= 0:
            # Closing it detaches it, unless it was opened through its cdev
            lib.wdm_detach(self.iommu.fileno(), self.handle)
            check("cannot delete the device", lib.wdm_destroy(self.iommu.fileno(), self.handle))
            self.handle = 0

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


class Edu:
    """DMA of QEMU's edu device, which has a buffer of 4095 bytes"""

    def __init__(self, device):
        self._device = device
        self._mapping = device.bars[0].map()
        if not lib.wdm_edu_present(self._bar):
            raise ValueError("this is not an edu device")

    @property
    def _bar(self):
        # The pointer raises an exception if the BAR is not mapped any more
        return self._device.c and self._mapping

    def read(self, address, length, offset=0):
        """Make it read memory into its buffer, unless the IOMMU blocks that."""
        self._done(lib.wdm_edu_read(self._bar, address, offset, length))

    def write(self, address, length, offset=0):
        """Make it write its buffer to memory, unless the IOMMU blocks that."""
        self._done(lib.wdm_edu_write(self._bar, address, offset, length))

    @staticmethod
    def _done(done):
        if not done:
            number = ctypes.get_errno()
            raise WdmError(number, f"a transfer does not end: {os.strerror(number)}")
