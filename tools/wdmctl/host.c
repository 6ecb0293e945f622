// SPDX-License-Identifier: GPL-2.0
/*
 * What prevents the use of a machine, or of one of its devices, and cures.
 */
#include <dirent.h>
#include <errno.h>
#include <grp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <linux/capability.h>

#include "array_size.h"
#include "host.h"
#include "wdmctl.h"

#define GROUPS		"/sys/kernel/iommu_groups"
#define PARAMETER	"/sys/module/wdm_iommu/parameters/allow_unsafe_interrupts"
#define REMAPPING_CURE \
	"turn interrupt remapping on (firmware: VT-d, x2APIC; QEMU: intremap=on, " \
	"kernel-irqchip=split), or accept it: echo 1 > " PARAMETER

/* A buffer of a usual size would exceed less than this. */
#define MEMLOCK_ENOUGH	(64ULL << 20)

void verdict_set(struct verdict *verdict, enum grade grade, const char *format, ...)
{
	va_list arguments;

	*verdict = (struct verdict) { .grade = grade };
	va_start(arguments, format);
	vsnprintf(verdict->what, sizeof(verdict->what), format, arguments);
	va_end(arguments);
}

void verdict_cure(struct verdict *verdict, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(verdict->cure, sizeof(verdict->cure), format, arguments);
	va_end(arguments);
}

/* List the names in a directory, separated by blanks. Return their number. */
static unsigned int list_folder(const char *path, char *names, size_t size)
{
	DIR *folder = opendir(path);
	const struct dirent *entry;
	unsigned int number = 0;
	size_t used = 0;

	if (!folder)
		return 0;
	while ((entry = readdir(folder))) {
		if (entry->d_name[0] == '.')
			continue;
		number++;
		if (used < size)
			used += snprintf(names + used, size - used, "%s%s", used ? " " : "",
					 entry->d_name);
	}
	closedir(folder);
	return number;
}

unsigned int host_groups(void)
{
	return list_folder(GROUPS, NULL, 0);
}

/* Check whether the firmware provides a DMA remapping table. */
static bool has_table(const char *name)
{
	char path[64];

	snprintf(path, sizeof(path), "/sys/firmware/acpi/tables/%s", name);
	return !access(path, F_OK);
}

void host_iommu(struct verdict *verdict)
{
	unsigned int groups = host_groups();
	char names[128] = "";

	list_folder("/sys/class/iommu", names, sizeof(names));
	if (groups) {
		verdict_set(verdict, GRADE_OK, "the IOMMU is on: %s%s%u groups", names,
			    *names ? ", " : "", groups);
		return;
	}
	verdict_set(verdict, GRADE_FAIL, "no device is behind an IOMMU: %s is empty", GROUPS);
	if (has_table("DMAR"))
		verdict_cure(verdict, "the firmware has an Intel IOMMU: boot with intel_iommu=on");
	else if (has_table("IVRS"))
		verdict_cure(verdict,
			     "the firmware offers an AMD IOMMU: boot without amd_iommu=off and iommu=off");
	else
		verdict_cure(verdict,
			     "turn VT-d, AMD-Vi or the SMMU on in the firmware's setup; in a VM, give it an IOMMU (QEMU: -device intel-iommu,intremap=on)");
}

/* Get the kernel's configuration, to be freed; NULL if it is not available. */
static char *read_config(void)
{
	static const char * const places[] = {
		"/boot/config-%s", "/lib/modules/%s/config", "/lib/modules/%s/build/.config",
	};
	char path[128], *text = NULL;
	struct utsname name;
	FILE *unpacked;
	size_t size;

	if (!access("/proc/config.gz", R_OK)) {
		unpacked = popen("gzip -dc /proc/config.gz 2>/dev/null", "re");
		if (unpacked) {
			text = calloc(1, 1 << 20);
			size = text ? fread(text, 1, (1 << 20) - 1, unpacked) : 0;
			pclose(unpacked);
			if (size)
				return text;
			free(text);
			text = NULL;
		}
	}
	uname(&name);
	for (size_t i = 0; !text && i < ARRAY_SIZE(places); i++) {
		snprintf(path, sizeof(path), places[i], name.release);
		text = read_text(path);
	}
	return text;
}

static bool has_option(const char *config, const char *option)
{
	char line[64];
	const char *at;

	snprintf(line, sizeof(line), "\nCONFIG_%s=", option);
	at = strstr(config, line);
	return at && (at[strlen(line)] == 'y' || at[strlen(line)] == 'm');
}

