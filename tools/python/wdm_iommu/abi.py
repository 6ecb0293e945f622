# SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
"""Structures and numbers of <linux/wdm_iommu.h> and <wdm_iommu_user.h>.

tests/test_abi.py compares them with what a C compiler makes of the headers.
"""
from ctypes import (
    CFUNCTYPE, POINTER, Structure, Union, c_char, c_char_p, c_int, c_int32, c_size_t, c_uint,
    c_uint8, c_uint16, c_uint32, c_uint64)
from enum import IntEnum, IntFlag

PAGE_SIZE = 4096
PATH = "/dev/wdm_iommu"

# The call failed before it could write an NTSTATUS
STATUS_NONE = 0xffffffff

EDU_BUFFER = 4095


class Permission(IntFlag):
    """enum wdm_iommu_permissions"""
    READ = 1
    WRITE = 2


class Format(IntEnum):
    """enum wdm_iommu_format"""
    ARM64 = 0
    X64 = 1


class DomainType(IntEnum):
    """enum wdm_iommu_domain_type"""
    TRANSLATE = 0
    PASS_THROUGH = 1
    UNMANAGED = 2
    TRANSLATE_S1 = 3


class DomainFlag(IntFlag):
    """enum wdm_iommu_domain_flags"""
    PAGE_GRANULAR = 1


class DomainState(IntFlag):
    """enum wdm_iommu_domain_state"""
    OS_MANAGED = 1
    PAGE_GRANULAR = 2
    CONFIGURED = 4
    TRANSLATING = 8


class DeviceState(IntFlag):
    """enum wdm_iommu_device_state"""
    ATTACHED = 1
    REVOKED = 2
    CAN_REPORT_FAULTS = 4
    REPORTS_FAULTS = 8
    DEFAULT_PASID = 16
    PASID_TAGGED_DMA = 32
    PASID_FAULTS_SUPPRESSED = 64


class Query(IntEnum):
    """enum wdm_iommu_query"""
    LOGICAL = 0
    CALLER = 1


class RangeKind(IntEnum):
    """enum wdm_iommu_range_kind"""
    ALLOWED = 0
    RESERVED = 1
    DIRECT = 2
    MSI = 3
    SW_MSI = 4


class EventType(IntEnum):
    """enum wdm_iommu_event_type"""
    LOST = 0
    FAULT = 1
    DEVICE_REVOKED = 2
    DOMAIN_TYPES = 3


class FaultKind(IntEnum):
    """enum wdm_iommu_fault_kind"""
    PERMISSION = 4
    TRANSLATION = 6


class FaultFlag(IntFlag):
    """enum wdm_iommu_fault_flags"""
    WRITE = 1


class MemoryType(IntEnum):
    """enum wdm_iommu_memory_type"""
    MDL = 0
    USER = 1
    PHYSICAL = 2
    FRAMES = 3


class AddressFlag(IntFlag):
    """enum wdm_iommu_address_flags"""
    EXPLICIT = 1
    MIN = 2
    MAX = 4
    IDENTITY = 8


class IrqType(IntEnum):
    """enum wdm_irq_type"""
    INTX = 0
    MSI = 1
    MSIX = 2
    ERROR = 3
    REQUEST = 4


# The prefix of each enumeration's numbers in C
PREFIXES = {
    Permission: "WDM_IOMMU_",
    Format: "WDM_IOMMU_FORMAT_",
    DomainType: "WDM_IOMMU_TYPE_",
    DomainFlag: "WDM_IOMMU_DOMAIN_",
    DomainState: "WDM_IOMMU_DOMAIN_IS_",
    DeviceState: "WDM_IOMMU_DEVICE_",
    Query: "WDM_IOMMU_QUERY_",
    RangeKind: "WDM_IOMMU_RANGE_",
    EventType: "WDM_IOMMU_EVENT_",
    FaultKind: "WDM_IOMMU_FAULT_",
    FaultFlag: "WDM_IOMMU_FAULT_",
    MemoryType: "WDM_IOMMU_MEMORY_",
    AddressFlag: "WDM_IOMMU_ADDRESS_",
    IrqType: "WDM_IRQ_",
}

