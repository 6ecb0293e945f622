// SPDX-License-Identifier: GPL-2.0
/*
 * Run foo_v2.c, a driver for versions 2 and 3 of the interface. It is included unchanged, to
 * have its structures.
 */
#include "port.h"

#include "foo_v2.c"

#define V2_READ		IOMMU_ACCESS_READ
#define V2_WRITE	(IOMMU_ACCESS_READ | IOMMU_ACCESS_WRITE)

/* The first map of FooStart2() gets the lowest address that it asks for. */
#define V2_FIRST	0x100000ULL

/* Pages of memory: home, then those that the tests map */
#define V2_PAGES	8
#define V2_BYTES	(V2_PAGES * PAGE_SIZE)

/**
 * struct v2 - the driver, and what it maps
 * @foo: the driver
 * @memory: V2_PAGES pages
 * @mdl: all of them
 */
struct v2 {
	FOO_DMA2 foo;
	u8 *memory;
	PMDL mdl;
};

static void *v2_page(struct v2 *v2, unsigned int nr)
{
	return v2->memory + nr * PAGE_SIZE;
}

static bool v2_alloc(struct port *port, struct v2 *v2)
{
	RtlZeroMemory(v2, sizeof(*v2));
	v2->memory = ExAllocatePool2(POOL_FLAG_NON_PAGED, V2_BYTES, 'oof2');
	if (!EXPECT(port, v2->memory))
		return false;
	v2->mdl = IoAllocateMdl(v2->memory, V2_BYTES, FALSE, FALSE, NULL);
	if (!EXPECT(port, v2->mdl)) {
		ExFreePool(v2->memory);
		return false;
	}
	MmBuildMdlForNonPagedPool(v2->mdl);
	port->home = v2->memory;
	return true;
}

static void v2_free(struct v2 *v2)
{
	IoFreeMdl(v2->mdl);
	ExFreePool(v2->memory);
}

static IOMMU_MAP_PHYSICAL_ADDRESS v2_range(void *va, SIZE_T size)
{
	IOMMU_MAP_PHYSICAL_ADDRESS physical = {
		.MapType = MapPhysicalAddressTypeContiguousRange,
	};

	physical.ContiguousRange.Base = MmGetPhysicalAddress(va);
	physical.ContiguousRange.Size = size;
	return physical;
}

/* Memory at an address that the domain chooses */
static NTSTATUS v2_map(struct v2 *v2, ULONG permissions, unsigned int nr, ULONGLONG *logical)
{
	IOMMU_MAP_PHYSICAL_ADDRESS physical = v2_range(v2_page(v2, nr), PAGE_SIZE);

	return v2->foo.Iommu.V2.MapLogicalRangeEx(v2->foo.Domain, permissions, &physical,
						  NULL, NULL, NULL, logical);
}

/*
 * FooStart2(), and a page through which the device's internal buffer is accessed. Skipped
 * without version 2.
 */
static bool v2_start(struct port *port, struct v2 *v2)
{
	DMA_IOMMU_INTERFACE_EX iommu;

	if (!NT_SUCCESS(IoGetIommuInterfaceEx(DMA_IOMMU_INTERFACE_EX_VERSION_2, 0, &iommu))) {
		port->skipped = "there is no version 2";
		return false;
	}
	if (!v2_alloc(port, v2))
		return false;
	if (!EXPECT_STATUS(port, FooStart2(&v2->foo, port->pdo, v2->mdl),
			   STATUS_SUCCESS)) {
		v2_free(v2);
		return false;
	}
	EXPECT_STATUS(port, v2_map(v2, V2_WRITE, 0, &port->home_iova), STATUS_SUCCESS);
	return true;
}

/* Stop the device, in the order that the contract requires. */
static void v2_stop(struct port *port, struct v2 *v2)
{
	DMA_IOMMU_INTERFACE_V2 *io = &v2->foo.Iommu.V2;

	EXPECT_STATUS(port, io->DeleteDomain(v2->foo.Domain), STATUS_RESOURCE_IN_USE);
	EXPECT_STATUS(port, io->DeleteDevice(v2->foo.Device), STATUS_RESOURCE_IN_USE);
	EXPECT_STATUS(port, io->DetachDeviceEx(v2->foo.Device), STATUS_SUCCESS);
	if (v2->foo.Token) {
		EXPECT_STATUS(port, io->DeleteDomain(v2->foo.Domain), STATUS_RESOURCE_IN_USE);
		EXPECT_STATUS(port, io->UnmapReservedLogicalRange(&v2->foo.Segment),
			      STATUS_SUCCESS);
		EXPECT_STATUS(port, io->FreeReservedLogicalAddressRange(v2->foo.Token),
			      STATUS_SUCCESS);
	}
	EXPECT_STATUS(port, io->DeleteDomain(v2->foo.Domain), STATUS_SUCCESS);
	EXPECT_STATUS(port, io->DeleteDevice(v2->foo.Device), STATUS_RESOURCE_IN_USE);
	EXPECT_STATUS(port, io->UnregisterInterfaceStateChangeCallback(FooStateChange,
								       v2->foo.Device),
		      STATUS_SUCCESS);
	EXPECT_STATUS(port, io->DeleteDevice(v2->foo.Device), STATUS_SUCCESS);
	v2_free(v2);
}