void host_config(struct verdict *verdict)
{
	static const char * const needed[] = { "IOMMU_API", "PCI", "VFIO", "VFIO_PCI" };
	char missing[128] = "", *config = read_config();
	struct utsname name;
	size_t used = 0;

	uname(&name);
	if (!config) {
		verdict_set(verdict, GRADE_WARN, "the options of kernel %s cannot be read",
			    name.release);
		verdict_cure(verdict, "install its package, with /boot/config-%s", name.release);
		return;
	}
	for (size_t i = 0; i < ARRAY_SIZE(needed); i++) {
		if (!has_option(config, needed[i]))
			used += snprintf(missing + used, sizeof(missing) - used, " CONFIG_%s",
					 needed[i]);
	}
	/* VFIO_GROUP is older than the option for it. */
	if (!has_option(config, "VFIO_DEVICE_CDEV") && strstr(config, "CONFIG_VFIO_CONTAINER") &&
	    !has_option(config, "VFIO_CONTAINER"))
		used += snprintf(missing + used, sizeof(missing) - used,
				 " CONFIG_VFIO_CONTAINER or CONFIG_VFIO_DEVICE_CDEV");
	free(config);
	if (used) {
		verdict_set(verdict, GRADE_FAIL, "kernel %s lacks%s", name.release, missing);
		verdict_cure(verdict, "use a kernel that has it, as those of Debian do");
	} else {
		verdict_set(verdict, GRADE_OK, "kernel %s has the options that are needed",
			    name.release);
	}
}

/* Check whether the module is installed below /lib/modules. */
static bool module_installed(void)
{
	FILE *found = popen("modinfo -F filename wdm_iommu 2>/dev/null", "re");
	char line[256] = "";
	bool installed;

	if (!found)
		return false;
	installed = fgets(line, sizeof(line), found) && *line == '/';
	pclose(found);
	return installed;
}

static void cure_missing(struct verdict *verdict)
{
	verdict_cure(verdict, module_installed() ? "modprobe wdm_iommu" :
		     "install it: make install, or the package wdm-iommu-dkms; then modprobe wdm_iommu");
}

void host_module(struct verdict *verdict)
{
	char *version = read_text("/sys/module/wdm_iommu/version");

	if (!access("/sys/module/wdm_iommu", F_OK)) {
		verdict_set(verdict, GRADE_OK, "the module wdm_iommu is loaded%s%.*s",
			    version ? ", version " : "",
			    version ? (int)strcspn(version, "\n") : 0, version ? version : "");
	} else {
		verdict_set(verdict, GRADE_FAIL, "the module wdm_iommu is not loaded");
		cure_missing(verdict);
	}
	free(version);
}

/* Get the name of a group; NULL if /etc/group lacks it. Static programs lack getgrgid(). */
static const char *group_name(gid_t number)
{
	static char name[64];
	const struct group *group;
	FILE *file = fopen("/etc/group", "re");

	*name = '\0';
	while (file && (group = fgetgrent(file))) {
		if (group->gr_gid == number)
			snprintf(name, sizeof(name), "%s", group->gr_name);
	}
	if (file)
		fclose(file);
	return *name ? name : NULL;
}

/* Describe the owner of a file, and how to get access. */
static void cure_permission(struct verdict *verdict, const char *path)
{
	const char *group = NULL, *user = getenv("USER");
	struct stat file;

	if (stat(path, &file))
		return;
	if ((file.st_mode & 0060) == 0060 && file.st_gid)
		group = group_name(file.st_gid);
	if (group)
		verdict_cure(verdict, "usermod -aG %s %s, and log in again", group,
			     user ? user : "USER");
	else
		verdict_cure(verdict,
			     "chgrp %s and chmod 0660 as root, or a udev rule that does it (README, \"Install and load\")",
			     path);
}

/* @error: of open() */
static void open_verdict(struct verdict *verdict, int error)
{
	switch (error) {
	case ENOENT:
		verdict_set(verdict, GRADE_FAIL, "there is no " WDM_IOMMU_PATH);
		cure_missing(verdict);
		break;
	case EACCES:
	case EPERM:
		verdict_set(verdict, GRADE_FAIL, "no permission for " WDM_IOMMU_PATH ": %s",
			    strerror(error));
		cure_permission(verdict, WDM_IOMMU_PATH);
		break;
	default:
		verdict_set(verdict, GRADE_FAIL, "cannot open " WDM_IOMMU_PATH ": %s",
			    strerror(error));
		/* The files of a user share a budget of kernel memory. */
		if (error == ENOMEM)
			verdict_cure(verdict, "close files: wdmctl ps");
	}
}

