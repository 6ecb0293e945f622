# SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
"""libwdm_iommu.so.0, and its errors as exceptions."""
import ctypes
import os
from ctypes import POINTER, byref, c_bool, c_char_p, c_int, c_size_t, c_uint, c_uint32, c_uint64
from ctypes import c_uint8, c_void_p

from . import abi

_U32P = POINTER(c_uint32)
_U64P = POINTER(c_uint64)
_ERROR = POINTER(abi.wdm_error)
_WALK = POINTER(abi.wdm_iommu_walk_error)

# name: (result, arguments). NTSTATUS marks functions that return one.
NTSTATUS = c_uint32
_PROTOTYPES = {
    "wdm_open": (c_int, []),
    "wdm_status_name": (c_char_p, [c_uint32]),
    "wdm_status_text": (c_char_p, [c_uint32]),
    "wdm_status_cure": (c_char_p, [c_uint32]),
    "wdm_status_errno": (c_int, [c_uint32]),
    "wdm_info_sized": (NTSTATUS, [c_int, POINTER(abi.wdm_iommu_info), c_size_t]),
    "wdm_destroy": (NTSTATUS, [c_int, c_uint32]),
    "wdm_domain_create": (NTSTATUS, [c_int, c_bool, c_uint32, _U32P]),
    "wdm_domain_create_ex": (NTSTATUS, [c_int, c_uint32, c_uint32,
                                        POINTER(abi.wdm_iommu_region), c_uint32, _U32P]),
    "wdm_attach": (NTSTATUS, [c_int, c_uint32, c_uint32]),
    "wdm_detach": (NTSTATUS, [c_int, c_uint32]),
    "wdm_mdl_create": (NTSTATUS, [c_int, c_void_p, c_uint64, c_uint32, _U32P]),
    "wdm_map": (NTSTATUS, [c_int, c_uint32, c_uint32, c_uint32, c_uint64, c_uint64, c_uint64]),
    "wdm_map_ex": (NTSTATUS, [c_int, c_uint32, c_uint32, POINTER(abi.wdm_iommu_memory), _U64P,
                              c_uint32, c_uint64, c_uint64]),
    "wdm_map_identity": (NTSTATUS, [c_int, c_uint32, c_uint32, c_uint32, c_uint64, c_uint64]),
    "wdm_unmap": (NTSTATUS, [c_int, c_uint32, c_uint64, c_uint64]),
    "wdm_unmap_identity": (NTSTATUS, [c_int, c_uint32, c_uint32, c_uint64, c_uint64]),
    "wdm_reserve": (NTSTATUS, [c_int, c_uint32, c_uint64, _U64P, c_uint32, c_uint64, c_uint64,
                               _U32P]),
    "wdm_map_reserved": (NTSTATUS, [c_int, c_uint32, c_uint64, c_uint32,
                                    POINTER(abi.wdm_iommu_memory)]),
    "wdm_unmap_reserved": (NTSTATUS, [c_int, c_uint32, c_uint64, c_uint64]),
    "wdm_memory_add": (NTSTATUS, [c_int, c_uint32, c_uint32, c_uint32, c_uint64, c_uint64,
                                  c_uint64]),
    "wdm_memory_remove": (NTSTATUS, [c_int, c_uint32, c_uint64, c_uint64]),
    "wdm_configure_bypass": (NTSTATUS, [c_int, c_uint32, _WALK]),
    "wdm_flush": (NTSTATUS, [c_int, c_uint32, _WALK]),
    "wdm_flush_va_list": (NTSTATUS, [c_int, c_uint32, c_bool, _U64P, c_uint32, _WALK]),
    "wdm_query_domain_sized": (NTSTATUS, [c_int, c_uint32, POINTER(abi.wdm_iommu_query_domain),
                                          c_size_t]),
    "wdm_query_device_sized": (NTSTATUS, [c_int, c_uint32, POINTER(abi.wdm_iommu_query_device),
                                          c_size_t]),
    "wdm_query_mappings": (NTSTATUS, [c_int, c_uint32, c_uint32, _U64P,
                                      POINTER(abi.wdm_iommu_mapping), _U32P]),
    "wdm_query_ranges_sized": (NTSTATUS, [c_int, c_uint32, POINTER(abi.wdm_iommu_range),
                                          POINTER(abi.wdm_iommu_query_ranges), c_size_t]),
    "wdm_set_fault_reporting": (NTSTATUS, [c_int, c_uint32, c_bool]),
    "wdm_read_events_sized": (c_int, [c_int, POINTER(abi.wdm_iommu_event), c_size_t, c_size_t]),
    "wdm_vfio_open": (c_void_p, [c_int, c_char_p, _ERROR]),
    "wdm_vfio_open_beside": (c_void_p, [c_void_p, c_int, c_char_p, _ERROR]),
    "wdm_vfio_close": (None, [c_void_p]),
    "wdm_vfio_handle": (c_uint32, [c_void_p]),
    "wdm_vfio_group": (c_int, [c_void_p]),
    "wdm_vfio_address": (None, [c_void_p, POINTER(abi.wdm_pci_address)]),
    "wdm_vfio_reset": (c_bool, [c_void_p, _ERROR]),
    "wdm_vfio_hot_reset": (c_bool, [c_void_p, POINTER(c_void_p), c_uint, _ERROR]),
    "wdm_vfio_hot_reset_list": (c_int, [c_void_p, POINTER(POINTER(abi.wdm_pci_address)), _ERROR]),
    "wdm_bar_info": (c_bool, [c_void_p, c_uint, POINTER(abi.wdm_bar_info), _ERROR]),
    "wdm_bar_map": (c_void_p, [c_void_p, c_uint, c_uint64, c_uint64, _ERROR]),
    "wdm_bar_read": (c_bool, [c_void_p, c_uint, c_uint64, c_void_p, c_size_t, _ERROR]),
    "wdm_bar_write": (c_bool, [c_void_p, c_uint, c_uint64, c_void_p, c_size_t, _ERROR]),
    "wdm_config_read": (c_bool, [c_void_p, c_uint, c_void_p, c_size_t, _ERROR]),
    "wdm_config_write": (c_bool, [c_void_p, c_uint, c_void_p, c_size_t, _ERROR]),
    "wdm_config_capability": (c_uint, [c_void_p, c_uint8]),
    "wdm_bus_master": (c_bool, [c_void_p, c_bool, _ERROR]),
    "wdm_irq_count": (c_int, [c_void_p, c_int, _ERROR]),
    "wdm_irq_enable": (c_bool, [c_void_p, c_int, c_uint, c_uint, POINTER(c_int), _ERROR]),
    "wdm_irq_disable": (c_bool, [c_void_p, c_int, _ERROR]),
    "wdm_irq_mask": (c_bool, [c_void_p, _ERROR]),
    "wdm_irq_unmask": (c_bool, [c_void_p, _ERROR]),
    "wdm_irq_unmask_eventfd": (c_bool, [c_void_p, c_int, _ERROR]),
    "wdm_tables_init": (None, [POINTER(abi.wdm_tables), POINTER(abi.wdm_table_format), c_uint,
                               c_void_p, c_size_t, c_uint64]),
    "wdm_tables_entry": (_U64P, [POINTER(abi.wdm_tables), c_uint64, c_uint, c_bool]),
    "wdm_tables_map": (c_bool, [POINTER(abi.wdm_tables), c_uint64, c_uint64, c_uint, c_uint32]),
    "wdm_tables_configure": (NTSTATUS, [POINTER(abi.wdm_tables), c_int, c_uint32, _WALK]),
    "wdm_edu_present": (c_bool, [c_void_p]),
    "wdm_edu_read": (c_bool, [c_void_p, c_uint64, c_size_t, c_size_t]),
    "wdm_edu_write": (c_bool, [c_void_p, c_uint64, c_size_t, c_size_t]),
}


