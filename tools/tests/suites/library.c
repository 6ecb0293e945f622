// SPDX-License-Identifier: GPL-2.0
/*
 * The library in a driver's use: registers, configuration space, interrupts, reset, files from a
 * broker, and many threads. QEMU's edu has INTx and MSI; its e1000e I/O ports, extended
 * capabilities and MSI-X; its nvme a function reset.
 */
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "fixture.h"
#include "suites.h"

#define PAGE		WDM_PAGE_SIZE

#define EDU_BAR_SIZE	0x100000
#define EDU_ID		0x00
#define EDU_INVERT	0x04
#define EDU_IRQ_STATUS	0x24
#define EDU_IRQ_RAISE	0x60
#define EDU_IRQ_ACK	0x64
#define EDU_DMA_SOURCE	0x80

/* e1000e: memory in BAR 0, I/O ports in BAR 2 */
#define E1000E_ID	0x808610d3
#define E1000E_STATUS	0x08
#define E1000E_ICS	0xc8
#define E1000E_IMS	0xd0
#define E1000E_IVAR	0xe4
#define E1000E_RXQ0	0x00100000
#define E1000E_OTHER	0x01000000
#define E1000E_PORTS	2
#define E1000E_IOADDR	0x00
#define E1000E_IODATA	0x04

#define NVME_ID		0x1b360010
#define NVME_CC		0x14
#define NVME_CSTS	0x1c
#define NVME_AQA	0x24
#define NVME_ASQ	0x28
#define NVME_ACQ	0x30

/* A number without an open file */
#define CLOSED		999

/* Time for an interrupt to arrive, and time without one, in milliseconds */
#define SOON		10000
#define A_WHILE		300

/* Open a device by its vendor and device ID; skips the case if there is none. */
static struct wdm_vfio_device *open_by_id(struct fixture *fixture, __u32 id)
{
	struct wdm_vfio_device *opened;
	unsigned int vendor, device;
	struct wdm_error error;
	struct wdm_bdf *list;
	int count = wdm_pci_list(&list), i;

	for (i = 0; i < count; i++) {
		if (!wdm_pci_attribute(list[i].text, "vendor", &vendor) &&
		    !wdm_pci_attribute(list[i].text, "device", &device) &&
		    (vendor << 16 | device) == id && wdm_pci_has_vfio_driver(list[i].text))
			break;
	}
	if (i >= count)
		skip("no device %08x is bound to VFIO", id);
	open_fixture(fixture);
	opened = wdm_vfio_open(fixture->fd, list[i].text, &error);
	if (!opened)
		tap_diag("%s", error.text);
	REQUIRE(opened);
	free(list);
	return opened;
}

static void open_edu(struct fixture *fixture)
{
	open_fixture(fixture);
	open_arena(fixture, 2);
	open_device(fixture);
}

static void check_failure(struct place place, bool failed, int number, const char *words,
			  struct wdm_error *error)
{
	int set = errno;

	error->text[sizeof(error->text) - 1] = '\0';
	if (!check(place, failed && set == number && error->error == number &&
		   strstr(error->text, words)))
		tap_diag("errno %d; %d: %s", set, error->error, error->text);
}

