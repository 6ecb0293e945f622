// SPDX-License-Identifier: GPL-2.0
/*
 * Interrupt messages arrive while a device is attached, and nothing can be mapped at their
 * target. On arm64 they pass the IOMMU like other writes, and Linux maps the interrupt
 * controller into the domain.
 */
#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "suites.h"
#include "fixture.h"

#define PAGE		WDM_PAGE_SIZE

/* 32-bit registers of edu */
#define EDU_STATUS	0x24
#define EDU_RAISE	0x60
#define EDU_ACKNOWLEDGE	0x64

static int enable(struct wdm_vfio_device *device)
{
	int event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);

	REQUIRE(event >= 0);
	REQUIRE(wdm_irq_enable(device, WDM_IRQ_MSI, 0, 1, &event, NULL));
	return event;
}

static void disable(struct wdm_vfio_device *device, int event)
{
	REQUIRE(wdm_irq_disable(device, WDM_IRQ_MSI, NULL));
	close(event);
}

/* Get the number of messages, waiting for the first one; 0 on a timeout. */
static __u64 messages(int event)
{
	struct pollfd poll_fd = { .fd = event, .events = POLLIN };
	__u64 count = 0;

	if (poll(&poll_fd, 1, 10000) != 1 || read(event, &count, sizeof(count)) != sizeof(count))
		return 0;
	return count;
}

static __u32 status(struct wdm_vfio_device *device)
{
	__u32 value;

	REQUIRE(wdm_bar_read32(device, 0, EDU_STATUS, &value, NULL));
	return value;
}

/* Make the device send two messages. */
static void check_arrival(struct wdm_vfio_device *device)
{
	int event = enable(device);

	for (__u32 cause = 1; cause <= 2; cause++) {
		REQUIRE(wdm_bar_write32(device, 0, EDU_RAISE, cause, NULL));
		CHECK_EQUAL(messages(event), 1);
		CHECK_EQUAL(status(device), cause);
		REQUIRE(wdm_bar_write32(device, 0, EDU_ACKNOWLEDGE, cause, NULL));
	}
	disable(device, event);
}

static void os_managed(void)
{
	struct fixture fixture;

	open_os_managed(&fixture, 2, 0);
	check_arrival(fixture.device);
	EXPECT_DMA(DMA_ARRIVED, write_to(&fixture, HOME_ADDRESS, page(&fixture, 0)));
}

/* Interrupts need no entry in the caller's tables, and no tables at all. */
static void caller_managed(void)
{
	struct wdm_iommu_walk_error walk_error;
	struct fixture fixture;
	__u32 domain;

	open_caller_managed(&fixture, 2, parameter());
	check_arrival(fixture.device);
	/* A leaf of the caller for that address does not matter. */
	set_leaf(&fixture, MSI_ADDRESS, page(&fixture, 1));
	EXPECT(STATUS_CONFLICTING_ADDRESSES,
	       wdm_flush(fixture.fd, fixture.domain, &walk_error));
	CHECK_EQUAL(walk_error.logical_address, MSI_ADDRESS);
	check_arrival(fixture.device);
	EXPECT_DMA(DMA_ARRIVED, write_to(&fixture, HOME_ADDRESS, page(&fixture, 0)));

	MUST(wdm_domain_create(fixture.fd, false, 0, &domain));
	MUST(wdm_detach(fixture.fd, fixture.device->handle));
	MUST(wdm_attach(fixture.fd, domain, fixture.device->handle));
	check_arrival(fixture.device);
}

/* Linux has to set it up again each time that the device is attached. */
static void moving(void)
{
	struct fixture fixture;
	__u32 domains[2];
	int event;

	open_os_managed(&fixture, 2, 0);
	domains[0] = fixture.domain;
	MUST(wdm_domain_create(fixture.fd, true, 0, &domains[1]));
	for (unsigned int i = 1; i < 6; i++) {
		event = enable(fixture.device);
		MUST(wdm_detach(fixture.fd, fixture.device->handle));
		MUST(wdm_attach(fixture.fd, domains[i % 2], fixture.device->handle));
		disable(fixture.device, event);
		check_arrival(fixture.device);
	}
}

/* Devices that share a domain get separate messages. */
static void two_devices(void)
{
	struct wdm_vfio_device *other;
	struct fixture fixture;
	struct probe probe;

	open_os_managed(&fixture, 2, 0);
	other = open_one(&fixture, options.other.text, NULL, &probe);
	MUST(wdm_attach(fixture.fd, fixture.domain, other->handle));
	check_arrival(other);
	check_arrival(fixture.device);
	MUST(wdm_detach(fixture.fd, fixture.device->handle));
	check_arrival(other);
}

/* Nothing is mapped at the target of messages, before attaching or after. */
static void window(void)
{
	const __u64 last = MSI_ADDRESS + MSI_LENGTH - PAGE;
	const __u64 addresses[] = { MSI_ADDRESS, MSI_ADDRESS + MSI_LENGTH / 2, last };
	struct fixture fixture;
	__u32 domain;

	open_os_managed(&fixture, 4, 0);
	for (size_t i = 0; i < ARRAY_SIZE(addresses); i++)
		EXPECT(STATUS_CONFLICTING_ADDRESSES, map_pages(&fixture, 1, 1, addresses[i]));
	EXPECT(STATUS_CONFLICTING_ADDRESSES, map_pages(&fixture, 1, 2, MSI_ADDRESS - PAGE));
	EXPECT(STATUS_CONFLICTING_ADDRESSES, map_pages(&fixture, 1, 2, last));
	MUST(map_pages(&fixture, 1, 1, MSI_ADDRESS - PAGE));
	MUST(map_pages(&fixture, 2, 1, last + PAGE));
	check_arrival(fixture.device);
	EXPECT_DMA(DMA_ARRIVED, write_to(&fixture, MSI_ADDRESS - PAGE, page(&fixture, 1)));
	EXPECT_DMA(DMA_ARRIVED, write_to(&fixture, last + PAGE, page(&fixture, 2)));

	domain = fixture.domain;
	MUST(wdm_domain_create(fixture.fd, true, 0, &fixture.domain));
	MUST(map_pages(&fixture, 1, 1, last));
	MUST(wdm_detach(fixture.fd, fixture.device->handle));
	EXPECT(STATUS_CONFLICTING_ADDRESSES,
	       wdm_attach(fixture.fd, fixture.domain, fixture.device->handle));
	MUST(wdm_attach(fixture.fd, domain, fixture.device->handle));
	check_arrival(fixture.device);
}

static const struct test_case cases[] = {
	{ .name = "an OS-managed domain", .run = os_managed, .needs = NEEDS_DEVICE },
	{ .name = "a caller-managed domain", .run = caller_managed, .needs = NEEDS_DEVICE,
	  .formats = true },
	{ .name = "from domain to domain", .run = moving, .needs = NEEDS_DEVICE },
	{ .name = "two devices in a domain", .run = two_devices, .needs = NEEDS_TWO_GROUPS },
	{ .name = "what cannot be mapped", .run = window, .needs = NEEDS_DEVICE },
};

const struct suite interrupts_suite = { "interrupts", cases, ARRAY_SIZE(cases) };
