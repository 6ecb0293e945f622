// SPDX-License-Identifier: GPL-2.0
/*
 * Random calls of all functions of the interface, at every level at which they may be
 * called. Counts statuses that no order of the calls explains.
 *
 * The contract leaves the lifetime of domains to the caller: a domain's lock is held for
 * reading around every call that uses it, and for writing where it is freed. Everything else
 * may race; deleted devices and freed tokens are recognized.
 */
#include <linux/iommu.h>
#include <linux/mm.h>

#include "../../module/core/policy.h"
#include "../../module/status.h"
#include "fixture.h"
#include "stress.h"

const char *const stress_names[] = {
#define STRESS_NAME_V1(function)	"V1." #function,
#define STRESS_NAME_V3(function)	"V3." #function,
	INTERFACE_V1(STRESS_NAME_V1)
	INTERFACE_V3(STRESS_NAME_V3)
};

const struct stress_part stress_part[STRESS_MDLS] = {
	{ 0, STRESS_PAGES }, { 0, 1 }, { 5, 3 }, { STRESS_PAGES / 2, STRESS_PAGES / 2 },
};

/**
 * struct stress_memory - memory to map, named in one of three ways
 * @address: the memory
 * @pfn: its page frames, for one of the ways
 */
struct stress_memory {
	IOMMU_MAP_PHYSICAL_ADDRESS address;
	PFN_NUMBER pfn[4];
};

static bool stress_one_of(NTSTATUS status, const NTSTATUS *list)
{
	for (; !wdm_ok(*list); list++)
		if (status == *list)
			return true;
	return false;
}

/* Count a call; @... are the failures that an order of the calls explains. */
#define stress_count(t, fn, call, ...) ({				\
	static const NTSTATUS __may_be[] = { __VA_ARGS__, STATUS_SUCCESS };	\
	NTSTATUS __status = (call);					\
									\
	atomic_inc(&(t)->s->calls[fn]);					\
	if (wdm_ok(__status)) {						\
		atomic_inc(&(t)->s->good[fn]);				\
	} else if (!stress_one_of(__status, __may_be)) {		\
		pr_err_ratelimited("%s: %s\n", stress_names[fn],	\
				   wdm_status_name(__status));		\
		atomic_inc(&(t)->s->unexpected);			\
	}								\
	__status;							\
})

/* Call a function of the table v1 or v3. */
#define stress_call(t, table, function, args, ...)			\
	stress_count(t, STRESS_##table##_##function,			\
		     (t)->s->table.function args, __VA_ARGS__)

/* Call a function that both tables have. */
#define stress_either(t, function, args, ...)				\
	(stress_below(t, 2) ? stress_call(t, v1, function, args, __VA_ARGS__) :	\
			      stress_call(t, v3, function, args, __VA_ARGS__))

static u64 stress_below(struct stress_thread *t, u64 n)
{
	return fixture_below(&t->rng, n);
}

#define stress_any(t, array)	(&(array)[stress_below(t, ARRAY_SIZE(array))])

/* Enter one of the contexts from which maps and flushes may be called. */
static void stress_raise(struct stress_thread *t)
{
	t->level = stress_below(t, STRESS_LEVELS);
	if (t->level == STRESS_DISPATCH)
		local_bh_disable();
	else if (t->level == STRESS_LOCKED)
		spin_lock_irqsave(&t->lock, t->flags);
}

static void stress_lower(struct stress_thread *t)
{
	if (t->level == STRESS_DISPATCH)
		local_bh_enable();
	else if (t->level == STRESS_LOCKED)
		spin_unlock_irqrestore(&t->lock, t->flags);
}

/* Pick a page of the addresses that all domains use. */
static u64 stress_place(struct stress_thread *t)
{
	return STRESS_LOGICAL + stress_below(t, STRESS_SPAN) * PAGE_SIZE;
}

