// SPDX-License-Identifier: GPL-2.0
/*
 * wdmctl selftest: check that this machine's /dev/wdm_iommu behaves as documented. Quick; it
 * uses the given device, or an edu device, and no other.
 */
#include <errno.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "machine.h"
#include "probe.h"
#include "tap.h"
#include "selftest.h"

#define ARENA_PAGES	4
#define ADDRESS		0x4000000ULL

/* An NVM Express controller, with its programming interface */
#define CLASS_NVME	0x010802

static void expect(const char *what, __u32 status, __u32 expected)
{
	int error = errno;
	char text[256];

	if (status != expected)
		tap_diag("expected %s, got %s", wdm_status_name(expected),
			 wdm_status_describe(status, error, text, sizeof(text)));
	else if (status && error != wdm_status_errno(status))
		tap_diag("the errno of %s is %d, got %d", wdm_status_name(status),
			 wdm_status_errno(status), error);
	else
		expected = WDM_STATUS_NONE;
	tap_ok(expected == WDM_STATUS_NONE, "%s", what);
}

static void check_dispatch(int fd)
{
	struct wdm_iommu_info info = { .size = 2 * sizeof(__u32) };
	struct {
		struct wdm_iommu_info info;
		__u64 more;
	} longer = { .info.size = sizeof(longer) };

	errno = 0;
	tap_ok(ioctl(fd, WDM_IOMMU_INFO, &info) == -1 && errno == EINVAL,
	       "a structure that is too short is refused");
	expect("a longer one with zeros is accepted",
	       wdm_call(fd, WDM_IOMMU_INFO, &longer), STATUS_SUCCESS);
	longer.info.size = sizeof(longer);
	longer.more = 1;
	expect("a longer one with other data is refused",
	       wdm_call(fd, WDM_IOMMU_INFO, &longer), STATUS_REVISION_MISMATCH);
	errno = 0;
	tap_ok(ioctl(fd, WDM_IOMMU_INFO, NULL) == -1 && errno == EFAULT,
	       "a bad pointer is refused");
	errno = 0;
	tap_ok(ioctl(fd, _IO(WDM_IOMMU_TYPE, 0x7f), &info) == -1 && errno == ENOTTY,
	       "an ioctl that does not exist is refused");
	expect("handle 0 is refused", wdm_destroy(fd, 0), STATUS_INVALID_HANDLE);
}

static void check_domains(int fd, void *memory)
{
	const __u64 length = ARENA_PAGES * WDM_PAGE_SIZE;
	__u32 os = 0, caller = 0, mdl = 0;

	expect("create an OS-managed domain", wdm_domain_create(fd, true, 0, &os),
	       STATUS_SUCCESS);
	expect("create a caller-managed domain", wdm_domain_create(fd, false, 0, &caller),
	       STATUS_SUCCESS);
	expect("create an MDL", wdm_mdl_create(fd, memory, length, WDM_RW, &mdl),
	       STATUS_SUCCESS);
	expect("map into the OS-managed domain",
	       wdm_map(fd, os, WDM_RW, mdl, 0, 0, ADDRESS), STATUS_SUCCESS);
	expect("a page cannot be mapped twice",
	       wdm_map(fd, os, WDM_RW, mdl, 0, WDM_PAGE_SIZE, ADDRESS + WDM_PAGE_SIZE),
	       STATUS_RESOURCE_IN_USE);
	expect("Flush is not for an OS-managed domain", wdm_flush(fd, os, NULL),
	       STATUS_INVALID_PARAMETER_1);
	expect("Map is not for a caller-managed domain",
	       wdm_map(fd, caller, WDM_RW, mdl, 0, 0, ADDRESS), STATUS_INVALID_PARAMETER_1);
	expect("a domain is not an MDL", wdm_map(fd, os, WDM_RW, os, 0, 0, 0),
	       STATUS_OBJECT_TYPE_MISMATCH);
	expect("an MDL cannot be deleted while it is mapped", wdm_destroy(fd, mdl),
	       STATUS_RESOURCE_IN_USE);
	expect("unmap", wdm_unmap(fd, os, ADDRESS, ARENA_PAGES * WDM_PAGE_SIZE), STATUS_SUCCESS);
	expect("delete the MDL", wdm_destroy(fd, mdl), STATUS_SUCCESS);
	expect("delete the OS-managed domain", wdm_destroy(fd, os), STATUS_SUCCESS);
	expect("delete the caller-managed domain", wdm_destroy(fd, caller),
	       STATUS_SUCCESS);
}

