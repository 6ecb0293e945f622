# SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
"""The DMA remapping interface of /dev/wdm_iommu.

    from wdm_iommu import Buffer, Edu, Iommu

    with Iommu() as iommu, iommu.open_device("0000:00:03.0") as device:
        domain = iommu.create_domain()
        with Buffer(1) as memory, domain.attach(device):
            domain.map(memory, 0x100000)
            memory[0:5] = b"hello"
            Edu(device).read(0x100000, 5)

A failed call raises WdmError, with the NTSTATUS, the errno and a sentence.
"""
from .abi import (
    DeviceState, DomainState, DomainType, EDU_BUFFER, EventType, FaultKind, Format, IrqType,
    PAGE_SIZE, Permission, Query, RangeKind)
from .device import Device, Edu
from .library import Status, WdmError
from .objects import (
    RW, Buffer, CallerDomain, DeviceRevoked, Domain, DomainTypesChanged, Fault, Iommu, Lost,
    Mapping, Mdl, Range, Ranges, Token, user_memory)
from .tables import LEVEL_1G, LEVEL_2M, LEVEL_4K, Tables

__all__ = [name for name in dir() if not name.startswith("_") and name not in (
    "abi", "device", "library", "objects", "tables")]