static void stress_choose_memory(struct stress_thread *t, struct stress_memory *memory)
{
	IOMMU_MAP_PHYSICAL_ADDRESS *address = &memory->address;
	u64 physical = virt_to_phys(t->s->memory);
	unsigned int i, part = stress_below(t, STRESS_MDLS);

	address->MapType = stress_below(t, MapPhysicalAddressTypeMax);
	if (address->MapType == MapPhysicalAddressTypeMdl) {
		address->Mdl.Mdl = t->s->mdl[part];
	} else if (address->MapType == MapPhysicalAddressTypeContiguousRange) {
		address->ContiguousRange.Base.QuadPart =
			physical + stress_part[part].first * PAGE_SIZE;
		address->ContiguousRange.Size = stress_part[part].nr * PAGE_SIZE;
	} else {
		for (i = 0; i < ARRAY_SIZE(memory->pfn); i++)
			memory->pfn[i] = PHYS_PFN(physical) + stress_below(t, STRESS_PAGES);
		address->PfnArray.PageFrame = memory->pfn;
		address->PfnArray.NumberOfPages = ARRAY_SIZE(memory->pfn);
	}
}

/* A handler may query its device. */
static void stress_fault(void *context, PFAULT_INFORMATION info)
{
	struct stress *s = context;
	ULONG types;

	s->v3.QueryAvailableDomainTypes(READ_ONCE(s->device[0].handle), &types);
	atomic_inc(&s->faults);
}

void stress_state_change(PIOMMU_INTERFACE_STATE_CHANGE change, PVOID context)
{
	atomic_inc((atomic_t *)context);
}

/* Report a fault like an IOMMU driver; the group's lock keeps the iommu_domain. */
static int stress_report_fault(struct device *dev, void *data)
{
	struct fake_iommu *fake = fake_driver_at(dev, 0);

	if (fake)
		report_iommu_fault(&fake->domain, dev, STRESS_LOGICAL, IOMMU_FAULT_WRITE);
	return 0;
}

static void stress_faults(struct stress_thread *t)
{
	DEVICE_FAULT_CONFIGURATION config = {
		.FaultHandler = stress_fault,
		.FaultContext = t->s,
	};
	unsigned int nr = stress_below(t, t->s->nr_devices);
	struct device *dev = t->s->dev[nr];
	struct iommu_group *group;

	switch (stress_below(t, 4)) {
	case 0:
		stress_call(t, v1, SetDeviceFaultReporting,
			    (dev, 0, stress_below(t, 2), &config),
			    STATUS_INVALID_PARAMETER_1, STATUS_NOT_SUPPORTED);
		break;
	case 1:
		stress_call(t, v3, SetDeviceFaultReportingEx,
			    (READ_ONCE(t->s->device[nr].handle), 0, stress_below(t, 2),
			     &config),
			    STATUS_INVALID_PARAMETER_1, STATUS_NOT_SUPPORTED,
			    STATUS_INVALID_HANDLE);
		break;
	default:
		group = iommu_group_get(t->s->dev[stress_below(t, STRESS_FAKES)]);
		iommu_group_for_each_dev(group, NULL, stress_report_fault);
		iommu_group_put(group);
	}
}

/* One of the configurations of a device; one is bad, and some need PASIDs. */
static void stress_create_device(struct stress_thread *t, unsigned int nr)
{
	IOMMU_DEVICE_CREATION_CONFIGURATION config = {
		.ConfigType = IommuDeviceCreationConfigTypePasid,
		.Pasid.ConfigType = stress_below(t, PasidConfigTypeMax + 1),
		.Pasid.SuppressPasidFaults = stress_below(t, 2),
	};
	struct stress_handle *device = &t->s->device[nr];
	PIOMMU_DMA_DEVICE handle;

	/* Otherwise an older handle may overwrite this one. */
	mutex_lock(&device->lock);
	if (wdm_ok(stress_call(t, v3, CreateDevice,
			       (t->s->dev[nr], stress_below(t, 4) ? &config : NULL, &handle),
			       STATUS_RESOURCE_IN_USE, STATUS_INVALID_PARAMETER_2)))
		WRITE_ONCE(device->handle, handle);
	mutex_unlock(&device->lock);
}

static void stress_query(struct stress_thread *t, unsigned int nr)
{
	PIOMMU_DMA_DEVICE device = READ_ONCE(t->s->device[nr].handle);
	IOMMU_DMA_DEVICE_INFORMATION info;
	INPUT_MAPPING_ELEMENT element;
	ULONG n;

	switch (stress_below(t, 3)) {
	case 0:
		stress_either(t, QueryInputMappings,
			      (t->s->dev[nr], &element, sizeof(element), NULL),
			      STATUS_UNSUCCESSFUL);
		break;
	case 1:
		stress_call(t, v3, QueryDeviceInfo, (device, sizeof(info), &n, &info),
			    STATUS_INVALID_HANDLE);
		break;
	default:
		t->s->v3.QueryAvailableDomainTypes(device, &n);
		stress_count(t, STRESS_v3_QueryAvailableDomainTypes,
			     n ? STATUS_SUCCESS : STATUS_INVALID_HANDLE,
			     STATUS_INVALID_HANDLE);
	}
}