static void v2_start_stop(struct port *port)
{
	struct v2 v2;
	unsigned int i;

	if (!v2_start(port, &v2))
		return;
	EXPECT(port, v2.foo.Iommu.Version >= DMA_IOMMU_INTERFACE_EX_VERSION_2);
	EXPECT(port, v2.foo.DomainTypes & BIT(DomainTypeTranslate));
	EXPECT(port, v2.foo.DomainTypes & BIT(DomainTypeUnmanaged));
	/* The MDL is mapped for reading, at the lowest address asked for. */
	for (i = 1; i < V2_PAGES; i += V2_PAGES - 2) {
		EXPECT(port, port_read(port, V2_FIRST + i * PAGE_SIZE,
				       v2_page(&v2, i)) == PORT_ARRIVED);
		EXPECT(port, port_write(port, V2_FIRST + i * PAGE_SIZE,
					v2_page(&v2, i)) == PORT_BLOCKED);
	}
	EXPECT(port, port_write(port, V2_FIRST - PAGE_SIZE, v2_page(&v2, 1)) == PORT_BLOCKED);
	v2_stop(port, &v2);
}

/* Segments of a token are mapped and unmapped; the rest of the token blocks. */
static void v2_token(struct port *port)
{
	IOMMU_DMA_LOGICAL_ADDRESS_TOKEN_MAPPED_SEGMENT segment;
	IOMMU_MAP_PHYSICAL_ADDRESS physical;
	DMA_IOMMU_INTERFACE_V2 *io;
	struct v2 v2;
	KIRQL irql;
	u64 base;

	if (!v2_start(port, &v2))
		return;
	io = &v2.foo.Iommu.V2;
	base = v2.foo.Token->LogicalAddressBase;
	/* FooStart2() has mapped the first page at the token's third page. */
	port->home_iova = base + 2 * PAGE_SIZE;
	EXPECT(port, v2.foo.Token->Size == 16 * PAGE_SIZE);
	EXPECT(port, v2.foo.Segment.Offset == 2 * PAGE_SIZE);
	EXPECT(port, port_write(port, base, v2_page(&v2, 1)) == PORT_BLOCKED);

	physical = v2_range(v2_page(&v2, 1), 2 * PAGE_SIZE);
	EXPECT_STATUS(port, io->MapReservedLogicalRange(v2.foo.Token, PAGE_SIZE, V2_WRITE,
							&physical, &segment),
		      STATUS_RESOURCE_IN_USE);
	/* It allocates nothing, so it may be called at this level. */
	KeRaiseIrql(DISPATCH_LEVEL, &irql);
	EXPECT_STATUS(port, io->MapReservedLogicalRange(v2.foo.Token, 14 * PAGE_SIZE, V2_WRITE,
							&physical, &segment),
		      STATUS_SUCCESS);
	KeLowerIrql(irql);
	EXPECT(port, port_write(port, base + 15 * PAGE_SIZE, v2_page(&v2, 2)) == PORT_ARRIVED);
	EXPECT(port, port_read(port, base + 14 * PAGE_SIZE, v2_page(&v2, 1)) == PORT_ARRIVED);
	EXPECT_STATUS(port, io->FreeReservedLogicalAddressRange(v2.foo.Token),
		      STATUS_RESOURCE_IN_USE);
	EXPECT_STATUS(port, io->UnmapLogicalRange(v2.foo.Domain, base + 14 * PAGE_SIZE, 2),
		      STATUS_RESOURCE_IN_USE);
	KeRaiseIrql(DISPATCH_LEVEL, &irql);
	EXPECT_STATUS(port, io->UnmapReservedLogicalRange(&segment), STATUS_SUCCESS);
	KeLowerIrql(irql);
	EXPECT_STATUS(port, io->UnmapReservedLogicalRange(&segment), STATUS_INVALID_PARAMETER);
	EXPECT(port, port_write(port, base + 15 * PAGE_SIZE, v2_page(&v2, 2)) == PORT_BLOCKED);
	v2_stop(port, &v2);
}