def fit(kind, value):
    """An integer as a ctypes type, which would truncate it silently"""
    number = kind(value)
    if number.value != value:
        raise OverflowError(f"{value:#x} does not fit into {8 * ctypes.sizeof(kind)} bits")
    return number


class _Checked:
    """The type of an argument, in which integers must fit"""

    def __init__(self, kind):
        self._kind = kind
        self._integer = c_size_t if kind is c_void_p else kind

    def from_param(self, value):
        """Convert an argument. ctypes makes an ArgumentError of any exception."""
        if isinstance(value, int):
            fit(self._integer, value)
        return self._kind.from_param(value)


_CHECKED = {kind: _Checked(kind)
            for kind in (c_int, c_size_t, c_uint, c_uint8, c_uint32, c_uint64, c_void_p)}


def _load():
    library = ctypes.CDLL(os.environ.get("WDM_IOMMU_LIBRARY", "libwdm_iommu.so.0"),
                          use_errno=True)
    for name, (result, arguments) in _PROTOTYPES.items():
        function = getattr(library, name)
        function.restype = result
        function.argtypes = [_CHECKED.get(kind, kind) for kind in arguments]
    return library


lib = _load()


class Status(int):
    """An NTSTATUS, which prints as its name."""

    @property
    def name(self):
        """STATUS_..., or a phrase if the library does not know the status"""
        return lib.wdm_status_name(self).decode()

    @property
    def text(self):
        """Meaning of the status"""
        return lib.wdm_status_text(self).decode()

    @property
    def cure(self):
        """A remedy, or an empty string"""
        return (lib.wdm_status_cure(self) or b"").decode()

    def __str__(self):
        return self.name

    def __repr__(self):
        return f"<{self.name} 0x{int(self):08x}>"


class WdmError(OSError):
    """A call that failed.

    status is its NTSTATUS, a Status, or None if there is none; errno its errno; walk_error
    the first invalid entry of the caller's page tables, if that is what failed.
    """

    def __init__(self, number, text, status=None, walk_error=None):
        super().__init__(number, text)
        self.status = status
        self.walk_error = walk_error

    def __str__(self):
        return self.strerror


def check(what, status, walk_error=None):
    """Raise WdmError unless an NTSTATUS is success."""
    if not status:
        return
    number = ctypes.get_errno()
    if status == abi.STATUS_NONE:
        raise WdmError(number, f"{what}: {os.strerror(number)}")
    status = Status(status)
    cure = f". {status.cure}" if status.cure else ""
    raise WdmError(number or lib.wdm_status_errno(status),
                   f"{what}: {status.name}: {status.text}{cure}", status, walk_error)


def call(name, *arguments):
    """Call a function whose last argument is a wdm_error, which is raised on failure."""
    error = abi.wdm_error()
    result = getattr(lib, name)(*arguments, byref(error))
    failed = result < 0 if isinstance(result, int) and not isinstance(result, bool) else not result
    if failed:
        status = None if error.status == abi.STATUS_NONE else Status(error.status)
        raise WdmError(error.error, error.text.decode(errors="replace"), status)
    return result