static void stress_callbacks(struct stress_thread *t, PIOMMU_DMA_DEVICE device)
{
	IOMMU_INTERFACE_STATE_CHANGE_FIELDS fields = { .AvailableDomainTypes = 1 };

	switch (stress_below(t, 3)) {
	case 0:
		stress_call(t, v3, RegisterInterfaceStateChangeCallback,
			    (stress_state_change, &t->s->changes, device, &fields),
			    STATUS_UNSUCCESSFUL, STATUS_INVALID_HANDLE);
		break;
	case 1:
		stress_call(t, v3, UnregisterInterfaceStateChangeCallback,
			    (stress_state_change, device),
			    STATUS_UNSUCCESSFUL, STATUS_INVALID_HANDLE);
		break;
	default:
		wdm_policy_set(WDM_POLICY_PASS_THROUGH, stress_below(t, 2));
	}
}

static void stress_devices(struct stress_thread *t)
{
	unsigned int nr = stress_below(t, t->s->nr_devices);
	PIOMMU_DMA_DEVICE device = READ_ONCE(t->s->device[nr].handle);

	switch (stress_below(t, 7)) {
	case 0:
	case 1:
		stress_create_device(t, nr);
		break;
	case 2:
		stress_call(t, v3, DeleteDevice, (device), STATUS_RESOURCE_IN_USE,
			    STATUS_INVALID_HANDLE);
		break;
	case 3:
	case 4:
		stress_callbacks(t, device);
		break;
	case 5:
		stress_faults(t);
		break;
	default:
		stress_query(t, nr);
	}
}

/* All memory is mapped, including pages that are freed: a kernel may warn about that. */
static bool stress_may_attach(const struct stress_slot *slot)
{
	return slot->type != DomainTypePassThrough ||
	       !IS_ENABLED(CONFIG_IOMMU_DEBUG_PAGEALLOC);
}

static void stress_attach(struct stress_thread *t, struct stress_slot *slot)
{
	unsigned int nr = stress_below(t, t->s->nr_devices);
	PIOMMU_DMA_DEVICE device = READ_ONCE(t->s->device[nr].handle);

	switch (stress_below(t, 4)) {
	case 0:
		if (stress_may_attach(slot))
			stress_call(t, v1, AttachDevice,
				    (slot->domain, t->s->dev[nr], 0, 1),
				    STATUS_INVALID_PARAMETER, STATUS_ACCESS_DENIED);
		break;
	case 1:
		if (stress_may_attach(slot))
			stress_call(t, v3, AttachDeviceEx, (slot->domain, device),
				    STATUS_INVALID_PARAMETER, STATUS_ACCESS_DENIED,
				    STATUS_INVALID_HANDLE);
		break;
	case 2:
		stress_call(t, v1, DetachDevice, (slot->domain, t->s->dev[nr], 0),
			    STATUS_INVALID_PARAMETER_2);
		break;
	default:
		stress_call(t, v3, DetachDeviceEx, (device), STATUS_INVALID_PARAMETER_1,
			    STATUS_INVALID_HANDLE);
	}
}

