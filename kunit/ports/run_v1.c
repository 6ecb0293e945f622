// SPDX-License-Identifier: GPL-2.0
/*
 * Run foo_v1.c, a driver for version 1 of the interface. It is included unchanged, to have
 * its structures.
 */
#include "port.h"

#include "foo_v1.c"

/* Pages of the caller's page tables: four tables, home and two pages of data */
#define TABLE_PAGES	7
#define TABLE_HOME	4
#define TABLE_DATA	5
/* What they map: entry 1 of the second level, and entry 0 of all others */
#define TABLE_IOVA	0x40000000ULL

static bool v1_start(struct port *port, PFOO_DMA foo)
{
	return EXPECT_STATUS(port, FooDmaInitialize(foo, port->pdo),
			     STATUS_SUCCESS) &&
	       EXPECT(port, foo->Attached);
}

/* Called when the device stops */
static void v1_stop(struct port *port, PFOO_DMA foo)
{
	EXPECT_STATUS(port, foo->Iommu.DeleteDomain(foo->Domain),
		      STATUS_RESOURCE_IN_USE);
	EXPECT_STATUS(port, foo->Iommu.DetachDevice(foo->Domain, foo->Pdo, 0),
		      STATUS_SUCCESS);
	EXPECT_STATUS(port, foo->Iommu.DeleteDomain(foo->Domain), STATUS_SUCCESS);
	ObDereferenceObject(foo->Pdo);
}

/* On failure, FooMapBuffer() leaves the buffer to its caller. */
static void v1_free_buffer(PFOO_BUFFER buffer)
{
	IoFreeMdl(buffer->Mdl);
	ExFreePoolWithTag(buffer->Va, FOO_TAG);
	ExFreePoolWithTag(buffer, FOO_TAG);
}

static PFOO_BUFFER v1_map(struct port *port, PFOO_DMA foo, SIZE_T size, BOOLEAN write)
{
	PFOO_BUFFER buffer = NULL;

	EXPECT_STATUS(port, FooMapBuffer(foo, size, write, &buffer), STATUS_SUCCESS);
	return port->failed ? NULL : buffer;
}

/* Start, with a buffer through which the device's internal one is accessed. */
static bool v1_start_home(struct port *port, PFOO_DMA foo)
{
	PFOO_BUFFER home;

	if (!v1_start(port, foo))
		return false;
	home = v1_map(port, foo, PAGE_SIZE, TRUE);
	if (!home) {
		v1_stop(port, foo);
		return false;
	}
	port->home = home->Va;
	port->home_iova = home->LogicalAddress;
	return true;
}

/* The first and the last page of a buffer, in both directions */
static void v1_check_buffer(struct port *port, PFOO_BUFFER buffer, BOOLEAN write)
{
	enum port_dma wanted = write ? PORT_ARRIVED : PORT_BLOCKED;
	SIZE_T last = (buffer->Pages - 1) * PAGE_SIZE;

	EXPECT(port, port_read(port, buffer->LogicalAddress, buffer->Va) == PORT_ARRIVED);
	EXPECT(port, port_write(port, buffer->LogicalAddress + last,
				buffer->Va + last) == wanted);
}

static void v1_buffers(struct port *port)
{
	static const struct {
		SIZE_T size;
		BOOLEAN write;
	} rows[] = {
		{ 1, TRUE }, { PAGE_SIZE, FALSE }, { 5 * PAGE_SIZE + 1, TRUE },
		{ SZ_1M, FALSE }, { SZ_1M, TRUE },
	};
	PFOO_BUFFER buffer[ARRAY_SIZE(rows)];
	unsigned int i;
	FOO_DMA foo;

	if (!v1_start_home(port, &foo))
		return;
	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		buffer[i] = v1_map(port, &foo, rows[i].size, rows[i].write);
		if (!buffer[i])
			goto stop;
	}
	for (i = 0; i < ARRAY_SIZE(rows); i++)
		v1_check_buffer(port, buffer[i], rows[i].write);
	/* Nothing is mapped after the last page. */
	EXPECT(port, port_write(port, foo.NextLogical, buffer[0]->Va) == PORT_BLOCKED);
	EXPECT(port, port_read(port, foo.NextLogical, buffer[0]->Va) == PORT_BLOCKED);
stop:
	FooUnmapAll(&foo);
	v1_stop(port, &foo);
}