/* Report that wdm_open() has failed. Return an exit status. */
int report_open(void)
{
	struct verdict verdict;

	open_verdict(&verdict, errno);
	return report_text("%s%s%s", verdict.what, *verdict.cure ? "; cure: " : "", verdict.cure);
}

void host_file(struct verdict *verdict)
{
	struct wdm_iommu_info info;
	__u32 status;
	int fd = wdm_open();

	if (fd < 0) {
		open_verdict(verdict, errno);
		return;
	}
	status = wdm_info(fd, &info);
	close(fd);
	if (!status) {
		verdict_set(verdict, GRADE_OK, WDM_IOMMU_PATH " answers: interface version %u",
			    info.interface_version);
	} else {
		verdict_set(verdict, GRADE_FAIL, WDM_IOMMU_PATH " does not answer: %s",
			    wdm_status_name(status));
		verdict_cure(verdict, "use a wdmctl of the module's version");
	}
}

/* Get the flags of the module's info; 0 if it does not answer, which host_file() reports. */
static __u32 info_flags(int fd)
{
	struct wdm_iommu_info info;

	return wdm_info(fd, &info) ? 0 : info.flags;
}

/* Check whether devices can be opened through their cdevs. */
static bool has_iommufd(struct verdict *verdict)
{
	struct wdm_error error;
	int iommufd = wdm_iommufd_open(&error);

	if (iommufd < 0) {
		verdict_set(verdict, GRADE_FAIL, "%s", error.text);
		return false;
	}
	close(iommufd);
	verdict_set(verdict, GRADE_OK, "VFIO hands devices over by their cdevs");
	return true;
}

void host_vfio(struct verdict *verdict)
{
	int fd = wdm_open(), container;
	__u32 flags = info_flags(fd);
	struct wdm_error error;

	if (fd >= 0)
		close(fd);
	/* Without access to the module: VFIO has this file if it supports containers. */
	if (!flags && access("/dev/vfio/vfio", F_OK))
		flags = WDM_IOMMU_INFO_VFIO_CDEV;
	if (access("/sys/bus/pci/drivers/vfio-pci", F_OK)) {
		verdict_set(verdict, GRADE_FAIL, "the driver vfio-pci is not loaded");
		verdict_cure(verdict, "modprobe vfio-pci");
		return;
	}
	if (flags & WDM_IOMMU_INFO_VFIO_CDEV &&
	    (has_iommufd(verdict) || !(flags & WDM_IOMMU_INFO_VFIO_CONTAINER)))
		return;
	container = wdm_container_open(&error);
	if (container >= 0) {
		close(container);
		verdict_set(verdict, GRADE_OK, "VFIO hands devices over in containers");
		return;
	}
	switch (error.error) {
	case ENODEV:
		verdict_set(verdict, GRADE_FAIL, "VFIO does not know wdm_iommu");
		verdict_cure(verdict, "load the module");
		break;
	case EACCES:
	case EPERM:
		verdict_set(verdict, GRADE_FAIL, "no permission for /dev/vfio/vfio");
		verdict_cure(verdict, "chmod 0666 /dev/vfio/vfio, which gives access to no device");
		break;
	default:
		verdict_set(verdict, GRADE_FAIL, "cannot open /dev/vfio/vfio: %s",
			    strerror(error.error));
		verdict_cure(verdict, "modprobe vfio-pci");
	}
}

static bool unsafe_allowed(void)
{
	char *text = read_text(PARAMETER);
	bool allowed = text && (*text == 'Y' || *text == '1');

	free(text);
	return allowed;
}

/*
 * On x86, names of remapped interrupts start with "IR-", and some are always in use. On ARM,
 * the interrupt controller isolates them.
 */