static void stress_pasids(struct stress_thread *t, struct stress_slot *slot)
{
	struct stress_handle *device = &t->s->device[stress_below(t, STRESS_FAKES)];
	struct stress_handle *pasid = stress_any(t, t->s->pasid);
	PIOMMU_DMA_PASID_DEVICE handle = READ_ONCE(pasid->handle);
	ULONG asid;

	switch (stress_below(t, 6)) {
	case 0:
	case 1:
		mutex_lock(&pasid->lock);
		if (!pasid->handle &&
		    wdm_ok(stress_call(t, v3, CreatePasidDevice,
				       (READ_ONCE(device->handle), &handle, &asid),
				       STATUS_INVALID_PARAMETER_1, STATUS_INVALID_HANDLE,
				       STATUS_NONE_MAPPED)))
			WRITE_ONCE(pasid->handle, handle);
		mutex_unlock(&pasid->lock);
		break;
	case 2:
		mutex_lock(&pasid->lock);
		if (wdm_ok(stress_call(t, v3, DeletePasidDevice, (pasid->handle),
				       STATUS_RESOURCE_IN_USE, STATUS_INVALID_HANDLE)))
			WRITE_ONCE(pasid->handle, NULL);
		mutex_unlock(&pasid->lock);
		break;
	case 3:
	case 4:
		stress_call(t, v3, AttachPasidDevice, (slot->domain, handle),
			    STATUS_INVALID_PARAMETER_1, STATUS_INVALID_HANDLE,
			    STATUS_UNSUCCESSFUL, STATUS_ACCESS_DENIED);
		break;
	default:
		stress_call(t, v3, DetachPasidDevice, (handle),
			    STATUS_INVALID_PARAMETER_1, STATUS_INVALID_HANDLE);
	}
}

void stress_unmap_segments(struct stress *s, PIOMMU_DMA_LOGICAL_ADDRESS_TOKEN token)
{
	static const unsigned int pages[] = { 1, 3, 4, 16 };
	IOMMU_DMA_LOGICAL_ADDRESS_TOKEN_MAPPED_SEGMENT segment = { .OwningToken = token };
	unsigned int i, offset;

	for (offset = 0; offset < STRESS_TOKEN; offset += STRESS_OFFSET) {
		for (i = 0; i < ARRAY_SIZE(pages); i++) {
			segment.Offset = offset * PAGE_SIZE;
			segment.Size = pages[i] * PAGE_SIZE;
			s->v3.UnmapReservedLogicalRange(&segment);
		}
	}
}

static void stress_reserve(struct stress_thread *t, struct stress_handle *token,
			   PIOMMU_DMA_DOMAIN domain)
{
	u64 min = STRESS_LOGICAL, max = min + STRESS_SPAN * PAGE_SIZE - 1;
	PIOMMU_DMA_LOGICAL_ADDRESS_TOKEN handle;
	u64 logical = stress_place(t);

	mutex_lock(&token->lock);
	if (!token->handle &&
	    wdm_ok(stress_call(t, v3, ReserveLogicalAddressRange,
			       (domain, STRESS_TOKEN * PAGE_SIZE,
				stress_below(t, 2) ? &logical : NULL, &min, &max, &handle),
			       STATUS_INVALID_PARAMETER_1, STATUS_NOT_SUPPORTED,
			       STATUS_RESOURCE_IN_USE, STATUS_INVALID_PARAMETER_MIX)))
		WRITE_ONCE(token->handle, handle);
	mutex_unlock(&token->lock);
}

static void stress_tokens(struct stress_thread *t, PIOMMU_DMA_DOMAIN domain)
{
	struct stress_handle *token = stress_any(t, t->s->token);
	ULONG permissions = fixture_perms(&t->rng);
	struct stress_memory memory;
	u64 offset;

	switch (stress_below(t, 8)) {
	case 0:
		stress_reserve(t, token, domain);
		break;
	case 1:
		mutex_lock(&token->lock);
		if (stress_below(t, 2))
			stress_unmap_segments(t->s, token->handle);
		if (wdm_ok(stress_call(t, v3, FreeReservedLogicalAddressRange,
				       (token->handle), STATUS_UNSUCCESSFUL,
				       STATUS_RESOURCE_IN_USE)))
			WRITE_ONCE(token->handle, NULL);
		mutex_unlock(&token->lock);
		break;
	case 2:
	case 3:
	case 4:
		stress_choose_memory(t, &memory);
		offset = stress_below(t, STRESS_TOKEN / STRESS_OFFSET) * STRESS_OFFSET;
		stress_raise(t);
		stress_call(t, v3, MapReservedLogicalRange,
			    (READ_ONCE(token->handle), offset * PAGE_SIZE, permissions,
			     &memory.address, &t->segment),
			    STATUS_UNSUCCESSFUL, STATUS_INVALID_PARAMETER_4,
			    STATUS_RESOURCE_IN_USE);
		stress_lower(t);
		break;
	default:
		stress_raise(t);
		stress_call(t, v3, UnmapReservedLogicalRange, (&t->segment),
			    STATUS_INVALID_PARAMETER);
		stress_lower(t);
	}
}

