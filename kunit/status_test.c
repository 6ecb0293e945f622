// SPDX-License-Identifier: GPL-2.0
/*
 * NTSTATUS: values, names, errno and back.
 */
#include <kunit/test.h>
#include <linux/errno.h>
#include <linux/string.h>

#include "../module/status.h"
#include "support/fixture.h"

struct status_row {
	ntstatus_t status;
	int err;
	const char *name;
	const char *meaning;
};

static const struct status_row status_table[] = {
#define WDM_NTSTATUS_ROW(_status, _err, _meaning) \
	{ (_status), (_err), #_status, (_meaning) },
#include <linux/wdm_ntstatus_table.h>
#undef WDM_NTSTATUS_ROW
};

/* The contract's values, from Windows' headers */
static const struct {
	const char *name;
	u32 value;
} status_contract[] = {
	{ "STATUS_SUCCESS", 0 },
	{ "STATUS_DEVICE_BUSY", 0x80000011 },
	{ "STATUS_UNSUCCESSFUL", 0xC0000001 },
	{ "STATUS_NOT_IMPLEMENTED", 0xC0000002 },
	{ "STATUS_ACCESS_VIOLATION", 0xC0000005 },
	{ "STATUS_INVALID_HANDLE", 0xC0000008 },
	{ "STATUS_INVALID_PARAMETER", 0xC000000D },
	{ "STATUS_NO_SUCH_DEVICE", 0xC000000E },
	{ "STATUS_INVALID_DEVICE_REQUEST", 0xC0000010 },
	{ "STATUS_CONFLICTING_ADDRESSES", 0xC0000018 },
	{ "STATUS_ACCESS_DENIED", 0xC0000022 },
	{ "STATUS_BUFFER_TOO_SMALL", 0xC0000023 },
	{ "STATUS_OBJECT_TYPE_MISMATCH", 0xC0000024 },
	{ "STATUS_INVALID_PARAMETER_MIX", 0xC0000030 },
	{ "STATUS_DELETE_PENDING", 0xC0000056 },
	{ "STATUS_REVISION_MISMATCH", 0xC0000059 },
	{ "STATUS_PRIVILEGE_NOT_HELD", 0xC0000061 },
	{ "STATUS_NONE_MAPPED", 0xC0000073 },
	{ "STATUS_INSUFFICIENT_RESOURCES", 0xC000009A },
	{ "STATUS_WORKING_SET_QUOTA", 0xC00000A1 },
	{ "STATUS_NOT_SUPPORTED", 0xC00000BB },
	{ "STATUS_INVALID_PARAMETER_1", 0xC00000EF },
	{ "STATUS_INVALID_PARAMETER_2", 0xC00000F0 },
	{ "STATUS_INVALID_PARAMETER_3", 0xC00000F1 },
	{ "STATUS_INVALID_PARAMETER_4", 0xC00000F2 },
	{ "STATUS_INVALID_PARAMETER_5", 0xC00000F3 },
	{ "STATUS_INVALID_PARAMETER_6", 0xC00000F4 },
	{ "STATUS_INVALID_PARAMETER_7", 0xC00000F5 },
	{ "STATUS_INVALID_PARAMETER_8", 0xC00000F6 },
	{ "STATUS_INVALID_PARAMETER_9", 0xC00000F7 },
	{ "STATUS_INVALID_PARAMETER_10", 0xC00000F8 },
	{ "STATUS_INVALID_PARAMETER_11", 0xC00000F9 },
	{ "STATUS_INVALID_PARAMETER_12", 0xC00000FA },
	{ "STATUS_CANCELLED", 0xC0000120 },
	{ "STATUS_INVALID_DEVICE_STATE", 0xC0000184 },
	{ "STATUS_NOT_FOUND", 0xC0000225 },
	{ "STATUS_DEVICE_REMOVED", 0xC00002B6 },
	{ "STATUS_RESOURCE_IN_USE", 0xC0000708 },
};

static u32 status_value(ntstatus_t status)
{
	return (__force u32)status;
}

static void status_numbers(struct kunit *test)
{
	unsigned int i, j, found;

	KUNIT_EXPECT_EQ(test, ARRAY_SIZE(status_table),
			ARRAY_SIZE(status_contract));
	for (i = 0; i < ARRAY_SIZE(status_contract); i++) {
		found = 0;
		for (j = 0; j < ARRAY_SIZE(status_table); j++) {
			if (strcmp(status_contract[i].name,
				   status_table[j].name))
				continue;
			found++;
			KUNIT_EXPECT_EQ_MSG(test, status_contract[i].value,
					    status_value(status_table[j].status),
					    "%s", status_contract[i].name);
		}
		KUNIT_EXPECT_EQ_MSG(test, found, 1, "%s",
				    status_contract[i].name);
	}
}

static void status_rows(struct kunit *test)
{
	const struct status_row *row;
	unsigned int i, j;

	for (i = 0; i < ARRAY_SIZE(status_table); i++) {
		row = &status_table[i];
		KUNIT_EXPECT_EQ_MSG(test, wdm_status_to_errno(row->status),
				    -row->err, "%s", row->name);
		KUNIT_EXPECT_STREQ(test, wdm_status_name(row->status),
				   row->name);
		KUNIT_EXPECT_GT_MSG(test, strlen(row->meaning), 0, "%s",
				    row->name);
		/* A failing status has an errno, and an errno has a failing status. */
		KUNIT_EXPECT_EQ_MSG(test, !wdm_ok(row->status), !!row->err,
				    "%s", row->name);
		KUNIT_EXPECT_EQ_MSG(test, !!status_value(row->status),
				    !!row->err, "%s", row->name);
		KUNIT_EXPECT_LT_MSG(test, row->err, MAX_ERRNO, "%s", row->name);
		for (j = 0; j < i; j++)
			KUNIT_EXPECT_NE_MSG(test, status_value(row->status),
					    status_value(status_table[j].status),
					    "%s", row->name);
	}
}

static void status_unknown(struct kunit *test)
{
	static const u32 unknown[] = {
		0x00000001, 0x80000012, 0xC0000003, 0xC00000EE, 0xC00000FB,
		0x40000000, 0xFFFFFFFF,
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(unknown); i++) {
		ntstatus_t status = (__force ntstatus_t)unknown[i];

		KUNIT_EXPECT_EQ_MSG(test, wdm_status_to_errno(status), -EIO,
				    "%08x", unknown[i]);
		KUNIT_EXPECT_STREQ(test, wdm_status_name(status), "STATUS_?");
		KUNIT_EXPECT_TRUE(test, !wdm_ok(status));
	}
}

static void status_from_errno(struct kunit *test)
{
	static const struct {
		int err;
		ntstatus_t status;
	} rows[] = {
		{ -ENOMEM, STATUS_INSUFFICIENT_RESOURCES },
		{ -ENOSPC, STATUS_INSUFFICIENT_RESOURCES },
		{ -EFAULT, STATUS_ACCESS_VIOLATION },
		{ -EINTR, STATUS_CANCELLED },
		{ -ERESTARTSYS, STATUS_CANCELLED },
		{ -EBUSY, STATUS_DEVICE_BUSY },
		{ -ENODEV, STATUS_NO_SUCH_DEVICE },
		{ -EPERM, STATUS_ACCESS_DENIED },
		{ -EACCES, STATUS_ACCESS_DENIED },
		{ -EOPNOTSUPP, STATUS_NOT_SUPPORTED },
		{ -EINVAL, STATUS_INVALID_PARAMETER },
		{ -EDOM, STATUS_UNSUCCESSFUL },
	};
	ntstatus_t status;
	unsigned int i;
	int err;

	KUNIT_EXPECT_STATUS(test, wdm_status_from_errno(0), STATUS_SUCCESS);
	KUNIT_EXPECT_STATUS(test, wdm_status_from_driver(0), STATUS_SUCCESS);
	KUNIT_EXPECT_STATUS(test, wdm_status_from_driver(-ENOMEM),
			    STATUS_INSUFFICIENT_RESOURCES);
	KUNIT_EXPECT_STATUS(test, wdm_status_from_driver(-EAGAIN), STATUS_DEVICE_BUSY);
	KUNIT_EXPECT_STATUS(test, wdm_status_from_driver(-EINTR), STATUS_DEVICE_BUSY);
	for (i = 0; i < ARRAY_SIZE(rows); i++)
		KUNIT_EXPECT_STATUS(test, wdm_status_from_errno(rows[i].err),
				    rows[i].status);

	/* No errno becomes a success or a status without a row. */
	for (err = 1; err < MAX_ERRNO; err++) {
		status = wdm_status_from_errno(-err);
		KUNIT_EXPECT_TRUE_MSG(test, !wdm_ok(status), "%d", err);
		KUNIT_EXPECT_STRNEQ(test, wdm_status_name(status), "STATUS_?");
	}
}

static struct kunit_case status_cases[] = {
	KUNIT_CASE(status_numbers),
	KUNIT_CASE(status_rows),
	KUNIT_CASE(status_unknown),
	KUNIT_CASE(status_from_errno),
	{}
};

static struct kunit_suite status_suite = {
	.name = "wdm_iommu_status",
	.test_cases = status_cases,
};

kunit_test_suite(status_suite);