void host_interrupts(struct verdict *verdict)
{
	char *text = read_text("/proc/interrupts");
	struct utsname name;
	bool remapped;

	uname(&name);
	remapped = strcmp(name.machine, "x86_64") || (text && strstr(text, "IR-"));
	free(text);
	if (remapped) {
		verdict_set(verdict, GRADE_OK, "interrupts are remapped: they cannot be forged");
		return;
	}
	verdict_set(verdict, unsafe_allowed() ? GRADE_WARN : GRADE_FAIL,
		    "interrupts are not remapped: devices can forge them by DMA writes%s",
		    unsafe_allowed() ? "; allow_unsafe_interrupts accepts that" : "");
	if (verdict->grade == GRADE_FAIL)
		verdict_cure(verdict,
			     REMAPPING_CURE);
}

static bool has_capability(unsigned int capability)
{
	char *text = read_text("/proc/self/status");
	const char *at = text ? strstr(text, "\nCapEff:") : NULL;
	bool has = at && strtoull(at + 8, NULL, 16) >> capability & 1;

	free(text);
	return has;
}

void host_memlock(struct verdict *verdict)
{
	struct rlimit limit;

	getrlimit(RLIMIT_MEMLOCK, &limit);
	if (has_capability(CAP_IPC_LOCK)) {
		verdict_set(verdict, GRADE_OK, "CAP_IPC_LOCK lifts the limit of pinned memory");
	} else if (limit.rlim_cur == RLIM_INFINITY) {
		verdict_set(verdict, GRADE_OK, "pinned memory is not limited");
	} else {
		verdict_set(verdict, limit.rlim_cur < MEMLOCK_ENOUGH ? GRADE_WARN : GRADE_OK,
			    "pinned memory is limited to %s", SIZE_TEXT(limit.rlim_cur));
		if (verdict->grade != GRADE_OK)
			verdict_cure(verdict,
				     "ulimit -l, or a line \"USER - memlock unlimited\" in /etc/security/limits.d");
	}
}

/* Check whether any device can be used. If not, report the first problem. */
bool host_ready(struct verdict *verdict)
{
	static void (*const checks[])(struct verdict *verdict) = {
		host_iommu, host_module, host_file, host_vfio,
	};

	for (size_t i = 0; i < ARRAY_SIZE(checks); i++) {
		checks[i](verdict);
		if (verdict->grade == GRADE_FAIL)
			return false;
	}
	return true;
}

bool device_is_bridge(const char *bdf)
{
	unsigned int class;

	return !wdm_pci_attribute(bdf, "class", &class) && class >> 16 == 0x06;
}

/* List other members of the group with a driver that is neither VFIO's nor a bridge's. */
static void list_strangers(const char *bdf, char *names, size_t size)
{
	int group = wdm_pci_group(bdf), number;
	struct wdm_bdf *list;
	size_t used = 0;
	char driver[64];

	*names = '\0';
	number = wdm_pci_list(&list);
	for (int i = 0; i < number; i++) {
		const char *other = list[i].text;

		if (wdm_pci_group(other) == group && !device_is_bridge(other) &&
		    !wdm_pci_has_vfio_driver(other) &&
		    wdm_pci_driver(other, driver, sizeof(driver)) && used < size)
			used += snprintf(names + used, size - used, "%s%s (%s)",
					 used ? ", " : "", other, driver);
	}
	if (number >= 0)
		free(list);
}

static void bind_cure(struct verdict *verdict, const char *bdf, bool bound)
{
	verdict_cure(verdict,
		     "driverctl --nosave set-override %s vfio-pci, or: echo vfio-pci > /sys/bus/pci/devices/%s/driver_override; %secho %s > /sys/bus/pci/drivers_probe",
		     bdf, bdf, bound ? "unbind it from its driver; " : "", bdf);
}

static void group_verdict(struct verdict *verdict, const char *bdf, int number,
			  const struct wdm_error *error)
{
	char strangers[256], path[32];

	list_strangers(bdf, strangers, sizeof(strangers));
	snprintf(path, sizeof(path), "/dev/vfio/%d", number);
	if (*strangers && error->error == EBUSY) {
		verdict_set(verdict, GRADE_FAIL,
			    "group %d is not viable: %s has another driver", number, strangers);
		verdict_cure(verdict, "bind it to vfio-pci as well, or unbind it");
		return;
	}
	if (error->error == EBUSY) {
		verdict_set(verdict, GRADE_FAIL, "its group %d is in use", number);
		verdict_cure(verdict, "see wdmctl ps, or fuser %s", path);
	} else if (error->error == EACCES || error->error == EPERM) {
		verdict_set(verdict, GRADE_FAIL, "no permission for its group, %s", path);
		cure_permission(verdict, path);
	} else {
		verdict_set(verdict, GRADE_FAIL, "its group cannot be opened: %s", error->text);
	}
}