static void stress_map_logical(struct stress_thread *t, PIOMMU_DMA_DOMAIN domain)
{
	u64 min = STRESS_LOGICAL, max = min + STRESS_SPAN * PAGE_SIZE - 1;
	u64 logical = stress_place(t), pages = 1 + stress_below(t, STRESS_PAGES);
	ULONG permissions = fixture_perms(&t->rng);
	PMDL mdl = *stress_any(t, t->s->mdl);
	bool explicit = stress_below(t, 2);
	struct stress_memory memory;

	stress_choose_memory(t, &memory);
	stress_raise(t);
	switch (stress_below(t, 4)) {
	case 0:
		stress_call(t, v1, MapLogicalRange, (domain, permissions, mdl, logical),
			    STATUS_INVALID_PARAMETER_1, STATUS_NOT_SUPPORTED,
			    STATUS_RESOURCE_IN_USE);
		break;
	case 1:
		stress_call(t, v3, MapLogicalRangeEx,
			    (domain, permissions, &memory.address,
			     explicit ? &logical : NULL, &min, &max, &logical),
			    STATUS_INVALID_PARAMETER_1, STATUS_NOT_SUPPORTED,
			    STATUS_RESOURCE_IN_USE, STATUS_INVALID_PARAMETER_MIX);
		break;
	default:
		stress_either(t, UnmapLogicalRange, (domain, logical, pages),
			      STATUS_INVALID_PARAMETER_1, STATUS_NOT_FOUND,
			      STATUS_RESOURCE_IN_USE);
	}
	stress_lower(t);
}

static void stress_map_identity(struct stress_thread *t, PIOMMU_DMA_DOMAIN domain)
{
	ULONG permissions = fixture_perms(&t->rng);
	PMDL mdl = *stress_any(t, t->s->mdl);
	struct stress_memory memory;

	stress_choose_memory(t, &memory);
	stress_raise(t);
	switch (stress_below(t, 4)) {
	case 0:
		stress_call(t, v1, MapIdentityRange, (domain, permissions, mdl),
			    STATUS_INVALID_PARAMETER_1, STATUS_NOT_SUPPORTED,
			    STATUS_RESOURCE_IN_USE);
		break;
	case 1:
		stress_call(t, v3, MapIdentityRangeEx,
			    (domain, permissions, &memory.address),
			    STATUS_INVALID_PARAMETER_1, STATUS_NOT_SUPPORTED,
			    STATUS_RESOURCE_IN_USE);
		break;
	case 2:
		stress_call(t, v1, UnmapIdentityRange, (domain, mdl),
			    STATUS_INVALID_PARAMETER_1, STATUS_NOT_SUPPORTED,
			    STATUS_NOT_FOUND, STATUS_RESOURCE_IN_USE);
		break;
	default:
		stress_call(t, v3, UnmapIdentityRangeEx, (domain, &memory.address),
			    STATUS_INVALID_PARAMETER_1, STATUS_NOT_SUPPORTED,
			    STATUS_NOT_FOUND, STATUS_RESOURCE_IN_USE);
	}
	stress_lower(t);
}

/* Change or clear a leaf of the caller's page tables. */
static void stress_edit(struct stress_thread *t)
{
	u64 *leaf = t->s->memory + (STRESS_TABLES - 1) * PAGE_SIZE;
	u64 page = virt_to_phys(t->s->memory) + stress_below(t, STRESS_PAGES) * PAGE_SIZE;

	WRITE_ONCE(leaf[stress_below(t, STRESS_SPAN)], stress_below(t, 3) ? page | 0x7 : 0);
}

static void stress_flush(struct stress_thread *t, PIOMMU_DMA_DOMAIN domain)
{
	DOMAIN_CONFIGURATION config = {
		.Type = DomainConfigurationX64,
		.X64.FirstLevelPageTableRoot.QuadPart = virt_to_phys(t->s->memory),
		.X64.TranslationEnabled = TRUE,
	};
	u64 va[4];
	unsigned int i;

	stress_edit(t);
	for (i = 0; i < ARRAY_SIZE(va); i++)
		va[i] = stress_place(t);
	stress_raise(t);
	switch (stress_below(t, 4)) {
	case 0:
		stress_either(t, ConfigureDomain, (domain, &config),
			      STATUS_INVALID_PARAMETER_1);
		break;
	case 1:
		stress_either(t, FlushDomain, (domain),
			      STATUS_INVALID_PARAMETER_1, STATUS_INVALID_DEVICE_STATE);
		break;
	default:
		stress_either(t, FlushDomainByVaList,
			      (domain, stress_below(t, 2), ARRAY_SIZE(va), va),
			      STATUS_INVALID_PARAMETER_1, STATUS_INVALID_DEVICE_STATE);
	}
	stress_lower(t);
}