/* After one buffer is unmapped, the device reaches all others. */
static void v1_unmap(struct port *port)
{
	PFOO_BUFFER a, b, c;
	FOO_DMA foo;

	if (!v1_start_home(port, &foo))
		return;
	a = v1_map(port, &foo, PAGE_SIZE, TRUE);
	b = v1_map(port, &foo, 4 * PAGE_SIZE, TRUE);
	c = v1_map(port, &foo, PAGE_SIZE, TRUE);
	if (!a || !b || !c)
		goto stop;
	v1_check_buffer(port, b, TRUE);
	EXPECT_STATUS(port, foo.Iommu.UnmapLogicalRange(foo.Domain, b->LogicalAddress,
							b->Pages),
		      STATUS_SUCCESS);
	EXPECT(port, port_write(port, b->LogicalAddress, b->Va) == PORT_BLOCKED);
	EXPECT(port, port_read(port, b->LogicalAddress, b->Va) == PORT_BLOCKED);
	v1_check_buffer(port, a, TRUE);
	v1_check_buffer(port, c, TRUE);
	/* It can be mapped again, at another address and at the same one. */
	EXPECT_STATUS(port, foo.Iommu.MapLogicalRange(foo.Domain, IOMMU_ACCESS_READ,
						      b->Mdl, b->LogicalAddress),
		      STATUS_SUCCESS);
	v1_check_buffer(port, b, FALSE);
stop:
	FooUnmapAll(&foo);
	v1_stop(port, &foo);
}

/* Logical and physical addresses are the same. */
static void v1_identity(struct port *port)
{
	PFOO_BUFFER buffer;
	PHYSICAL_ADDRESS physical;
	FOO_DMA foo;

	if (!v1_start_home(port, &foo))
		return;
	buffer = v1_map(port, &foo, PAGE_SIZE, FALSE);
	if (!buffer)
		goto stop;
	physical = MmGetPhysicalAddress(buffer->Va);
	EXPECT(port, port_read(port, physical.QuadPart, buffer->Va) == PORT_BLOCKED);
	EXPECT_STATUS(port, foo.Iommu.MapIdentityRange(foo.Domain,
						       IOMMU_ACCESS_READ | IOMMU_ACCESS_WRITE,
						       buffer->Mdl),
		      STATUS_SUCCESS);
	EXPECT(port, port_read(port, physical.QuadPart, buffer->Va) == PORT_ARRIVED);
	EXPECT(port, port_write(port, physical.QuadPart, buffer->Va) == PORT_ARRIVED);
	EXPECT_STATUS(port, foo.Iommu.UnmapIdentityRange(foo.Domain, buffer->Mdl),
		      STATUS_SUCCESS);
	EXPECT(port, port_write(port, physical.QuadPart, buffer->Va) == PORT_BLOCKED);
stop:
	FooUnmapAll(&foo);
	v1_stop(port, &foo);
}

/* An OS-managed domain refuses the driver's tables, and is unchanged. */
static void v1_own_tables_refused(struct port *port)
{
	PHYSICAL_ADDRESS root;
	PFOO_BUFFER buffer;
	FOO_DMA foo;
	ULONGLONG va = 0;

	if (!v1_start_home(port, &foo))
		return;
	buffer = v1_map(port, &foo, PAGE_SIZE, TRUE);
	if (!buffer)
		goto stop;
	root = MmGetPhysicalAddress(buffer->Va);
	EXPECT_STATUS(port, FooConfigureOwnTables(&foo, root, DomainConfigurationX64),
		      STATUS_INVALID_PARAMETER_1);
	EXPECT_STATUS(port, FooConfigureOwnTables(&foo, root, DomainConfigurationArm64),
		      STATUS_INVALID_PARAMETER_1);
	EXPECT_STATUS(port, foo.Iommu.FlushDomain(foo.Domain), STATUS_INVALID_PARAMETER_1);
	EXPECT_STATUS(port, foo.Iommu.FlushDomainByVaList(foo.Domain, TRUE, 1, &va),
		      STATUS_INVALID_PARAMETER_1);
	v1_check_buffer(port, buffer, TRUE);
stop:
	FooUnmapAll(&foo);
	v1_stop(port, &foo);
}