# Numbers whose names differ in C
C_NAMES = {
    DeviceState.ATTACHED: "WDM_IOMMU_DEVICE_IS_ATTACHED",
    DeviceState.REVOKED: "WDM_IOMMU_DEVICE_IS_REVOKED",
}


def _structure(name, *fields):
    return type(name, (Structure,), {"_fields_": list(fields), "__slots__": ()})


def _u32(*names):
    return [(name, c_uint32) for name in names]


def _u64(*names):
    return [(name, c_uint64) for name in names]


wdm_error = _structure("wdm_error", ("error", c_int), ("status", c_uint32), ("text", c_char * 248))

wdm_iommu_info = _structure(
    "wdm_iommu_info",
    *_u32("size", "status", "interface_version", "flags", "page_size", "formats"),
    *_u64("max_mdl_length"),
    *_u32("max_va_list", "max_batch", "max_events", "event_size", "max_regions", "reserved"))

wdm_iommu_walk_error = _structure(
    "wdm_iommu_walk_error",
    *_u64("count"), *_u32("level", "reserved"), *_u64("logical_address", "entry"))

wdm_iommu_query_domain = _structure(
    "wdm_iommu_query_domain",
    *_u32("size", "status", "domain", "flags", "devices", "hwpts"),
    *_u64("mapped_pages", "translated_bytes", "shadow_tables", "invalid_entries",
          "aperture_start", "aperture_end"))

wdm_iommu_query_device = _structure(
    "wdm_iommu_query_device",
    *_u32("size", "status", "device", "flags", "domain", "group", "domain_types", "max_pasids"),
    *_u64("reserved"))

wdm_iommu_mapping = _structure(
    "wdm_iommu_mapping", *_u64("address", "length", "offset"), *_u32("mdl", "permissions"))

wdm_iommu_range = _structure(
    "wdm_iommu_range", *_u64("start", "last"), *_u32("kind", "reserved"))

wdm_iommu_query_ranges = _structure(
    "wdm_iommu_query_ranges",
    *_u32("size", "status", "object", "number"),
    *_u64("ranges", "aperture_start", "aperture_end", "page_sizes"))

wdm_iommu_region = _structure(
    "wdm_iommu_region", *_u64("start", "length"), *_u32("should_map", "reserved"))

wdm_iommu_memory = _structure(
    "wdm_iommu_memory", *_u32("type", "mdl"), *_u64("address", "length"))

_lost = _structure("_lost", *_u64("number"))
_fault = _structure("_fault", *_u64("address"), *_u32("flags", "kind"))
_domain_types = _structure("_domain_types", *_u32("available", "reserved"))


class _Details(Union):
    _fields_ = [("lost", _lost), ("fault", _fault), ("domain_types", _domain_types),
                ("reserved", c_uint64 * 3)]


class wdm_iommu_event(Structure):
    """struct wdm_iommu_event"""
    _anonymous_ = ("details",)
    _fields_ = [*_u32("type", "size"), *_u64("time"), *_u32("device", "domain"),
                ("details", _Details)]


wdm_pci_address = _structure(
    "wdm_pci_address", ("segment", c_uint32), ("bus", c_uint8), ("devfn", c_uint8))

wdm_bar_info = _structure("wdm_bar_info", *_u64("size"), *_u32("flags", "reserved"))

wdm_table_format = _structure(
    "wdm_table_format",
    ("name", c_char_p), ("number", c_uint32),
    ("leaf", CFUNCTYPE(c_uint64, c_uint64, c_uint, c_uint32)),
    ("table", CFUNCTYPE(c_uint64, c_uint64)), ("target", c_uint64))

wdm_tables = _structure(
    "wdm_tables",
    ("format", POINTER(wdm_table_format)), ("memory", POINTER(c_uint64)),
    ("pages", c_size_t), ("used", c_size_t), ("caller_address", c_uint64),
    ("levels", c_uint), ("input_bits", c_uint), ("reserved", c_uint64 * 4))

STRUCTURES = [value for name, value in globals().items() if name.startswith("wdm_")]

# Sizes of accesses, and the types of those sizes
WIDTHS = {1: c_uint8, 2: c_uint16, 4: c_uint32, 8: c_uint64}
EVENTFD = c_int32