/* Page frames in any order, at an address that becomes free when it is unmapped */
static void v2_allocator(struct port *port)
{
	IOMMU_MAP_PHYSICAL_ADDRESS physical = { .MapType = MapPhysicalAddressTypePfn };
	IOMMU_DMA_LOGICAL_ADDRESS minimum = SZ_4M, maximum = SZ_4M + 2 * PAGE_SIZE - 1;
	ULONGLONG first, second, above = SZ_1G;
	DMA_IOMMU_INTERFACE_V2 *io;
	PFN_NUMBER pfn[2];
	struct v2 v2;
	KIRQL irql;

	if (!v2_start(port, &v2))
		return;
	io = &v2.foo.Iommu.V2;
	pfn[0] = PHYS_PFN(MmGetPhysicalAddress(v2_page(&v2, 5)).QuadPart);
	pfn[1] = PHYS_PFN(MmGetPhysicalAddress(v2_page(&v2, 2)).QuadPart);
	physical.PfnArray.PageFrame = pfn;
	physical.PfnArray.NumberOfPages = 2;
	KeRaiseIrql(DISPATCH_LEVEL, &irql);
	EXPECT_STATUS(port, io->MapLogicalRangeEx(v2.foo.Domain, V2_WRITE, &physical, NULL,
						  &minimum, &maximum, &first),
		      STATUS_SUCCESS);
	EXPECT_STATUS(port, io->MapLogicalRangeEx(v2.foo.Domain, V2_WRITE, &physical, NULL,
						  &minimum, &maximum, &second),
		      STATUS_INVALID_PARAMETER_MIX);
	EXPECT_STATUS(port, io->MapLogicalRangeEx(v2.foo.Domain, V2_WRITE, &physical, &above,
						  NULL, NULL, &second),
		      STATUS_NOT_SUPPORTED);
	KeLowerIrql(irql);
	EXPECT(port, first == minimum);
	EXPECT(port, port_write(port, first, v2_page(&v2, 5)) == PORT_ARRIVED);
	EXPECT(port, port_write(port, first + PAGE_SIZE, v2_page(&v2, 2)) == PORT_ARRIVED);
	EXPECT_STATUS(port, io->UnmapLogicalRange(v2.foo.Domain, first, 2), STATUS_SUCCESS);
	EXPECT(port, port_write(port, first, v2_page(&v2, 5)) == PORT_BLOCKED);
	EXPECT_STATUS(port, io->MapLogicalRangeEx(v2.foo.Domain, V2_READ, &physical, NULL,
						  &minimum, NULL, &second),
		      STATUS_SUCCESS);
	EXPECT(port, second == first);
	EXPECT(port, port_read(port, second, v2_page(&v2, 5)) == PORT_ARRIVED);
	EXPECT(port, port_write(port, second, v2_page(&v2, 5)) == PORT_BLOCKED);
	v2_stop(port, &v2);
}

/* Wait for FooStateChange(). */
static bool v2_types(struct v2 *v2, unsigned int type, bool available)
{
	unsigned int i;

	for (i = 0; i < 10000; i++) {
		if (!(v2->foo.DomainTypes & BIT(type)) == !available)
			return true;
		port_sleep(1);
	}
	return false;
}