/* From a report of the IOMMU to FooFault() */
static void v1_faults(struct port *port)
{
	DEVICE_FAULT_CONFIGURATION config = { .FaultHandler = FooFault };
	PDEVICE_OBJECT dev = port->pdo;
	unsigned int i;
	NTSTATUS status;
	FOO_DMA foo;

	if (!v1_start(port, &foo))
		return;
	config.FaultContext = &foo;
	status = foo.Iommu.SetDeviceFaultReporting(dev, 0, TRUE, &config);
	if (status == STATUS_NOT_SUPPORTED) {
		port->skipped = "this IOMMU driver reports no faults";
		goto stop;
	}
	EXPECT_STATUS(port, status, STATUS_SUCCESS);
	port_fault(port, 0xabcde000);
	for (i = 0; i < 10000 && !foo.Faults; i++)
		port_sleep(1);
	EXPECT(port, foo.Faults == 1);
	EXPECT_STATUS(port, foo.Iommu.SetDeviceFaultReporting(dev, 0, FALSE, NULL),
		      STATUS_SUCCESS);
	port_fault(port, 0xabcde000);
	port_sleep(100);
	EXPECT(port, foo.Faults == 1);
stop:
	v1_stop(port, &foo);
}

/**
 * struct v1_caller - a driver that owns its page tables
 * @foo: the driver
 * @memory: TABLE_PAGES pages: tables of four levels, then the pages that they map
 */
struct v1_caller {
	FOO_DMA foo;
	u8 *memory;
};

static u64 *v1_table(struct v1_caller *caller, unsigned int nr)
{
	return (u64 *)(caller->memory + nr * PAGE_SIZE);
}

static PHYSICAL_ADDRESS v1_physical(struct v1_caller *caller, unsigned int nr)
{
	return MmGetPhysicalAddress(v1_table(caller, nr));
}

static void v1_fill_tables(struct v1_caller *caller, u64 bits)
{
	static const unsigned int entry[] = { 0, 1, 0 };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(entry); i++)
		v1_table(caller, i)[entry[i]] = v1_physical(caller, i + 1).QuadPart | bits;
	v1_table(caller, 3)[0] = v1_physical(caller, TABLE_HOME).QuadPart | bits;
	v1_table(caller, 3)[1] = v1_physical(caller, TABLE_DATA).QuadPart | bits;
}

/* FooDmaInitialize() for the other kind of domain */
static bool v1_caller_start(struct port *port, struct v1_caller *caller)
{
	PFOO_DMA foo = &caller->foo;

	RtlZeroMemory(caller, sizeof(*caller));
	InitializeListHead(&foo->Buffers);
	KeInitializeSpinLock(&foo->Lock);
	foo->Pdo = port->pdo;
	caller->memory = ExAllocatePool2(POOL_FLAG_NON_PAGED, TABLE_PAGES * PAGE_SIZE,
					 FOO_TAG);
	if (!EXPECT(port, caller->memory) ||
	    !EXPECT_STATUS(port, IoGetIommuInterface(DMA_IOMMU_INTERFACE_VERSION,
						     &foo->Iommu),
			   STATUS_SUCCESS) ||
	    !EXPECT_STATUS(port, foo->Iommu.CreateDomain(FALSE, &foo->Domain),
			   STATUS_SUCCESS))
		goto free;
	if (!EXPECT_STATUS(port, foo->Iommu.AttachDevice(foo->Domain, foo->Pdo, 0, 1),
			   STATUS_SUCCESS)) {
		foo->Iommu.DeleteDomain(foo->Domain);
		goto free;
	}
	ObReferenceObject(foo->Pdo);
	port->home = v1_table(caller, TABLE_HOME);
	port->home_iova = TABLE_IOVA;
	return true;

free:
	ExFreePoolWithTag(caller->memory, FOO_TAG);
	return false;
}

static void v1_caller_stop(struct port *port, struct v1_caller *caller)
{
	v1_stop(port, &caller->foo);
	ExFreePoolWithTag(caller->memory, FOO_TAG);
}

/* Changes of the tables take effect once they are flushed. */
static void v1_check_tables(struct port *port, struct v1_caller *caller, u64 bits)
{
	PFOO_DMA foo = &caller->foo;
	ULONGLONG va = TABLE_IOVA + PAGE_SIZE;
	void *first = v1_table(caller, TABLE_DATA);
	void *second = v1_table(caller, TABLE_DATA + 1);

	EXPECT(port, port_read(port, va, first) == PORT_ARRIVED);
	EXPECT(port, port_write(port, va, first) == PORT_ARRIVED);
	EXPECT(port, port_write(port, va + PAGE_SIZE, second) == PORT_BLOCKED);

	v1_table(caller, 3)[1] = v1_physical(caller, TABLE_DATA + 1).QuadPart | bits;
	EXPECT_STATUS(port, foo->Iommu.FlushDomainByVaList(foo->Domain, TRUE, 1, &va),
		      STATUS_SUCCESS);
	EXPECT(port, port_write(port, va, second) == PORT_ARRIVED);
	v1_table(caller, 3)[1] = 0;
	EXPECT_STATUS(port, foo->Iommu.FlushDomain(foo->Domain), STATUS_SUCCESS);
	EXPECT(port, port_write(port, va, second) == PORT_BLOCKED);
	EXPECT(port, port_read(port, va, second) == PORT_BLOCKED);
}