/* A domain of any type, with or without an allocator and regions; or a bad parameter */
static NTSTATUS stress_create_ex(struct stress_thread *t, struct stress_slot *slot)
{
	IOMMU_DMA_RESERVED_REGION region[2] = {
		{ &region[1], STRESS_LOGICAL + STRESS_PAGES * PAGE_SIZE, 2, FALSE },
		{ NULL, virt_to_phys(t->s->memory) + 20 * PAGE_SIZE, 1, TRUE },
	};
	IOMMU_DMA_LOGICAL_ALLOCATOR_CONFIG allocator = {
		.LogicalAllocatorType = stress_below(t, IommuDmaLogicalAllocatorMax),
		.BuddyAllocatorConfig.AddressWidth = 39,
	};
	IOMMU_DMA_DOMAIN_TYPE type = stress_below(t, DomainTypeMax);
	bool translates = type == DomainTypeTranslate || type == DomainTypeTranslateS1;
	bool regions = translates && stress_below(t, 2);
	IOMMU_DMA_DOMAIN_CREATION_FLAGS flags = { };
	unsigned int bad = 0;
	NTSTATUS status;

	if (regions && !stress_below(t, 4)) {
		bad = 1 + stress_below(t, 4);
		type = bad == 1 ? DomainTypeMax : type;
		flags.AsUlonglong = bad == 2;
		if (bad == 3)
			allocator.LogicalAllocatorType = IommuDmaLogicalAllocatorMax;
		region[0].Base += bad == 4;
	}
	status = stress_call(t, v3, CreateDomainEx,
			     (type, flags, translates ? &allocator : NULL,
			      regions ? region : NULL, &slot->domain),
			     STATUS_INVALID_PARAMETER_1, STATUS_INVALID_PARAMETER_2,
			     STATUS_INVALID_PARAMETER_3, STATUS_INVALID_PARAMETER_4,
			     STATUS_NOT_SUPPORTED);
	if (bad ? wdm_ok(status) : !wdm_ok(status) && status != STATUS_NOT_SUPPORTED)
		atomic_inc(&t->s->unexpected);
	slot->type = type;
	slot->fixed = regions;
	return status;
}

/* Delete a slot's domain, or fill an empty slot. */
static void stress_replace(struct stress_thread *t, struct stress_slot *slot)
{
	bool maps = stress_below(t, 2);

	down_write(&slot->lock);
	if (slot->domain) {
		if (wdm_ok(stress_either(t, DeleteDomain, (slot->domain),
					 STATUS_RESOURCE_IN_USE)))
			slot->domain = NULL;
	} else if (stress_below(t, 3)) {
		stress_create_ex(t, slot);
	} else {
		slot->type = maps ? DomainTypeTranslate : DomainTypeUnmanaged;
		slot->fixed = 0;
		stress_call(t, v1, CreateDomain, (maps, &slot->domain),
			    STATUS_INSUFFICIENT_RESOURCES);
	}
	up_write(&slot->lock);
}

void stress_step(struct stress_thread *t)
{
	struct stress_slot *slot = stress_any(t, t->s->slot);
	u64 dice = stress_below(t, 100);

	if (dice < 4) {
		stress_replace(t, slot);
		return;
	}
	if (dice < 20) {
		stress_devices(t);
		return;
	}
	down_read(&slot->lock);
	if (!slot->domain)
		goto unlock;
	if (dice < 28)
		stress_attach(t, slot);
	else if (dice < 36)
		stress_pasids(t, slot);
	else if (dice < 51)
		stress_tokens(t, slot->domain);
	else if (dice < 66)
		stress_map_logical(t, slot->domain);
	else if (dice < 81)
		stress_map_identity(t, slot->domain);
	else
		stress_flush(t, slot->domain);
unlock:
	up_read(&slot->lock);
}
