/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The part of iommufd's interface that benchmark and tests use: the headers of Debian 12 are
 * older than iommufd.
 */
#ifndef IOMMUFD_ABI_H
#define IOMMUFD_ABI_H

#include <linux/ioctl.h>
#include <linux/types.h>
#include <linux/vfio.h>

#define ABI_DESTROY		_IO(';', 0x80)
#define ABI_IOAS_ALLOC		_IO(';', 0x81)
#define ABI_IOAS_COPY		_IO(';', 0x83)
#define ABI_IOAS_MAP		_IO(';', 0x85)
#define ABI_IOAS_UNMAP		_IO(';', 0x86)
#define ABI_HWPT_ALLOC		_IO(';', 0x89)

/* Flags of IOAS_MAP and IOAS_COPY: at the given address, readable and writable */
#define ABI_FIXED_READ_WRITE	7

struct abi_destroy {
	__u32 size;
	__u32 id;
};

struct abi_ioas_alloc {
	__u32 size;
	__u32 flags;
	__u32 ioas;
};

struct abi_ioas_map {
	__u32 size;
	__u32 flags;
	__u32 ioas;
	__u32 reserved;
	__aligned_u64 address;
	__aligned_u64 length;
	__aligned_u64 iova;
};

struct abi_ioas_copy {
	__u32 size;
	__u32 flags;
	__u32 to_ioas;
	__u32 from_ioas;
	__aligned_u64 length;
	__aligned_u64 to_iova;
	__aligned_u64 from_iova;
};

struct abi_ioas_unmap {
	__u32 size;
	__u32 ioas;
	__aligned_u64 iova;
	__aligned_u64 length;
};

struct abi_hwpt_alloc {
	__u32 size;
	__u32 flags;
	__u32 device;
	__u32 parent;
	__u32 hwpt;
	__u32 reserved;
	__u32 data_type;
	__u32 data_length;
	__aligned_u64 data;
	__u32 fault;
	__u32 reserved2;
};

#define ABI_BIND_IOMMUFD	_IO(VFIO_TYPE, VFIO_BASE + 18)
#define ABI_ATTACH_PT		_IO(VFIO_TYPE, VFIO_BASE + 19)
#define ABI_DETACH_PT		_IO(VFIO_TYPE, VFIO_BASE + 20)

struct abi_bind_iommufd {
	__u32 argsz;
	__u32 flags;
	__s32 iommufd;
	__u32 device;
};

struct abi_attach_pt {
	__u32 argsz;
	__u32 flags;
	__u32 id;
};

struct abi_detach_pt {
	__u32 argsz;
	__u32 flags;
};

#endif