static void v1_x64_tables(struct port *port)
{
	DOMAIN_CONFIGURATION config = { .Type = DomainConfigurationX64 };
	struct v1_caller caller;

	if (!v1_caller_start(port, &caller))
		return;
	v1_fill_tables(&caller, 0x7);
	config.X64.FirstLevelPageTableRoot = v1_physical(&caller, 0);
	config.X64.TranslationEnabled = TRUE;
	if (EXPECT_STATUS(port, caller.foo.Iommu.ConfigureDomain(caller.foo.Domain, &config),
			  STATUS_SUCCESS))
		v1_check_tables(port, &caller, 0x7);
	v1_caller_stop(port, &caller);
}

static void v1_arm64_tables(struct port *port)
{
	struct v1_caller caller;

	if (!v1_caller_start(port, &caller))
		return;
	/* Valid, accessible to EL0, accessed */
	v1_fill_tables(&caller, 0x443);
	if (EXPECT_STATUS(port, FooConfigureOwnTables(&caller.foo, v1_physical(&caller, 0),
						      DomainConfigurationArm64),
			  STATUS_SUCCESS))
		v1_check_tables(port, &caller, 0x443);
	v1_caller_stop(port, &caller);
}

/*
 * FooConfigureOwnTables() on the other architecture leaves TranslationEnabled 0: the
 * device's addresses are physical then.
 */
static void v1_bypass(struct port *port)
{
	struct v1_caller caller;
	void *data;

	if (!v1_caller_start(port, &caller))
		return;
	data = v1_table(&caller, TABLE_DATA);
	port->home_iova = v1_physical(&caller, TABLE_HOME).QuadPart;
	/* Not configured yet: all DMA blocks. */
	EXPECT(port, port_write(port, v1_physical(&caller, TABLE_DATA).QuadPart,
				data) == PORT_BLOCKED);
	if (EXPECT_STATUS(port, FooConfigureOwnTables(&caller.foo, v1_physical(&caller, 0),
						      DomainConfigurationX64),
			  STATUS_SUCCESS)) {
		EXPECT(port, port_write(port, v1_physical(&caller, TABLE_DATA).QuadPart,
					data) == PORT_ARRIVED);
		EXPECT(port, port_read(port, v1_physical(&caller, TABLE_DATA).QuadPart,
				       data) == PORT_ARRIVED);
	}
	v1_caller_stop(port, &caller);
}

/* A caller-managed domain refuses maps. */
static void v1_buffers_refused(struct port *port)
{
	struct v1_caller caller;
	PFOO_BUFFER buffer = NULL;

	if (!v1_caller_start(port, &caller))
		return;
	EXPECT_STATUS(port, FooMapBuffer(&caller.foo, PAGE_SIZE, TRUE, &buffer),
		      STATUS_INVALID_PARAMETER_1);
	EXPECT_STATUS(port, caller.foo.Iommu.MapIdentityRange(caller.foo.Domain,
							      IOMMU_ACCESS_READ, buffer->Mdl),
		      STATUS_INVALID_PARAMETER_1);
	EXPECT_STATUS(port, caller.foo.Iommu.UnmapLogicalRange(caller.foo.Domain, 0, 1),
		      STATUS_INVALID_PARAMETER_1);
	v1_free_buffer(buffer);
	v1_caller_stop(port, &caller);
}

const struct port_case port_v1_cases[] = {
	{ "V1: buffers are mapped under a spinlock, and DMA arrives", v1_buffers },
	{ "V1: an unmapped buffer is blocked, and no other", v1_unmap },
	{ "V1: identity maps", v1_identity },
	{ "V1: an OS-managed domain takes no tables", v1_own_tables_refused },
	{ "V1: faults reach the driver's handler", v1_faults },
	{ "V1: tables of x64 move DMA", v1_x64_tables },
	{ "V1: tables of ARM64 move DMA", v1_arm64_tables },
	{ "V1: DMA bypasses tables that are not enabled", v1_bypass },
	{ "V1: a caller-managed domain maps no buffers", v1_buffers_refused },
	{ }
};