/* Query the module about a device that was handed to it. */
static void take_answer(struct verdict *verdict, int fd, __u32 status, __u32 device)
{
	struct wdm_iommu_query_device query;

	if (!status)
		status = wdm_query_device(fd, device, &query);
	if (status) {
		verdict_set(verdict, GRADE_FAIL, "the module refuses it: %s: %s",
			    wdm_status_name(status), wdm_status_text(status));
		verdict_cure(verdict, "%s", wdm_status_cure(status));
	} else if (!query.domain_types) {
		verdict_set(verdict, GRADE_FAIL,
			    "it cannot be attached: its interrupts are not isolated");
		verdict_cure(verdict, REMAPPING_CURE);
	}
}

/*
 * Check whether the module would attach the device. This adds its group to a container, which
 * blocks its DMA, but does not open the device, and so does not reset it.
 */
static void ask_module(struct verdict *verdict, int fd, const char *bdf, int container, int group)
{
	struct wdm_pci_address address;
	struct wdm_error error;
	__u32 status, device = 0;

	wdm_pci_parse(bdf, &address);
	if (!wdm_container_add(container, group, &error) ||
	    !wdm_container_bind(container, fd, &error)) {
		verdict_set(verdict, GRADE_FAIL, "%s", error.text);
		return;
	}
	status = wdm_device_create(fd, &address, &device, NULL);
	take_answer(verdict, fd, status, device);
}

/* Return false if this user cannot open the files. */
static bool ask_in_container(struct verdict *verdict, int fd, const char *bdf, int number)
{
	struct wdm_error error;
	int group, container = wdm_container_open(&error);

	if (container < 0) {
		verdict_set(verdict, GRADE_FAIL, "%s", error.text);
		return false;
	}
	group = wdm_group_open(number, &error);
	if (group >= 0) {
		ask_module(verdict, fd, bdf, container, group);
		close(group);
	} else {
		group_verdict(verdict, bdf, number, &error);
	}
	close(container);
	return group >= 0 || (error.error != EACCES && error.error != EPERM);
}

/* The same through the cdev, which has to be opened. */
static void ask_through_cdev(struct verdict *verdict, int fd, const char *bdf)
{
	struct wdm_error error;
	struct wdm_vfio_device *device = wdm_vfio_open(fd, bdf, &error);

	if (device) {
		verdict_set(verdict, GRADE_OK, "usable");
		take_answer(verdict, fd, STATUS_SUCCESS, wdm_vfio_handle(device));
		wdm_vfio_close(device);
	} else if (verdict->grade == GRADE_OK) {
		verdict_set(verdict, GRADE_FAIL, "%s", error.text);
	}
}

/* Through the container if possible, which does not reset the device. */
static void ask(struct verdict *verdict, int fd, const char *bdf, int number)
{
	__u32 flags = info_flags(fd);

	if (flags & WDM_IOMMU_INFO_VFIO_CONTAINER && ask_in_container(verdict, fd, bdf, number))
		return;
	if (flags & WDM_IOMMU_INFO_VFIO_CDEV)
		ask_through_cdev(verdict, fd, bdf);
}

/**
 * device_verdict() - Check whether a device can be used
 * @verdict: out: the answer; GRADE_WARN: not bound yet
 * @bdf: the device, as sysfs names it; the host is ready
 */
void device_verdict(struct verdict *verdict, const char *bdf)
{
	int number = wdm_pci_group(bdf), fd;
	char driver[64];

	if (number < 0) {
		verdict_set(verdict, GRADE_FAIL, "it is not behind an IOMMU");
		return;
	}
	if (!wdm_pci_has_vfio_driver(bdf)) {
		bool bound = wdm_pci_driver(bdf, driver, sizeof(driver));

		if (bound)
			verdict_set(verdict, GRADE_WARN, "its driver is %s", driver);
		else
			verdict_set(verdict, GRADE_WARN, "it is not bound to vfio-pci");
		bind_cure(verdict, bdf, bound);
		return;
	}
	verdict_set(verdict, GRADE_OK, "usable");
	fd = wdm_open();
	if (fd < 0)
		return;
	ask(verdict, fd, bdf, number);
	close(fd);
}