/* Not attached: blocked. Mapped: arrives. Unmapped: blocked. */
static bool dma_is_contained(int fd, struct wdm_vfio_device *device, void *memory)
{
	struct probe probe;
	__u32 domain, mdl;
	bool good;

	if (!probe_init(&probe, wdm_bar_map(device, 0, 0, 0, NULL), memory,
			ARENA_PAGES * WDM_PAGE_SIZE))
		return false;
	good = !wdm_domain_create(fd, true, 0, &domain) &&
	       !wdm_mdl_create(fd, memory, probe.size, WDM_RW, &mdl) &&
	       !wdm_map(fd, domain, WDM_RW, mdl, 0, 0, ADDRESS) &&
	       probe_write(&probe, ADDRESS, memory) == DMA_BLOCKED &&
	       !wdm_attach(fd, domain, wdm_vfio_handle(device)) &&
	       probe_load(&probe, ADDRESS, memory) &&
	       probe_write(&probe, ADDRESS, memory) == DMA_ARRIVED &&
	       !wdm_unmap(fd, domain, ADDRESS, ARENA_PAGES * WDM_PAGE_SIZE) &&
	       probe_write(&probe, ADDRESS, memory) == DMA_BLOCKED;
	probe_free(&probe);
	return good;
}

static void check_edu(int fd, struct wdm_vfio_device *device, void *memory)
{
	tap_ok(dma_is_contained(fd, device, memory),
	       "DMA arrives where it is mapped, and nowhere else");
}

/* Get the reason why a device cannot be tested; NULL if it can. */
static const char *why_not(const char *bdf, unsigned int class)
{
	static char text[256];
	char driver[64];

	if (!wdm_pci_is_edu(bdf) && class != CLASS_NVME)
		return "it is neither an NVMe controller nor an edu device";
	if (wdm_pci_has_vfio_driver(bdf))
		return NULL;
	if (!wdm_pci_driver(bdf, driver, sizeof(driver)))
		snprintf(driver, sizeof(driver), "no driver");
	snprintf(text, sizeof(text),
		 "it is bound to %s; make sure that nothing uses it (lsblk, mount), then: driverctl --nosave set-override %s vfio-pci",
		 driver, bdf);
	return text;
}

/* Find the given device, or the first edu device; 0 if there is no such device. */
static bool find_device(const char *asked, struct wdm_bdf *bdf)
{
	struct wdm_pci_address address;

	if (!asked)
		return find_edu(bdf, 1);
	if (!wdm_pci_parse(asked, &address))
		return false;
	wdm_pci_format(&address, bdf);
	return true;
}

static void check_device(int fd, void *memory, const char *asked)
{
	unsigned int vendor = 0, class = 0;
	struct wdm_vfio_device *device;
	struct wdm_error error;
	const char *reason;
	struct wdm_bdf bdf;

	if (!find_device(asked, &bdf)) {
		tap_result(asked ? TAP_FAIL : TAP_SKIP, "DMA of a device",
			   "no edu device is bound to VFIO; an NVMe controller can be named");
		if (asked)
			tap_diag("%s is not a PCI address", asked);
		return;
	}
	if (wdm_pci_attribute(bdf.text, "vendor", &vendor) ||
	    wdm_pci_attribute(bdf.text, "class", &class))
		reason = "there is no such device";
	else
		reason = why_not(bdf.text, class);
	if (reason) {
		tap_ok(false, "%s can be tested", bdf.text);
		tap_diag("%s: %s", bdf.text, reason);
		return;
	}
	device = wdm_vfio_open(fd, bdf.text, &error);
	if (!tap_ok(device, "open %s", bdf.text)) {
		tap_diag("%s", error.text);
		return;
	}
	if (class == CLASS_NVME)
		selftest_nvme(fd, device, vendor);
	else
		check_edu(fd, device, memory);
	wdm_vfio_close(device);
}

int cmd_selftest(const struct options *options)
{
	struct wdm_iommu_info info;
	void *memory = get_pages(ARENA_PAGES);
	int fd;

	tap_header("TAP version 13");
	fd = wdm_open();
	if (tap_ok(fd >= 0, "open " WDM_IOMMU_PATH)) {
		expect("info", wdm_info(fd, &info), STATUS_SUCCESS);
		check_dispatch(fd);
		check_domains(fd, memory);
		check_device(fd, memory, options->words[0]);
		close(fd);
	} else {
		report_open();
	}
	return tap_finish();
}