/* The driver follows the policy: it attaches its device to all of memory, and back. */
static void v2_pass_through(struct port *port)
{
	IOMMU_DMA_DOMAIN_CREATION_FLAGS flags = { .AsUlonglong = 0 };
	DMA_IOMMU_INTERFACE_V2 *io;
	PIOMMU_DMA_DOMAIN domain;
	struct v2 v2;
	u64 home;

	if (!v2_start(port, &v2))
		return;
	io = &v2.foo.Iommu.V2;
	home = port->home_iova;
	EXPECT(port, v2_types(&v2, DomainTypePassThrough, false));
	EXPECT_STATUS(port, io->CreateDomainEx(DomainTypePassThrough, flags, NULL, NULL, &domain),
		      STATUS_NOT_SUPPORTED);
	if (!port_allow_pass_through(port, "Y"))
		goto stop;
	EXPECT(port, v2_types(&v2, DomainTypePassThrough, true));
	if (!EXPECT_STATUS(port, io->CreateDomainEx(DomainTypePassThrough, flags, NULL, NULL,
						    &domain),
			   STATUS_SUCCESS))
		goto forbid;
	EXPECT_STATUS(port, io->AttachDeviceEx(domain, v2.foo.Device), STATUS_INVALID_PARAMETER);
	EXPECT_STATUS(port, io->DetachDeviceEx(v2.foo.Device), STATUS_SUCCESS);
	if (EXPECT_STATUS(port, io->AttachDeviceEx(domain, v2.foo.Device), STATUS_SUCCESS)) {
		port->home_iova = MmGetPhysicalAddress(port->home).QuadPart;
		EXPECT(port, port_write(port, MmGetPhysicalAddress(v2_page(&v2, 3)).QuadPart,
					v2_page(&v2, 3)) == PORT_ARRIVED);
		EXPECT_STATUS(port, io->DetachDeviceEx(v2.foo.Device), STATUS_SUCCESS);
	}
	EXPECT_STATUS(port, io->DeleteDomain(domain), STATUS_SUCCESS);
	EXPECT_STATUS(port, io->AttachDeviceEx(v2.foo.Domain, v2.foo.Device), STATUS_SUCCESS);
	port->home_iova = home;
	EXPECT(port, port_read(port, V2_FIRST + PAGE_SIZE, v2_page(&v2, 1)) == PORT_ARRIVED);
forbid:
	port_allow_pass_through(port, "N");
	EXPECT(port, v2_types(&v2, DomainTypePassThrough, false));
stop:
	v2_stop(port, &v2);
}

/* A device has one attachment, whichever version made it. */
static void v2_one_attachment(struct port *port)
{
	DMA_IOMMU_INTERFACE v1;
	struct v2 v2;

	if (!v2_start(port, &v2))
		return;
	EXPECT_STATUS(port, IoGetIommuInterface(DMA_IOMMU_INTERFACE_VERSION, &v1),
		      STATUS_SUCCESS);
	EXPECT_STATUS(port, v1.AttachDevice(v2.foo.Domain, port->pdo, 0, 1),
		      STATUS_INVALID_PARAMETER);
	EXPECT_STATUS(port, v1.DetachDevice(v2.foo.Domain, port->pdo, 0), STATUS_SUCCESS);
	EXPECT_STATUS(port, v2.foo.Iommu.V2.DetachDeviceEx(v2.foo.Device),
		      STATUS_INVALID_PARAMETER_1);
	EXPECT_STATUS(port, v1.AttachDevice(v2.foo.Domain, port->pdo, 0, 1),
		      STATUS_SUCCESS);
	EXPECT_STATUS(port, v2.foo.Iommu.V2.AttachDeviceEx(v2.foo.Domain, v2.foo.Device),
		      STATUS_INVALID_PARAMETER);
	EXPECT(port, port_read(port, V2_FIRST + PAGE_SIZE, v2_page(&v2, 1)) == PORT_ARRIVED);
	v2_stop(port, &v2);
}

/* edu does not support PASIDs, and the query says so. */
static void v3_no_pasids(struct port *port)
{
	IOMMU_DMA_DEVICE_INFORMATION info = { 7, 7, 7 };
	PIOMMU_DMA_PASID_DEVICE pasid;
	struct v2 v2;
	ULONG n = 0;

	if (!v2_start(port, &v2))
		return;
	if (v2.foo.Iommu.Version < DMA_IOMMU_INTERFACE_EX_VERSION_3) {
		port->skipped = "there is no version 3";
		goto stop;
	}
	EXPECT_STATUS(port, v2.foo.Iommu.V3.QueryDeviceInfo(v2.foo.Device, sizeof(info), &n,
							    &info),
		      STATUS_SUCCESS);
	EXPECT(port, n == sizeof(info));
	EXPECT(port, !info.DefaultPasidEnabled);
	EXPECT(port, !info.PasidTaggedDmaEnabled);
	EXPECT(port, !info.PasidFaultsSuppressed);
	EXPECT_STATUS(port, v2.foo.Iommu.V3.CreatePasidDevice(v2.foo.Device, &pasid, &n),
		      STATUS_INVALID_PARAMETER_1);
stop:
	v2_stop(port, &v2);
}

const struct port_case port_v2_cases[] = {
	{ "V2: a driver starts, its buffers move DMA, and it stops", v2_start_stop },
	{ "V2: segments of a token", v2_token },
	{ "V2: the domain chooses addresses", v2_allocator },
	{ "V2: a change of the policy reaches the driver", v2_pass_through },
	{ "V2: an attachment of version 1 is one of version 2", v2_one_attachment },
	{ "V3: a device without PASIDs", v3_no_pasids },
	{ }
};