/* Expect a call to fail with this errno, and a message that contains these words. */
#define FAILS(number, words, call)						\
	(memset(&error, 0, sizeof(error)), errno = 0,				\
	 check_failure(HERE(#call), !(call), number, words, &error))

static void names(void)
{
	struct wdm_pci_address address, found;
	struct wdm_vfio_device *device;
	struct wdm_error error;
	struct fixture fixture;
	const char *forms[3];
	char path[64];
	__u32 handle;

	open_fixture(&fixture);
	REQUIRE(wdm_pci_parse(options.device.text, &address));
	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s", options.device.text);
	forms[0] = options.device.text;
	forms[1] = strchr(options.device.text, ':') + 1;
	forms[2] = path;
	for (size_t i = 0; i < ARRAY_SIZE(forms); i++) {
		device = wdm_vfio_open(fixture.fd, forms[i], &error);
		REQUIRE(device);
		wdm_vfio_address(device, &found);
		CHECK(found.segment == address.segment && found.bus == address.bus &&
		      found.devfn == address.devfn);
		CHECK_EQUAL(wdm_vfio_group(device), wdm_pci_group(options.device.text));
		CHECK(wdm_vfio_fd(device) >= 0);
		FAILS(options.cdev ? EINVAL : EBUSY, "Close the program",
		      wdm_vfio_open(fixture.fd, options.device.text, &error));
		handle = wdm_vfio_handle(device);
		wdm_vfio_close(device);
		MUST(wdm_destroy(fixture.fd, handle));
	}
	FAILS(EINVAL, "Name it", wdm_vfio_open(fixture.fd, "", &error));
	FAILS(EINVAL, "Name it", wdm_vfio_open(fixture.fd, "edu", &error));
	FAILS(EINVAL, "Name it", wdm_vfio_open(fixture.fd, "/sys/bus/pci/devices", &error));
	FAILS(EINVAL, "Name it", wdm_vfio_open(fixture.fd, "/nowhere/0000:00:03.0", &error));
	FAILS(ENODEV, "Check the address", wdm_vfio_open(fixture.fd, "00fe:00:1f.7", &error));
	FAILS(EBADF, "/dev/wdm_iommu", wdm_vfio_open(-1, options.device.text, &error));
	CHECK(!wdm_vfio_open(fixture.fd, "", NULL));
	wdm_vfio_close(NULL);
}

static void memory_bar(void)
{
	struct wdm_bar_info info;
	struct wdm_error error;
	struct fixture fixture;
	__u64 number, offset;
	__u32 value;
	char *bar;

	open_edu(&fixture);
	wdm_bar_unmap(fixture.device, 0);
	REQUIRE(wdm_bar_info(fixture.device, 0, &info, &error));
	CHECK_EQUAL(info.size, EDU_BAR_SIZE);
	CHECK_EQUAL(info.flags, WDM_BAR_READ | WDM_BAR_WRITE | WDM_BAR_MAP);
	CHECK(wdm_bar_area(fixture.device, 0, 0, &offset, &number) && !offset &&
	      number == EDU_BAR_SIZE);
	CHECK(!wdm_bar_area(fixture.device, 0, 1, &offset, &number));

	/* Through VFIO first, then mapped */
	for (unsigned int i = 0; i < 2; i++) {
		CHECK(wdm_bar_read32(fixture.device, 0, EDU_ID, &value, &error));
		CHECK_EQUAL(value & 0xffff, 0x00ed);
		CHECK(wdm_bar_write32(fixture.device, 0, EDU_INVERT, 0x12345678, &error));
		CHECK(wdm_bar_read32(fixture.device, 0, EDU_INVERT, &value, &error));
		CHECK_EQUAL(value, ~0x12345678U);
		bar = wdm_bar_map(fixture.device, 0, 0, 0, &error);
		REQUIRE(bar);
	}
	/* Old kernels split accesses to unmapped BARs in two, which edu ignores. */
	CHECK(wdm_bar_write64(fixture.device, 0, EDU_DMA_SOURCE, 0x123454321000, &error));
	CHECK(wdm_bar_read64(fixture.device, 0, EDU_DMA_SOURCE, &number, &error));
	CHECK_EQUAL(number, 0x123454321000);
	/* Any offset, any number of times; the mapping is the device's BAR. */
	CHECK(wdm_bar_map(fixture.device, 0, EDU_INVERT, 4, &error) == bar + EDU_INVERT);
	CHECK(wdm_bar_map(fixture.device, 0, 0x12345, 1, &error) == bar + 0x12345);
	CHECK(wdm_bar_map(fixture.device, 0, EDU_BAR_SIZE - 1, 0, &error) ==
	      bar + EDU_BAR_SIZE - 1);
	CHECK_EQUAL(__atomic_load_n((__u32 *)(bar + EDU_INVERT), __ATOMIC_RELAXED), ~0x12345678U);

	REQUIRE(wdm_bar_info(fixture.device, 1, &info, &error));
	CHECK(!info.size && !info.flags);
	FAILS(ENXIO, "no BAR 1", wdm_bar_map(fixture.device, 1, 0, 0, &error));
	FAILS(ERANGE, "no BAR 1", wdm_bar_read32(fixture.device, 1, 0, &value, &error));
	CHECK(!wdm_bar_area(fixture.device, 1, 0, &offset, &number));
}

static void hostile_bars(void)
{
	struct wdm_bar_info info;
	struct wdm_error error;
	struct fixture fixture;
	__u64 offset, length, value;

	open_edu(&fixture);
	FAILS(EINVAL, "no BAR 7", wdm_bar_info(fixture.device, 7, &info, &error));
	FAILS(EINVAL, "no BAR", wdm_bar_map(fixture.device, ~0U, 0, 0, &error));
	FAILS(EINVAL, "no BAR", wdm_bar_read(fixture.device, 7, 0, &value, 4, &error));
	CHECK(!wdm_bar_area(fixture.device, ~0U, 0, &offset, &length));
	wdm_bar_unmap(fixture.device, ~0U);
	FAILS(ERANGE, "has 1048576", wdm_bar_map(fixture.device, 0, EDU_BAR_SIZE + 1, 0, &error));
	FAILS(ENXIO, "cannot be mapped", wdm_bar_map(fixture.device, 0, EDU_BAR_SIZE, 0, &error));
	FAILS(ERANGE, "has 1048576", wdm_bar_map(fixture.device, 0, 1, EDU_BAR_SIZE, &error));
	FAILS(ERANGE, "has 1048576", wdm_bar_map(fixture.device, 0, 1, ~0ULL, &error));
	FAILS(ERANGE, "has 1048576", wdm_bar_map(fixture.device, 0, ~0ULL, 1, &error));
	for (size_t width = 0; width < 20; width++) {
		if (width == 1 || width == 2 || width == 4 || width == 8)
			continue;
		FAILS(EINVAL, "1, 2, 4 or 8",
		      wdm_bar_read(fixture.device, 0, 0, &value, width, &error));
		FAILS(EINVAL, "1, 2, 4 or 8",
		      wdm_bar_write(fixture.device, 0, 0, &value, width, &error));
		FAILS(EINVAL, "1, 2, 4 or 8",
		      wdm_config_read(fixture.device, 0, &value, width, &error));
	}
	FAILS(EINVAL, "aligned", wdm_bar_read(fixture.device, 0, 2, &value, 4, &error));
	FAILS(EINVAL, "aligned", wdm_config_write(fixture.device, 3, &value, 2, &error));
	FAILS(ERANGE, "has 1048576",
	      wdm_bar_write(fixture.device, 0, EDU_BAR_SIZE, &value, 4, &error));
	FAILS(ERANGE, "has 1048576", wdm_bar_write(fixture.device, 0, -8ULL, &value, 8, &error));
	FAILS(ERANGE, "exceeds it",
	      wdm_config_read(fixture.device, 0x10000, &value, 4, &error));
	FAILS(ERANGE, "exceeds it", wdm_config_read(fixture.device, -4U, &value, 4, &error));
	CHECK(!wdm_bar_map(fixture.device, 9, 0, 0, NULL) && errno == EINVAL);
}

/* Read a register by number through two ports. */
static __u32 read_by_ports(struct wdm_vfio_device *device, __u32 number)
{
	struct wdm_error error;
	__u32 value = 0;

	CHECK(wdm_bar_write32(device, E1000E_PORTS, E1000E_IOADDR, number, &error));
	CHECK(wdm_bar_read32(device, E1000E_PORTS, E1000E_IODATA, &value, &error));
	return value;
}

static void ports(void)
{
	struct wdm_vfio_device *device;
	struct wdm_bar_info info;
	struct wdm_error error;
	struct fixture fixture;
	__u64 offset, length;
	__u32 value;

	device = open_by_id(&fixture, E1000E_ID);
	REQUIRE(wdm_bar_info(device, E1000E_PORTS, &info, &error));
	CHECK_EQUAL(info.size, 32);
	CHECK_EQUAL(info.flags, WDM_BAR_READ | WDM_BAR_WRITE | WDM_BAR_PORTS);
	CHECK(!wdm_bar_area(device, E1000E_PORTS, 0, &offset, &length));
	FAILS(ENXIO, "Use wdm_bar_read()", wdm_bar_map(device, E1000E_PORTS, 0, 0, &error));
	CHECK(wdm_bar_read32(device, 0, E1000E_STATUS, &value, &error));
	CHECK(value && value != ~0U);
	CHECK_EQUAL(read_by_ports(device, E1000E_STATUS), value);
	CHECK(wdm_bar_write32(device, 0, E1000E_IVAR, 0x12340, &error));
	CHECK_EQUAL(read_by_ports(device, E1000E_IVAR), 0x12340);
	FAILS(ERANGE, "has 32", wdm_bar_read32(device, E1000E_PORTS, 32, &value, &error));
	wdm_vfio_close(device);
}

static void configuration(void)
{
	struct wdm_vfio_device *device;
	struct wdm_error error;
	struct fixture fixture;
	unsigned int where;
	__u32 both;
	__u16 half;
	__u8 byte;

	device = open_by_id(&fixture, E1000E_ID);
	CHECK(wdm_config_read32(device, PCI_VENDOR_ID, &both, &error) && both == 0x10d38086);
	CHECK(wdm_config_read16(device, PCI_DEVICE_ID, &half, &error) && half == 0x10d3);
	CHECK(wdm_config_read8(device, PCI_CLASS_DEVICE + 1, &byte, &error) && byte == 0x02);
	/* Write, and restore. */
	CHECK(wdm_config_write8(device, PCI_INTERRUPT_LINE, 0x5a, &error));
	CHECK(wdm_config_read8(device, PCI_INTERRUPT_LINE, &byte, &error) && byte == 0x5a);
	CHECK(wdm_config_write32(device, PCI_VENDOR_ID, 0, &error));
	CHECK(wdm_config_read32(device, PCI_VENDOR_ID, &both, &error) && both == 0x10d38086);

	where = wdm_config_capability(device, PCI_CAP_ID_MSIX);
	CHECK(where >= 0x40 && wdm_config_read8(device, where, &byte, &error) &&
	      byte == PCI_CAP_ID_MSIX);
	CHECK(wdm_config_capability(device, PCI_CAP_ID_MSI) >= 0x40);
	CHECK(wdm_config_capability(device, PCI_CAP_ID_EXP) >= 0x40);
	CHECK(!wdm_config_capability(device, PCI_CAP_ID_AGP));
	where = wdm_config_extended_capability(device, PCI_EXT_CAP_ID_DSN);
	CHECK(where >= 0x100 && wdm_config_read16(device, where, &half, &error) &&
	      half == PCI_EXT_CAP_ID_DSN);
	CHECK(wdm_config_extended_capability(device, PCI_EXT_CAP_ID_ERR) >= 0x100);
	CHECK(!wdm_config_extended_capability(device, PCI_EXT_CAP_ID_SRIOV));
	wdm_vfio_close(device);

	/* A conventional device has 256 bytes, and no extended capabilities. */
	open_edu(&fixture);
	CHECK(wdm_config_capability(fixture.device, PCI_CAP_ID_MSI) >= 0x40);
	CHECK(!wdm_config_capability(fixture.device, PCI_CAP_ID_MSIX));
	CHECK(!wdm_config_extended_capability(fixture.device, PCI_EXT_CAP_ID_DSN));
}

static void bus_master(void)
{
	struct wdm_error error;
	struct fixture fixture;
	__u16 command;

	open_os_managed(&fixture, 2, 0);
	MUST(map_pages(&fixture, 1, 1, ADDRESS));
	for (unsigned int i = 0; i < 2; i++) {
		CHECK(wdm_bus_master(fixture.device, false, &error));
		CHECK(wdm_config_read16(fixture.device, PCI_COMMAND, &command, &error));
		CHECK_EQUAL(command & (PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER),
			    PCI_COMMAND_MEMORY);
		EXPECT_DMA(DMA_BLOCKED, write_to(&fixture, ADDRESS, page(&fixture, 1)));
		CHECK(wdm_bus_master(fixture.device, true, &error));
		EXPECT_DMA(DMA_ARRIVED, write_to(&fixture, ADDRESS, page(&fixture, 1)));
	}
}

static int new_eventfd(void)
{
	int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);

	REQUIRE(fd >= 0);
	return fd;
}

/* Get an eventfd's count, waiting that long for an interrupt. */
static __u64 interrupts(int fd, int milliseconds)
{
	struct pollfd poll_fd = { .fd = fd, .events = POLLIN };
	__u64 number = 0;

	REQUIRE(poll(&poll_fd, 1, milliseconds) >= 0);
	if (read(fd, &number, sizeof(number)) != sizeof(number))
		CHECK_EQUAL(errno, EAGAIN);
	return number;
}

static void raise_edu(struct fixture *fixture, __u32 cause)
{
	CHECK(wdm_bar_write32(fixture->device, 0, EDU_IRQ_RAISE, cause, NULL));
}

/* Acknowledge the interrupts that the device has raised. */
static __u32 ack_edu(struct fixture *fixture)
{
	__u32 cause = 0;

	CHECK(wdm_bar_read32(fixture->device, 0, EDU_IRQ_STATUS, &cause, NULL));
	CHECK(wdm_bar_write32(fixture->device, 0, EDU_IRQ_ACK, cause, NULL));
	return cause;
}

/*
 * On ARM64 a message is a write that the IOMMU translates, to a window of the domain to which
 * the device is attached when the interrupt is enabled.
 */
static __u32 attach_new_domain(struct fixture *fixture, struct wdm_vfio_device *device)
{
	__u32 domain;

	MUST(wdm_domain_create(fixture->fd, true, 0, &domain));
	MUST(wdm_attach(fixture->fd, domain, wdm_vfio_handle(device)));
	return domain;
}

static void msi(void)
{
	struct wdm_error error;
	struct fixture fixture;
	int fd = new_eventfd();

	open_edu(&fixture);
	CHECK(wdm_irq_count(fixture.device, WDM_IRQ_MSI, &error) >= 1);
	attach_new_domain(&fixture, fixture.device);
	REQUIRE(wdm_irq_enable(fixture.device, WDM_IRQ_MSI, 0, 1, &fd, &error));
	CHECK_EQUAL(interrupts(fd, A_WHILE), 0);
	for (__u32 i = 1; i <= 3; i++) {
		raise_edu(&fixture, i);
		CHECK_EQUAL(interrupts(fd, SOON), 1);
		CHECK_EQUAL(ack_edu(&fixture), i);
	}
	/* Without bus mastering there are no messages. */
	CHECK(wdm_bus_master(fixture.device, false, &error));
	raise_edu(&fixture, 1);
	CHECK_EQUAL(interrupts(fd, A_WHILE), 0);
	CHECK(wdm_bus_master(fixture.device, true, &error));
	ack_edu(&fixture);
	CHECK(wdm_irq_disable(fixture.device, WDM_IRQ_MSI, &error));
	raise_edu(&fixture, 1);
	CHECK_EQUAL(interrupts(fd, A_WHILE), 0);
	ack_edu(&fixture);
	CHECK(wdm_irq_disable(fixture.device, WDM_IRQ_MSI, &error));
}

/* Interrupt at the end of a transfer: the data has arrived before it. */
static void msi_after_dma(void)
{
	const struct {
		__u64 source, destination, count, command;
	} registers = { 0x40000, ADDRESS, PROBE_BYTES, 1 | 2 | 4 };
	unsigned char expected[PROBE_BYTES];
	struct wdm_error error;
	struct fixture fixture;
	int fd = new_eventfd();

	open_os_managed(&fixture, 2, 0);
	MUST(map_pages(&fixture, 1, 1, ADDRESS));
	memcpy(expected, fixture.probe.device, PROBE_BYTES);
	REQUIRE(wdm_irq_enable(fixture.device, WDM_IRQ_MSI, 0, 1, &fd, &error));
	for (unsigned int i = 0; i < 4; i++)
		CHECK(wdm_bar_write(fixture.device, 0, EDU_DMA_SOURCE + 8 * i,
				    (const __u64 *)&registers + i, 8, &error));
	CHECK_EQUAL(interrupts(fd, SOON), 1);
	CHECK(!memcmp(page(&fixture, 1), expected, PROBE_BYTES));
	CHECK_EQUAL(ack_edu(&fixture), 0x100);
}

/* INTx is enabled, masked, and not asserted. */
static void unmask_by_eventfd(struct fixture *fixture, int fd)
{
	const int unmask = new_eventfd();
	struct wdm_error error;

	FAILS(EBADF, "cannot let", wdm_irq_unmask_eventfd(fixture->device, CLOSED, &error));
	FAILS(EINVAL, "pass an eventfd",
	      wdm_irq_unmask_eventfd(fixture->device, fixture->fd, &error));
	REQUIRE(wdm_irq_unmask_eventfd(fixture->device, unmask, &error));
	FAILS(EBUSY, "Pass -1", wdm_irq_unmask_eventfd(fixture->device, unmask, &error));
	raise_edu(fixture, 4);
	CHECK_EQUAL(interrupts(fd, A_WHILE), 0);
	for (unsigned int i = 0; i < 2; i++) {
		REQUIRE(!eventfd_write(unmask, 1));
		CHECK_EQUAL(interrupts(fd, SOON), 1);
	}
	CHECK_EQUAL(interrupts(fd, A_WHILE), 0);
	/* Without the eventfd, writing to it has no effect. */
	REQUIRE(wdm_irq_unmask_eventfd(fixture->device, -1, &error));
	REQUIRE(wdm_irq_unmask_eventfd(fixture->device, -1, &error));
	REQUIRE(!eventfd_write(unmask, 1));
	CHECK_EQUAL(interrupts(fd, A_WHILE), 0);
	CHECK_EQUAL(ack_edu(fixture), 4);
	close(unmask);
}

static void intx(void)
{
	struct wdm_error error;
	struct fixture fixture;
	int fd = new_eventfd();

	open_edu(&fixture);
	CHECK_EQUAL(wdm_irq_count(fixture.device, WDM_IRQ_INTX, &error), 1);
	FAILS(EINVAL, "Enable INTx first", wdm_irq_mask(fixture.device, &error));
	FAILS(EINVAL, "Enable INTx first", wdm_irq_unmask(fixture.device, &error));
	FAILS(EINVAL, "Enable INTx first", wdm_irq_unmask_eventfd(fixture.device, fd, &error));
	REQUIRE(wdm_irq_enable(fixture.device, WDM_IRQ_INTX, 0, 1, &fd, &error));
	raise_edu(&fixture, 1);
	CHECK_EQUAL(interrupts(fd, SOON), 1);
	/* Masked by VFIO, and asserted until it is acknowledged */
	CHECK_EQUAL(interrupts(fd, A_WHILE), 0);
	CHECK(wdm_irq_unmask(fixture.device, &error));
	CHECK_EQUAL(interrupts(fd, SOON), 1);
	CHECK_EQUAL(ack_edu(&fixture), 1);
	CHECK(wdm_irq_unmask(fixture.device, &error));
	CHECK_EQUAL(interrupts(fd, A_WHILE), 0);

	CHECK(wdm_irq_mask(fixture.device, &error));
	raise_edu(&fixture, 2);
	CHECK_EQUAL(interrupts(fd, A_WHILE), 0);
	CHECK(wdm_irq_unmask(fixture.device, &error));
	CHECK_EQUAL(interrupts(fd, SOON), 1);
	CHECK_EQUAL(ack_edu(&fixture), 2);
	unmask_by_eventfd(&fixture, fd);

	/* Only one type at a time */
	FAILS(EINVAL, "Disable interrupts of other types",
	      wdm_irq_enable(fixture.device, WDM_IRQ_MSI, 0, 1, &fd, &error));
	CHECK(wdm_irq_disable(fixture.device, WDM_IRQ_INTX, &error));
	attach_new_domain(&fixture, fixture.device);
	CHECK(wdm_irq_enable(fixture.device, WDM_IRQ_MSI, 0, 1, &fd, &error));
	raise_edu(&fixture, 4);
	CHECK_EQUAL(interrupts(fd, SOON), 1);
	CHECK(wdm_irq_disable(fixture.device, WDM_IRQ_MSI, &error));
}

/* Two vectors of five, each with an eventfd */
static void msix(void)
{
	const int fds[] = { new_eventfd(), -1, new_eventfd() };
	struct wdm_vfio_device *device;
	struct wdm_error error;
	struct fixture fixture;

	device = open_by_id(&fixture, E1000E_ID);
	CHECK_EQUAL(wdm_irq_count(device, WDM_IRQ_MSIX, &error), 5);
	attach_new_domain(&fixture, device);
	REQUIRE(wdm_irq_enable(device, WDM_IRQ_MSIX, 0, 3, fds, &error));
	/* The first queue has vector 0, other causes have vector 2. */
	CHECK(wdm_bar_write32(device, 0, E1000E_IVAR, 0x8 | 0xa << 16, &error));
	CHECK(wdm_bar_write32(device, 0, E1000E_IMS, E1000E_RXQ0 | E1000E_OTHER, &error));
	CHECK(wdm_bar_write32(device, 0, E1000E_ICS, E1000E_OTHER, &error));
	CHECK(interrupts(fds[2], SOON) >= 1);
	CHECK_EQUAL(interrupts(fds[0], A_WHILE), 0);
	CHECK(wdm_bar_write32(device, 0, E1000E_ICS, E1000E_RXQ0, &error));
	CHECK(interrupts(fds[0], SOON) >= 1);
	/* QEMU's e1000e aborts if MSI-X is off when its interrupt throttling ends. */
	usleep(A_WHILE * 1000);
	CHECK(wdm_irq_disable(device, WDM_IRQ_MSIX, &error));
	while (interrupts(fds[2], 0) + interrupts(fds[0], 0))
		;
	CHECK(wdm_bar_write32(device, 0, E1000E_ICS, E1000E_RXQ0 | E1000E_OTHER, &error));
	CHECK_EQUAL(interrupts(fds[0], A_WHILE), 0);
	CHECK_EQUAL(interrupts(fds[2], A_WHILE), 0);
	wdm_vfio_close(device);
}

static void hostile_interrupts(void)
{
	const int closed = CLOSED;
	int fd = new_eventfd(), many[64];
	struct wdm_error error;
	struct fixture fixture;
	int count;

	memset(many, 0xff, sizeof(many));
	open_edu(&fixture);
	count = wdm_irq_count(fixture.device, WDM_IRQ_MSI, &error);
	CHECK_EQUAL(wdm_irq_count(fixture.device, WDM_IRQ_MSIX, &error), 0);
	CHECK_EQUAL(wdm_irq_count(fixture.device, 17, &error), -1);
	CHECK_EQUAL(error.error, EINVAL);
	FAILS(ENXIO, "no MSI-X",
	      wdm_irq_enable(fixture.device, WDM_IRQ_MSIX, 0, 1, &fd, &error));
	FAILS(EINVAL, "type -1 does not exist",
	      wdm_irq_enable(fixture.device, -1, 0, 1, &fd, &error));
	FAILS(EINVAL, "type 99 does not exist", wdm_irq_disable(fixture.device, 99, &error));
	FAILS(EINVAL, "cannot enable 0",
	      wdm_irq_enable(fixture.device, WDM_IRQ_MSI, 0, 0, &fd, &error));
	FAILS(EINVAL, "cannot enable",
	      wdm_irq_enable(fixture.device, WDM_IRQ_MSI, 0, 1, NULL, &error));
	FAILS(EINVAL, "the device has",
	      wdm_irq_enable(fixture.device, WDM_IRQ_MSI, 0, count + 1, many, &error));
	FAILS(EINVAL, "the device has",
	      wdm_irq_enable(fixture.device, WDM_IRQ_MSI, count, 1, many, &error));
	FAILS(EINVAL, "the device has",
	      wdm_irq_enable(fixture.device, WDM_IRQ_MSI, ~0U, 2, many, &error));
	FAILS(EINVAL, "the device has",
	      wdm_irq_enable(fixture.device, WDM_IRQ_MSI, 1, ~0U, many, &error));
	FAILS(EBADF, "cannot enable",
	      wdm_irq_enable(fixture.device, WDM_IRQ_MSI, 0, 1, &closed, &error));
	FAILS(EINVAL, "cannot enable",
	      wdm_irq_enable(fixture.device, WDM_IRQ_MSI, 0, 1, &fixture.fd, &error));
	/* The failures have had no effect. */
	attach_new_domain(&fixture, fixture.device);
	REQUIRE(wdm_irq_enable(fixture.device, WDM_IRQ_MSI, 0, 1, &fd, &error));
	raise_edu(&fixture, 1);
	CHECK_EQUAL(interrupts(fd, SOON), 1);
	CHECK(wdm_irq_disable(fixture.device, WDM_IRQ_MSI, &error));
}

static void reset(void)
{
	struct wdm_vfio_device *device;
	struct wdm_error error;
	struct fixture fixture;
	time_t end = time(NULL) + 20;
	__u16 before, after;
	__u32 domain, value;

	device = open_by_id(&fixture, NVME_ID);
	domain = attach_new_domain(&fixture, device);
	/* Enable a controller with unmapped queues, which it reads only after a doorbell. */
	CHECK(wdm_bar_write32(device, 0, NVME_AQA, 0x000f000f, &error));
	CHECK(wdm_bar_write64(device, 0, NVME_ASQ, ADDRESS, &error));
	CHECK(wdm_bar_write64(device, 0, NVME_ACQ, ADDRESS + PAGE, &error));
	CHECK(wdm_bar_write32(device, 0, NVME_CC, 0x00460001, &error));
	do {
		REQUIRE(wdm_bar_read32(device, 0, NVME_CSTS, &value, &error));
	} while (!(value & 1) && time(NULL) < end);
	CHECK(value & 1);
	CHECK(wdm_config_read16(device, PCI_COMMAND, &before, &error));
	CHECK(wdm_vfio_reset(device, &error));
	CHECK(wdm_bar_read32(device, 0, NVME_CSTS, &value, &error) && !(value & 1));
	CHECK(wdm_config_read16(device, PCI_COMMAND, &after, &error));
	CHECK_EQUAL(after, before);
	CHECK_EQUAL(query(fixture.fd, domain).devices, 1);
	wdm_vfio_close(device);
}

/* QEMU's edu has no function reset, and shares its bus. */
static void no_reset(void)
{
	struct wdm_pci_address *list;
	struct wdm_error error;
	struct fixture fixture;

	open_edu(&fixture);
	FAILS(ENOTTY, "hot_reset", wdm_vfio_reset(fixture.device, &error));
	FAILS(ENODEV, "wdm_vfio_reset()", wdm_vfio_hot_reset(fixture.device, NULL, 0, &error));
	FAILS(ENODEV, "wdm_vfio_reset()",
	      wdm_vfio_hot_reset_list(fixture.device, &list, &error) >= 0);
	CHECK(!list);
}

/* Check for the effect of a reset: QEMU's edu resets only its interrupt. */
static bool asserts_intx(struct wdm_vfio_device *device)
{
	__u16 status = 0;

	CHECK(wdm_config_read16(device, PCI_STATUS, &status, NULL));
	return status & PCI_STATUS_INTERRUPT;
}

static void assert_intx(struct wdm_vfio_device *device)
{
	__u16 command;

	/* There is no handler. */
	CHECK(wdm_config_read16(device, PCI_COMMAND, &command, NULL) &&
	      wdm_config_write16(device, PCI_COMMAND, command | PCI_COMMAND_INTX_DISABLE, NULL));
	CHECK(wdm_bar_write32(device, 0, EDU_IRQ_RAISE, 1, NULL));
	CHECK(asserts_intx(device));
}

static void check_hot_reset(struct wdm_vfio_device *device, struct wdm_vfio_device *other,
			    unsigned int number)
{
	const __u16 enabled = PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER;
	struct wdm_error error;
	__u16 command;

	assert_intx(device);
	assert_intx(other);
	if (!CHECK(wdm_vfio_hot_reset(device, &other, number, &error)))
		tap_diag("%s", error.text);
	CHECK(!asserts_intx(device) && !asserts_intx(other));
	CHECK(wdm_config_read16(other, PCI_COMMAND, &command, &error) &&
	      (command & enabled) == enabled);
}

/* A device's file alone does not prove ownership of its group. */
static void hot_reset_without_group(struct fixture *fixture, struct wdm_vfio_device *second)
{
	struct wdm_vfio_fds fds = { .size = sizeof(fds) };
	struct wdm_vfio_device *bare;
	struct wdm_error error;

	MUST(wdm_destroy(fixture->fd, wdm_vfio_handle(second)));
	REQUIRE(wdm_vfio_get_fds(second, &fds));
	fds.group = -1;
	bare = wdm_vfio_open_fds(fixture->fd, &fds, options.bridged[1].text, &error);
	REQUIRE(bare);
	FAILS(EPERM, "would reset 0000:", wdm_vfio_hot_reset(bare, NULL, 0, &error));
	CHECK(wdm_vfio_hot_reset(fixture->device, &bare, 1, &error));
	wdm_vfio_close(bare);
}

/* Two devices below one bridge, which share a group */
static void hot_reset(void)
{
	const char *name = options.bridged[1].text;
	struct wdm_vfio_device *second;
	struct wdm_pci_address *list;
	struct wdm_error error;
	struct fixture fixture;
	struct wdm_bdf bdf;
	struct probe probe;

	options.device = options.bridged[0];
	open_os_managed(&fixture, 2, 0);
	second = open_one(&fixture, name, fixture.device, &probe);
	MUST(wdm_attach(fixture.fd, fixture.domain, wdm_vfio_handle(second)));

	REQUIRE(wdm_vfio_hot_reset_list(second, &list, &error) == 2);
	for (unsigned int i = 0; i < 2; i++) {
		wdm_pci_format(&list[i], &bdf);
		CHECK(!strcmp(bdf.text, options.bridged[i].text));
	}
	free(list);
	check_hot_reset(fixture.device, second, 1);
	check_hot_reset(second, fixture.device, 1);
	check_hot_reset(second, fixture.device, 0);
	CHECK_EQUAL(query(fixture.fd, fixture.domain).devices, 2);
	EXPECT_DMA(DMA_ARRIVED, write_to(&fixture, HOME_ADDRESS, page(&fixture, 0)));
	EXPECT_DMA(DMA_BLOCKED, write_to(&fixture, ADDRESS, page(&fixture, 1)));

	MUST(wdm_detach(fixture.fd, wdm_vfio_handle(second)));
	if (!options.cdev)
		hot_reset_without_group(&fixture, second);
	wdm_vfio_close(second);
	/* A device without a driver */
	REQUIRE(unbind_driver(name));
	FAILS(options.cdev ? EPERM : EINVAL, options.cdev ? name : "to vfio-pci",
	      wdm_vfio_hot_reset(fixture.device, NULL, 0, &error));
	CHECK(bind_driver(name));
	CHECK(wdm_vfio_hot_reset(fixture.device, NULL, 0, &error));
}

/* Maximum number of passed files: /dev/wdm_iommu, and all of struct wdm_vfio_fds */
#define MOST_FDS	5

/* List the file descriptors in the structure, -1 for missing ones. */
static void list_fds(struct wdm_vfio_fds *fds, int *all[MOST_FDS - 1])
{
	all[0] = &fds->container;
	all[1] = &fds->group;
	all[2] = &fds->device;
	all[3] = &fds->iommufd;
}

static void send_fds(int socket, int fd, struct wdm_vfio_fds *fds)
{
	char control[CMSG_SPACE(MOST_FDS * sizeof(int))] = { 0 };
	struct iovec data = { fds, sizeof(*fds) };
	struct msghdr message = { .msg_iov = &data, .msg_iovlen = 1, .msg_control = control };
	int passed[MOST_FDS] = { fd }, *all[MOST_FDS - 1];
	struct cmsghdr *header;
	size_t number = 1;

	list_fds(fds, all);
	for (size_t i = 0; i < ARRAY_SIZE(all); i++) {
		if (*all[i] >= 0)
			passed[number++] = *all[i];
	}
	message.msg_controllen = CMSG_SPACE(number * sizeof(int));
	header = CMSG_FIRSTHDR(&message);
	header->cmsg_level = SOL_SOCKET;
	header->cmsg_type = SCM_RIGHTS;
	header->cmsg_len = CMSG_LEN(number * sizeof(int));
	memcpy(CMSG_DATA(header), passed, number * sizeof(int));
	REQUIRE(sendmsg(socket, &message, 0) == sizeof(*fds));
}

static int receive_fds(int socket, struct wdm_vfio_fds *fds)
{
	char control[CMSG_SPACE(MOST_FDS * sizeof(int))];
	struct iovec data = { fds, sizeof(*fds) };
	struct msghdr message = {
		.msg_iov = &data, .msg_iovlen = 1,
		.msg_control = control, .msg_controllen = sizeof(control),
	};
	int passed[MOST_FDS], *all[MOST_FDS - 1];
	struct cmsghdr *header;
	size_t next = 1;

	REQUIRE(recvmsg(socket, &message, MSG_CMSG_CLOEXEC) == sizeof(*fds));
	header = CMSG_FIRSTHDR(&message);
	REQUIRE(header && header->cmsg_len <= CMSG_LEN(sizeof(passed)));
	memcpy(passed, CMSG_DATA(header), header->cmsg_len - CMSG_LEN(0));
	list_fds(fds, all);
	for (size_t i = 0; i < ARRAY_SIZE(all); i++) {
		if (*all[i] >= 0)
			*all[i] = passed[next++];
	}
	return passed[0];
}

/* Check the device's DMA in a program that has only these files. */
static void use_fds(int fd, const struct wdm_vfio_fds *fds, const char *name)
{
	struct fixture fixture = { .fd = fd };
	struct wdm_error error;

	open_arena(&fixture, 2);
	fixture.device = wdm_vfio_open_fds(fd, fds, name, &error);
	if (!CHECK(fixture.device)) {
		tap_diag("%s", error.text);
		return;
	}
	REQUIRE(probe_init(&fixture.probe, wdm_bar_map(fixture.device, 0, 0, 0, &error),
			   fixture.arena, 2 * PAGE));
	MUST(wdm_domain_create(fd, true, 0, &fixture.domain));
	MUST(map_pages(&fixture, 0, 1, HOME_ADDRESS));
	MUST(wdm_attach(fd, fixture.domain, wdm_vfio_handle(fixture.device)));
	REQUIRE(probe_load(&fixture.probe, HOME_ADDRESS, page(&fixture, 0)));
	EXPECT_DMA(DMA_ARRIVED, write_to(&fixture, HOME_ADDRESS, page(&fixture, 0)));
	EXPECT_DMA(DMA_BLOCKED, write_to(&fixture, ADDRESS, page(&fixture, 0)));
	wdm_vfio_close(fixture.device);
}

/* Run as a process that cannot open files. */
static void be_sandboxed(int socket)
{
	struct wdm_vfio_fds fds;
	struct wdm_error error;
	int fd = receive_fds(socket, &fds);

	REQUIRE(!setgid(65534) && !setuid(65534));
	CHECK(wdm_open() == -1 && errno == EACCES);
	CHECK(!wdm_vfio_open(fd, options.device.text, &error) && error.error == EACCES &&
	      strstr(error.text, "Give this user access"));
	use_fds(fd, &fds, options.device.text);
	finish();
}

/* Open the files that are strictly necessary. */
static void open_least(struct wdm_vfio_fds *fds)
{
	struct wdm_error error;

	if (options.cdev) {
		fds->device = wdm_cdev_open(options.device.text, &error);
		fds->iommufd = wdm_iommufd_open(&error);
		REQUIRE(fds->device >= 0 && fds->iommufd >= 0);
	} else {
		fds->group = wdm_group_open(wdm_pci_group(options.device.text), &error);
		REQUIRE(fds->group >= 0);
	}
}

static void close_all(struct wdm_vfio_fds *fds)
{
	int *all[MOST_FDS - 1];

	list_fds(fds, all);
	for (size_t i = 0; i < ARRAY_SIZE(all); i++) {
		if (*all[i] >= 0)
			close(*all[i]);
	}
}

/* A broker opens files, or a device, for the use of another process. */
static void broker(bool whole)
{
	struct wdm_vfio_fds fds = { sizeof(fds), -1, -1, -1, -1 };
	struct wdm_vfio_device *device = NULL;
	int sockets[2], fd, result;
	struct wdm_error error;
	pid_t child;

	REQUIRE(!socketpair(AF_UNIX, SOCK_SEQPACKET, 0, sockets));
	child = fork();
	REQUIRE(child >= 0);
	if (!child)
		be_sandboxed(sockets[1]);
	fd = wdm_open();
	if (whole) {
		/* With another file of the broker, which it closes */
		int other = wdm_open();

		device = wdm_vfio_open(other, options.device.text, &error);
		REQUIRE(device && wdm_vfio_get_fds(device, &fds));
		if (!options.cdev) {
			FAILS(EBUSY, "cannot bind the container",
			      wdm_vfio_open_fds(fd, &fds, options.device.text, &error));
			CHECK_EQUAL(error.status, STATUS_RESOURCE_IN_USE);
		}
		/* The handle of a cdev only names the device, until one of them is attached. */
		close(other);
	} else {
		open_least(&fds);
	}
	send_fds(sockets[0], fd, &fds);
	wdm_vfio_close(device);
	if (!whole)
		close_all(&fds);
	close(fd);
	REQUIRE(waitpid(child, &result, 0) == child);
	CHECK(WIFEXITED(result) && !WEXITSTATUS(result));
}

static void broker_least(void)
{
	broker(false);
}

static void broker_whole(void)
{
	broker(true);
}

static void hostile_fds(void)
{
	struct wdm_vfio_fds fds = { sizeof(fds), -1, -1, -1, -1 }, got = { .size = 4 };
	int zero = open("/dev/zero", O_RDWR | O_CLOEXEC);
	const char *name = options.device.text;
	struct wdm_error error;
	struct fixture fixture;

	open_edu(&fixture);
	CHECK(!wdm_vfio_get_fds(fixture.device, &got) && errno == EINVAL);
	FAILS(EINVAL, "Pass those", wdm_vfio_open_fds(fixture.fd, &fds, name, &error));
	fds.container = zero;
	FAILS(EINVAL, "Pass those", wdm_vfio_open_fds(fixture.fd, &fds, name, &error));
	fds = (struct wdm_vfio_fds) { 8, -1, zero, -1, -1 };
	FAILS(EINVAL, "Pass those", wdm_vfio_open_fds(fixture.fd, &fds, name, &error));
	fds = (struct wdm_vfio_fds) { sizeof(fds), -1, zero, -1, zero };
	FAILS(EINVAL, "Pass those", wdm_vfio_open_fds(fixture.fd, &fds, name, &error));
	fds.iommufd = -1;
	FAILS(ENOTTY, "to another file", wdm_vfio_open_fds(fixture.fd, &fds, name, &error));
	fds.group = CLOSED;
	FAILS(EBADF, "cannot use the fds", wdm_vfio_open_fds(fixture.fd, &fds, name, &error));
	fds = (struct wdm_vfio_fds) { sizeof(fds), zero, -1, zero, -1 };
	FAILS(ENOTTY, "cannot bind", wdm_vfio_open_fds(fixture.fd, &fds, name, &error));
	FAILS(EINVAL, "Name it", wdm_vfio_open_fds(fixture.fd, &fds, "", &error));
	fds = (struct wdm_vfio_fds) { sizeof(fds), -1, -1, zero, zero };
	FAILS(ENOTTY, "cannot bind", wdm_vfio_open_fds(fixture.fd, &fds, name, &error));
	/* Without a cdev; the status depends on the kernel. */
	fds.iommufd = -1;
	CHECK(!wdm_vfio_open_fds(fixture.fd, &fds, name, &error) && error.status &&
	      error.status != WDM_STATUS_NONE);
	/* The device's own files, although the device has a handle already */
	REQUIRE(wdm_vfio_get_fds(fixture.device, &fds));
	FAILS(EBUSY, "a device of", wdm_vfio_open_fds(fixture.fd, &fds, name, &error));
	CHECK_EQUAL(error.status, STATUS_RESOURCE_IN_USE);
	/* The failures have not affected the device. */
	MUST(wdm_domain_create(fixture.fd, true, 0, &fixture.domain));
	MUST(map_pages(&fixture, 0, 1, HOME_ADDRESS));
	MUST(wdm_attach(fixture.fd, fixture.domain, wdm_vfio_handle(fixture.device)));
	REQUIRE(probe_load(&fixture.probe, HOME_ADDRESS, page(&fixture, 0)));
	EXPECT_DMA(DMA_ARRIVED, write_to(&fixture, HOME_ADDRESS, page(&fixture, 0)));
}

/* The last step fails: the device can be opened with the same files afterwards. */
static void failed_fds(void)
{
	struct wdm_vfio_fds fds = { sizeof(fds), -1, -1, -1, -1 };
	const char *name = options.device.text;
	struct wdm_vfio_device *device;
	struct wdm_error error;
	struct fixture fixture;
	char path[32];
	int cdev;

	open_fixture(&fixture);
	open_least(&fds);
	if (options.cdev) {
		cdev = fds.device;
		snprintf(path, sizeof(path), "/proc/self/fd/%d", cdev);
		/* Bus mastering cannot be enabled. */
		fds.device = open(path, O_RDONLY | O_CLOEXEC);
		REQUIRE(fds.device >= 0);
		FAILS(EBADF, "cannot write", wdm_vfio_open_fds(fixture.fd, &fds, name, &error));
		close(fds.device);
		fds.device = cdev;
	} else {
		fds.device = open("/dev/zero", O_RDWR | O_CLOEXEC);
		FAILS(ENOTTY, "cannot query", wdm_vfio_open_fds(fixture.fd, &fds, name, &error));
		close(fds.device);
		fds.device = -1;
	}
	device = wdm_vfio_open_fds(fixture.fd, &fds, name, &error);
	if (!CHECK(device))
		tap_diag("%s", error.text);
	wdm_vfio_close(device);
}

static void anywhere(void)
{
	__u64 first = ~0ULL, second = ~0ULL, third = ~0ULL;
	struct fixture fixture;

	open_edu(&fixture);
	MUST(wdm_domain_create_ex(fixture.fd, WDM_IOMMU_TYPE_TRANSLATE, 28, NULL, 0,
				  &fixture.domain));
	MUST(wdm_map_user_anywhere(fixture.fd, fixture.domain, WDM_RW, page(&fixture, 0), PAGE,
				   &first));
	MUST(wdm_map_user_anywhere(fixture.fd, fixture.domain, WDM_RW, page(&fixture, 1), PAGE,
				   &second));
	CHECK(first && second && first != second && first < 1 << 28 && second < 1 << 28);
	MUST(wdm_attach(fixture.fd, fixture.domain, wdm_vfio_handle(fixture.device)));
	REQUIRE(probe_load(&fixture.probe, first, page(&fixture, 0)));
	EXPECT_DMA(DMA_ARRIVED, write_to(&fixture, first, page(&fixture, 0)));
	EXPECT_DMA(DMA_ARRIVED, write_to(&fixture, second, page(&fixture, 1)));
	MUST(wdm_unmap(fixture.fd, fixture.domain, first, PAGE));
	EXPECT_DMA(DMA_BLOCKED, write_to(&fixture, first, page(&fixture, 0)));
	MUST(wdm_map_anywhere(fixture.fd, fixture.domain, WDM_RW, fixture.mdl, 0, PAGE, &third));
	CHECK_EQUAL(third, first);
	EXPECT_DMA(DMA_ARRIVED, write_to(&fixture, third, page(&fixture, 0)));
}

#define LARGE		(64UL << 20)
#define LARGE_ADDRESS	0x100000000ULL

static double seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec + now.tv_nsec / 1e9;
}

static double time_one(int fd, __u32 domain, bool touched, bool small, unsigned int threads)
{
	char *memory = mmap(NULL, LARGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
			    -1, 0);
	double start;

	REQUIRE(memory != MAP_FAILED);
	madvise(memory, LARGE, small ? MADV_NOHUGEPAGE : MADV_HUGEPAGE);
	if (touched)
		memset(memory, 1, LARGE);
	start = seconds();
	MUST(wdm_map_user_parallel(fd, domain, WDM_RW, memory, LARGE, LARGE_ADDRESS, threads));
	start = seconds() - start;
	MUST(wdm_unmap(fd, domain, LARGE_ADDRESS, LARGE));
	munmap(memory, LARGE);
	return start;
}

/* Take the best of some rounds: other guests run on the host. */
static void time_parallel(int fd, __u32 domain, bool touched, bool small)
{
	double best[3] = { 1e9, 1e9, 1e9 };

	for (unsigned int round = 0; round < 2; round++) {
		for (unsigned int i = 0; i < ARRAY_SIZE(best); i++) {
			double time = time_one(fd, domain, touched, small, 1U << i);

			if (time < best[i])
				best[i] = time;
		}
	}
	tap_diag("%lu MiB, %s, %s pages: 1 thread %.1f ms, 2 threads %.1f ms, 4 threads %.1f ms",
		 LARGE >> 20, touched ? "touched" : "fresh", small ? "small" : "any",
		 best[0] * 1e3, best[1] * 1e3, best[2] * 1e3);
}

static void parallel(void)
{
	struct wdm_iommu_mapping mapping;
	struct fixture fixture;
	char *memory;

	open_fixture(&fixture);
	MUST(wdm_domain_create(fixture.fd, true, 0, &fixture.domain));
	memory = mmap(NULL, LARGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	REQUIRE(memory != MAP_FAILED);
	/* Any number of threads, and sizes that are not a multiple of 2 MiB */
	for (unsigned int threads = 0; threads < 70; threads += 23) {
		MUST(wdm_map_user_parallel(fixture.fd, fixture.domain, WDM_RW, memory,
					   LARGE - PAGE, LARGE_ADDRESS, threads));
		CHECK_EQUAL(query(fixture.fd, fixture.domain).mapped_pages,
			    LARGE / PAGE - 1);
		CHECK(find_mapping(fixture.fd, fixture.domain, WDM_IOMMU_QUERY_LOGICAL,
				   LARGE_ADDRESS + LARGE - 2 * PAGE, &mapping));
		MUST(wdm_unmap(fixture.fd, fixture.domain, LARGE_ADDRESS, LARGE - PAGE));
	}
	for (unsigned int i = 0; i < 4; i++)
		time_parallel(fixture.fd, fixture.domain, i & 1, i & 2);
}

/* None of these leaves anything mapped or pinned. */
static void parallel_fails(void)
{
	struct fixture fixture;
	char *memory;

	open_fixture(&fixture);
	MUST(wdm_domain_create(fixture.fd, true, 0, &fixture.domain));
	memory = mmap(NULL, LARGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	REQUIRE(memory != MAP_FAILED);
	EXPECT(STATUS_INVALID_HANDLE,
	       wdm_map_user_parallel(fixture.fd, 1000, WDM_RW, memory, LARGE, LARGE_ADDRESS, 4));
	EXPECT(WDM_STATUS_NONE,
	       wdm_map_user_parallel(-1, fixture.domain, WDM_RW, memory, LARGE, LARGE_ADDRESS, 4));
	CHECK(wdm_map_user_parallel(fixture.fd, fixture.domain, WDM_RW, memory, 0, 0, 4));
	CHECK(wdm_map_user_parallel(fixture.fd, fixture.domain, WDM_RW, memory, ~0ULL, 0, 4));
	CHECK(wdm_map_user_parallel(fixture.fd, fixture.domain, WDM_RW, memory, ~0ULL, 0, ~0U));
	CHECK(wdm_map_user_parallel(fixture.fd, fixture.domain, WDM_RW, NULL, ~0ULL, 0, 4));
	CHECK(wdm_map_user_parallel(fixture.fd, fixture.domain, WDM_RW, memory, 0x800003, 0, 4));
	CHECK(wdm_map_user_parallel(fixture.fd, fixture.domain, WDM_RW, memory, LARGE,
				    -PAGE, 4));
	/* The last part ends in a hole. */
	REQUIRE(!munmap(memory + LARGE - PAGE, PAGE));
	EXPECT(STATUS_ACCESS_VIOLATION,
	       wdm_map_user_parallel(fixture.fd, fixture.domain, WDM_RW, memory, LARGE,
				     LARGE_ADDRESS, 4));
	CHECK_EQUAL(query(fixture.fd, fixture.domain).mapped_pages, 0);
	CHECK_EQUAL(locked_memory(), 0);
}

struct reader {
	struct wdm_vfio_device *device;
	void *bar;
	unsigned int wrong;
};

static void *read_registers(void *argument)
{
	struct reader *reader = argument;
	__u16 vendor;
	__u32 id;

	reader->bar = wdm_bar_map(reader->device, 0, 0, 0, NULL);
	for (unsigned int i = 0; i < 1000; i++) {
		reader->wrong += !wdm_bar_read32(reader->device, 0, EDU_ID, &id, NULL) ||
				 (id & 0xffff) != 0x00ed;
		reader->wrong += !wdm_config_read16(reader->device, PCI_VENDOR_ID, &vendor, NULL) ||
				 vendor != WDM_EDU_VENDOR;
	}
	return NULL;
}

/* Many threads query a fresh device at the same time. */
static void many_readers(void)
{
	struct reader readers[8] = { 0 };
	pthread_t threads[8];
	struct fixture fixture;

	open_fixture(&fixture);
	fixture.device = wdm_vfio_open(fixture.fd, options.device.text, NULL);
	REQUIRE(fixture.device);
	for (unsigned int i = 0; i < ARRAY_SIZE(readers); i++) {
		readers[i].device = fixture.device;
		REQUIRE(!pthread_create(&threads[i], NULL, read_registers, &readers[i]));
	}
	for (unsigned int i = 0; i < ARRAY_SIZE(readers); i++) {
		pthread_join(threads[i], NULL);
		CHECK(readers[i].bar && readers[i].bar == readers[0].bar && !readers[i].wrong);
	}
	wdm_vfio_close(fixture.device);
}

/* Structures of programs that are older or newer than the library */
static void sizes(void)
{
	struct {
		struct wdm_iommu_info info;
		__u64 more;
	} newer;
	struct fixture fixture;
	__u64 canary;

	open_fixture(&fixture);
	memset(&newer, 0xff, sizeof(newer));
	/* The first version of the structure: nothing after its end is written. */
	MUST(wdm_info_sized(fixture.fd, &newer.info, 40));
	CHECK_EQUAL(newer.info.page_size, PAGE);
	memcpy(&canary, (char *)&newer + 40, sizeof(canary));
	CHECK_EQUAL(canary, ~0ULL);
	memset(&newer, 0xff, sizeof(newer));
	MUST(wdm_info_sized(fixture.fd, &newer.info, sizeof(newer)));
	CHECK_EQUAL(newer.info.event_size, sizeof(struct wdm_iommu_event));
	CHECK_EQUAL(newer.more, 0);
}

/* Likewise for records: shorter ones lack what the program does not know. */
static void record_sizes(void)
{
	const size_t size_of[] = { sizeof(struct wdm_iommu_event) + 16, 24 };
	struct {
		struct wdm_iommu_event event;
		__u64 more[8];
	} record;
	__u64 behind;

	for (size_t i = 0; i < ARRAY_SIZE(size_of); i++) {
		struct fixture fixture;
		__u32 handle;

		open_edu(&fixture);
		handle = wdm_vfio_handle(fixture.device);
		MUST(wdm_domain_create(fixture.fd, true, 0, &fixture.domain));
		MUST(wdm_attach(fixture.fd, fixture.domain, handle));
		take_back(fixture.device);
		wdm_vfio_close(fixture.device);
		memset(&record, 0xff, sizeof(record));
		CHECK_EQUAL(wdm_read_events_sized(fixture.fd, &record.event, 1, size_of[i]), 1);
		CHECK_EQUAL(record.event.type, WDM_IOMMU_EVENT_DEVICE_REVOKED);
		CHECK_EQUAL(record.event.device, handle);
		memcpy(&behind, (char *)&record + size_of[i], sizeof(behind));
		CHECK_EQUAL(behind, ~0ULL);
		memcpy(&behind, (char *)&record + size_of[i] - sizeof(behind), sizeof(behind));
		CHECK(!i == !behind);
		close(fixture.fd);
	}
}

static const struct test_case cases[] = {
	{ .name = "names of a device", .run = names, .needs = NEEDS_DEVICE },
	{ .name = "a BAR of memory", .run = memory_bar, .needs = NEEDS_DEVICE },
	{ .name = "bad offsets and widths", .run = hostile_bars, .needs = NEEDS_DEVICE },
	{ .name = "a BAR of I/O ports", .run = ports },
	{ .name = "configuration space", .run = configuration, .needs = NEEDS_DEVICE },
	{ .name = "bus mastering", .run = bus_master, .needs = NEEDS_DEVICE },
	{ .name = "MSI", .run = msi, .needs = NEEDS_DEVICE },
	{ .name = "MSI at the end of DMA", .run = msi_after_dma, .needs = NEEDS_DEVICE },
	{ .name = "INTx", .run = intx, .needs = NEEDS_DEVICE },
	{ .name = "MSI-X", .run = msix },
	{ .name = "bad interrupts", .run = hostile_interrupts, .needs = NEEDS_DEVICE },
	{ .name = "reset", .run = reset },
	{ .name = "two devices that are reset together", .run = hot_reset, .needs = NEEDS_BRIDGE },
	{ .name = "a device without reset", .run = no_reset, .needs = NEEDS_DEVICE },
	{ .name = "the least from a broker", .run = broker_least, .needs = NEEDS_DEVICE },
	{ .name = "an open device from a broker", .run = broker_whole, .needs = NEEDS_DEVICE },
	{ .name = "bad files", .run = hostile_fds, .needs = NEEDS_DEVICE },
	{ .name = "files that fail at last", .run = failed_fds, .needs = NEEDS_DEVICE },
	{ .name = "addresses from the domain", .run = anywhere, .needs = NEEDS_DEVICE },
	{ .name = "one buffer from several threads", .run = parallel },
	{ .name = "one buffer that cannot be mapped", .run = parallel_fails },
	{ .name = "registers from several threads", .run = many_readers, .needs = NEEDS_DEVICE },
	{ .name = "sizes of structures", .run = sizes },
	{ .name = "sizes of records", .run = record_sizes, .needs = NEEDS_DEVICE },
};

const struct suite library_suite = { "library", cases, ARRAY_SIZE(cases) };
