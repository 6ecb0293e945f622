# SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
"""/dev/wdm_iommu, and its domains, MDLs and tokens."""
import ctypes
import mmap
import os
import select
from collections import namedtuple
from ctypes import byref, c_uint32, c_uint64

from . import abi
from .abi import AddressFlag, DomainFlag, DomainType, MemoryType, PAGE_SIZE, Permission, Query
from .library import WdmError, check, fit, lib

RW = Permission.READ | Permission.WRITE

Mapping = namedtuple("Mapping", "address length offset mdl permissions")
Range = namedtuple("Range", "start last kind")
Ranges = namedtuple("Ranges", "ranges aperture_start aperture_end page_sizes")
Lost = namedtuple("Lost", "time number")
Fault = namedtuple("Fault", "time device domain address write kind")
DeviceRevoked = namedtuple("DeviceRevoked", "time device")
DomainTypesChanged = namedtuple("DomainTypesChanged", "time device types")


class Buffer:
    """Zeroed memory of whole pages, for MDLs.

    It is a context manager, and close() frees its memory. Bytes are read and
    written by slices: buffer[0:5] = b"hello".
    """

    def __init__(self, pages):
        self._mmap = mmap.mmap(-1, pages * PAGE_SIZE, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
        self._view = ctypes.c_char.from_buffer(self._mmap)
        self.length = pages * PAGE_SIZE

    @property
    def address(self):
        """Address of the memory"""
        if self._view is None:
            raise ValueError("the buffer is closed")
        return ctypes.addressof(self._view)

    def __getitem__(self, where):
        return self._mmap[where]

    def __setitem__(self, where, value):
        self._mmap[where] = value

    def __len__(self):
        return self.length

    def close(self):
        """Free the memory. An MDL keeps the pages that it has pinned."""
        if self._view is not None:
            self._view = None
            self._mmap.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


class _Object:
    """An object of an Iommu with a handle; a context manager, which deletes it."""

    def __init__(self, iommu, handle):
        self.iommu = iommu
        self.handle = handle

    @property
    def _fd(self):
        return self.iommu.fileno()

    def destroy(self):
        """Delete the object. If this fails, as for one in use, it stays usable."""
        if self.handle:
            check(f"cannot delete the {type(self).__name__.lower()}",
                  lib.wdm_destroy(self._fd, self.handle))
            self.handle = 0

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        # A pending exception is more useful than one about its consequences
        try:
            self.destroy()
        except WdmError:
            if kind is None:
                raise

    def __repr__(self):
        return f"<{type(self).__name__} {self.handle}>"


class Mdl(_Object):
    """Pinned memory of this process; Iommu.pin() makes one."""

    def __init__(self, iommu, handle, address, length, keep):
        super().__init__(iommu, handle)
        self.address = address
        self.length = length
        self._keep = keep

    def memory(self, offset=0, length=0):
        """A part of the memory, for Domain.map() and Token.map()"""
        return abi.wdm_iommu_memory(MemoryType.MDL, self.handle, fit(c_uint64, offset),
                                    fit(c_uint64, length))


def user_memory(address, length):
    """Memory of this process that a map pins until it is unmapped"""
    return abi.wdm_iommu_memory(MemoryType.USER, 0, fit(c_uint64, address), fit(c_uint64, length))


def _memory(what):
    if isinstance(what, Mdl):
        return what.memory()
    if isinstance(what, Buffer):
        return user_memory(what.address, what.length)
    return what


def _limits(address, minimum, maximum):
    flags = AddressFlag(0)
    if address is not None:
        flags |= AddressFlag.EXPLICIT
    if minimum is not None:
        flags |= AddressFlag.MIN
    if maximum is not None:
        flags |= AddressFlag.MAX
    return flags, minimum or 0, maximum or 0


class _AnyDomain(_Object):
    """Methods of all domains"""

    def attach(self, device):
        """Attach a device, whose DMA the domain translates from now on."""
        check("cannot attach the device", lib.wdm_attach(self._fd, self.handle, device.handle))
        return _Attachment(device)

    def query(self):
        """State of the domain: a wdm_iommu_query_domain"""
        answer = abi.wdm_iommu_query_domain()
        check("cannot query the domain", lib.wdm_query_domain_sized(
            self._fd, self.handle, byref(answer), ctypes.sizeof(answer)))
        return answer

    def mappings(self, what=Query.LOGICAL):
        """Iterate over the mappings, by address."""
        start, room = c_uint64(0), 64
        found = (abi.wdm_iommu_mapping * room)()
        while start.value != 2**64 - 1:
            number = c_uint32(room)
            check("cannot query mappings", lib.wdm_query_mappings(
                self._fd, self.handle, what, byref(start), found, byref(number)))
            for m in found[:number.value]:
                yield Mapping(m.address, m.length, m.offset, m.mdl, Permission(m.permissions))
            if not number.value:
                return

    def ranges(self):
        """Addresses that can be mapped: Ranges"""
        return self.iommu.ranges(self)


class _Attachment:
    """An attached device; a context manager, which detaches it."""

    def __init__(self, device):
        self._device = device

    def __enter__(self):
        return self._device

    def __exit__(self, *_):
        if self._device.handle:
            self._device.detach()


class Domain(_AnyDomain):
    """A domain that maps on request; Iommu.create_domain() makes one."""

    def map(self, what, address=None, permissions=RW, minimum=None, maximum=None):
        """Map memory: an Mdl, a Buffer, Mdl.memory() or user_memory().

        Without an address, the domain chooses one within the limits. Returns the address.
        """
        flags, low, high = _limits(address, minimum, maximum)
        where = fit(c_uint64, address or 0)
        check("cannot map", lib.wdm_map_ex(
            self._fd, self.handle, permissions, byref(_memory(what)), byref(where), flags,
            low, high))
        return where.value

    def unmap(self, address, length):
        """Unmap a range, all of which must be mapped."""
        check("cannot unmap", lib.wdm_unmap(self._fd, self.handle, address, length))

    def map_identity(self, mdl, permissions=RW, offset=0, length=0):
        """Map each page at its physical address; needs CAP_SYS_RAWIO."""
        check("cannot map at physical addresses", lib.wdm_map_identity(
            self._fd, self.handle, permissions, mdl.handle, offset, length))

    def unmap_identity(self, mdl, offset=0, length=0):
        """Undo map_identity()."""
        check("cannot unmap physical addresses", lib.wdm_unmap_identity(
            self._fd, self.handle, mdl.handle, offset, length))

    def reserve(self, length, address=None, minimum=None, maximum=None):
        """Reserve logical addresses, and return a Token."""
        flags, low, high = _limits(address, minimum, maximum)
        where, handle = fit(c_uint64, address or 0), c_uint32()
        check("cannot reserve addresses", lib.wdm_reserve(
            self._fd, self.handle, length, byref(where), flags, low, high, byref(handle)))
        return Token(self.iommu, handle.value, where.value, length)


class Token(_Object):
    """Reserved logical addresses; Domain.reserve() makes one."""

    def __init__(self, iommu, handle, address, length):
        super().__init__(iommu, handle)
        self.address = address
        self.length = length

    def map(self, what, offset=0, permissions=RW):
        """Map memory, as for Domain.map(), as a segment at an offset."""
        check("cannot map a segment", lib.wdm_map_reserved(
            self._fd, self.handle, offset, permissions, byref(_memory(what))))

    def unmap(self, offset, length):
        """Unmap a segment."""
        check("cannot unmap a segment", lib.wdm_unmap_reserved(
            self._fd, self.handle, offset, length))


class CallerDomain(_AnyDomain):
    """A domain with the caller's page tables; Iommu.create_caller_domain() makes one."""

    def add_memory(self, mdl, address, permissions=RW, offset=0, length=0):
        """Add memory to the address space to which page tables refer."""
        check("cannot add memory", lib.wdm_memory_add(
            self._fd, self.handle, permissions, mdl.handle, offset, length, address))

    def remove_memory(self, address, length):
        """Undo add_memory()."""
        check("cannot remove memory", lib.wdm_memory_remove(
            self._fd, self.handle, address, length))

    def configure(self, tables):
        """Configure page tables, given as Tables."""
        self._walk("cannot use the page tables", lib.wdm_tables_configure,
                   byref(tables.c), self._fd, self.handle)

    def bypass(self):
        """Turn translation off: devices use the address space of add_memory() directly."""
        self._walk("cannot bypass translation", lib.wdm_configure_bypass, self._fd, self.handle)

    def flush(self, addresses=None, last_level=False):
        """Apply changes of the page tables: of all, or only for some addresses."""
        if addresses is None:
            self._walk("cannot flush", lib.wdm_flush, self._fd, self.handle)
            return
        addresses = [fit(c_uint64, address) for address in addresses]
        self._walk("cannot flush", lib.wdm_flush_va_list, self._fd, self.handle, last_level,
                   (c_uint64 * len(addresses))(*addresses), len(addresses))

    @staticmethod
    def _walk(what, function, *arguments):
        error = abi.wdm_iommu_walk_error()
        status = function(*arguments, byref(error))
        check(what, status, error if error.count else None)


class Iommu:
    """An open /dev/wdm_iommu; a context manager, which closes it.

    Closing it detaches every device, removes every map and unpins every page.
    """

    def __init__(self):
        self._fd = lib.wdm_open()
        if self._fd < 0:
            number = ctypes.get_errno()
            raise WdmError(number, f"cannot open {abi.PATH}: {os.strerror(number)}")

    def fileno(self):
        """The file descriptor, for select() and the like"""
        return self._fd

    def close(self):
        """Close it."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def info(self):
        """Abilities of the kernel and the module: a wdm_iommu_info"""
        answer = abi.wdm_iommu_info()
        check("cannot query the module",
              lib.wdm_info_sized(self._fd, byref(answer), ctypes.sizeof(answer)))
        return answer

    def create_domain(self, kind=None, width=0, regions=(), page_granular=False):
        """Create a Domain.

        kind is a DomainType. With a width, the domain chooses addresses of so many bits.
        regions are (start, length, should_map) that maps leave alone.
        """
        handle = c_uint32()
        if kind is None and not width and not regions:
            flags = DomainFlag.PAGE_GRANULAR if page_granular else DomainFlag(0)
            status = lib.wdm_domain_create(self._fd, True, flags, byref(handle))
        elif page_granular:
            raise ValueError("page_granular excludes the other arguments")
        else:
            array = (abi.wdm_iommu_region * len(regions))(
                *(abi.wdm_iommu_region(fit(c_uint64, start), fit(c_uint64, length),
                                       bool(should_map))
                  for start, length, should_map in regions))
            status = lib.wdm_domain_create_ex(self._fd, kind or DomainType.TRANSLATE, width,
                                              array, len(regions), byref(handle))
        check("cannot create a domain", status)
        return Domain(self, handle.value)

    def create_caller_domain(self):
        """Create a CallerDomain."""
        handle = c_uint32()
        check("cannot create a domain",
              lib.wdm_domain_create(self._fd, False, 0, byref(handle)))
        return CallerDomain(self, handle.value)

    def pin(self, what, length=None, access=RW):
        """Pin memory, a Buffer or an address with a length, and return an Mdl."""
        address = what.address if isinstance(what, Buffer) else what
        length = what.length if length is None else length
        handle = c_uint32()
        check("cannot pin memory",
              lib.wdm_mdl_create(self._fd, address, length, access, byref(handle)))
        return Mdl(self, handle.value, address, length, what)

    def open_device(self, name):
        """Open a PCI device through VFIO, and return a Device."""
        from .device import Device
        return Device(self, name)

    def ranges(self, what):
        """Addresses that can be mapped in a domain, or for a device: Ranges"""
        query = abi.wdm_iommu_query_ranges(number=8)
        status = 0xC0000023     # STATUS_BUFFER_TOO_SMALL
        # Devices may be attached between the calls
        while status == 0xC0000023:
            found = (abi.wdm_iommu_range * query.number)()
            status = lib.wdm_query_ranges_sized(self._fd, what.handle, found, byref(query),
                                                ctypes.sizeof(query))
        check("cannot query ranges", status)
        return Ranges([Range(r.start, r.last, abi.RangeKind(r.kind))
                       for r in found[:query.number]],
                      query.aperture_start, query.aperture_end, query.page_sizes)

    def events(self, timeout=None):
        """Iterate over events, waiting up to timeout seconds for each; None: no limit."""
        poll = select.poll()
        poll.register(self._fd, select.POLLIN)
        record = (abi.wdm_iommu_event * 1)()
        while poll.poll(None if timeout is None else timeout * 1000):
            if lib.wdm_read_events_sized(self._fd, record, 1, ctypes.sizeof(record[0])) < 0:
                number = ctypes.get_errno()
                raise WdmError(number, f"cannot read events: {os.strerror(number)}")
            event = _event(record[0])
            if event:
                yield event


def _event(e):
    """Convert an event to the tuple of its type; None if the type is newer than this."""
    if e.type == abi.EventType.LOST:
        return Lost(e.time, e.lost.number)
    if e.type == abi.EventType.FAULT:
        return Fault(e.time, e.device, e.domain, e.fault.address,
                     bool(e.fault.flags & abi.FaultFlag.WRITE), e.fault.kind)
    if e.type == abi.EventType.DEVICE_REVOKED:
        return DeviceRevoked(e.time, e.device)
    if e.type == abi.EventType.DOMAIN_TYPES:
        types = {t for t in DomainType if e.domain_types.available & 1 << t}
        return DomainTypesChanged(e.time, e.device, types)
    return None
