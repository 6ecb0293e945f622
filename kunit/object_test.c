// SPDX-License-Identifier: GPL-2.0
/*
 * Handles and their objects, from reserving a handle to closing the file.
 */
#include <kunit/test.h>
#include <linux/completion.h>
#include <linux/kthread.h>
#include <linux/sched.h>
#include <linux/seq_file.h>

#include "../module/chardev/fdinfo.h"
#include "../module/chardev/object.h"
#include "support/fail_nth.h"
#include "support/fixture.h"

/* Number of handles of the random test, and its steps */
#define OBJECT_SLOTS	16
#define OBJECT_STEPS	4000

/* A handle that is never allocated */
#define OBJECT_NOBODY	0x7000000

/* Number of calls of each thread */
#define OBJECT_CALLS	4000

static void object_context(struct wdm_context *ctx)
{
	*ctx = (struct wdm_context) { };
	wdm_context_init(ctx);
}

/* Close the file, and check that nothing remains charged to it. */
static void object_close_context(struct kunit *test, struct wdm_context *ctx)
{
	wdm_object_delete_all(ctx);
	KUNIT_EXPECT_EQ(test, atomic64_read(&ctx->budget.used), 0);
}

/* Look up a handle and drop the reference at once. */
static ntstatus_t object_look(struct wdm_context *ctx, u32 handle,
			      enum wdm_object_type type)
{
	struct wdm_object *object;
	ntstatus_t status = wdm_object_get(ctx, handle, type, &object);

	if (wdm_ok(status))
		wdm_object_put(object);
	return status;
}

/* An object that takes over the creator's reference on an MDL */
static struct wdm_object *object_mdl(struct kunit *test,
				     struct wdm_context *ctx,
				     struct test_mdl **out)
{
	struct test_mdl *tm = fixture_mdl_random(FIXTURE(test), WDM_PERMS, 4,
						 2);
	struct wdm_object *object;

	KUNIT_ASSERT_STATUS(test, wdm_object_reserve(ctx, WDM_OBJECT_MDL,
						     &object), STATUS_SUCCESS);
	object->mdl = tm->mdl;
	tm->put = true;
	*out = tm;
	return object;
}

static struct wdm_object *object_domain(struct kunit *test,
					struct wdm_context *ctx)
{
	const struct wdm_domain_config config = { .type = WDM_TYPE_TRANSLATE };
	struct wdm_object *object;

	KUNIT_ASSERT_STATUS(test, wdm_object_reserve(ctx, WDM_OBJECT_DOMAIN,
						     &object), STATUS_SUCCESS);
	KUNIT_ASSERT_STATUS(test, wdm_domain_create(&config, &object->domain),
			    STATUS_SUCCESS);
	wdm_object_publish(ctx, object);
	return object;
}

/* An MDL that a domain maps */
static struct wdm_object *object_mapped_mdl(struct kunit *test,
					    struct wdm_context *ctx,
					    struct wdm_object **domain,
					    struct test_mdl **tm)
{
	struct wdm_object *mdl;

	*domain = object_domain(test, ctx);
	mdl = object_mdl(test, ctx, tm);
	wdm_object_publish(ctx, mdl);
	KUNIT_ASSERT_STATUS(test,
			    wdm_domain_map((*domain)->domain, WDM_READ, RANGE(mdl->mdl, 0, 4),
					   0x100000),
			    STATUS_SUCCESS);
	return mdl;
}

static void object_steps(struct kunit *test)
{
	struct wdm_object *object, *found;
	struct wdm_context ctx;
	struct test_mdl *tm;
	u32 handle;

	object_context(&ctx);
	object = object_mdl(test, &ctx, &tm);
	handle = object->handle;
	KUNIT_EXPECT_NE(test, handle, 0);

	/* A reserved handle names nothing yet. */
	KUNIT_EXPECT_STATUS(test, object_look(&ctx, handle, WDM_OBJECT_ANY),
			    STATUS_INVALID_HANDLE);
	KUNIT_EXPECT_STATUS(test, wdm_object_delete(&ctx, handle,
						    WDM_OBJECT_ANY),
			    STATUS_INVALID_HANDLE);

	wdm_object_publish(&ctx, object);
	KUNIT_EXPECT_STATUS(test, wdm_object_get(&ctx, handle, WDM_OBJECT_MDL,
						 &found), STATUS_SUCCESS);
	KUNIT_EXPECT_PTR_EQ(test, found, object);
	KUNIT_EXPECT_STATUS(test, object_look(&ctx, handle, WDM_OBJECT_DOMAIN),
			    STATUS_OBJECT_TYPE_MISMATCH);
	KUNIT_EXPECT_STATUS(test, wdm_object_delete(&ctx, handle,
						    WDM_OBJECT_DEVICE),
			    STATUS_OBJECT_TYPE_MISMATCH);
	KUNIT_EXPECT_STATUS(test, object_look(&ctx, 0, WDM_OBJECT_ANY),
			    STATUS_INVALID_HANDLE);
	KUNIT_EXPECT_STATUS(test, object_look(&ctx, OBJECT_NOBODY,
					      WDM_OBJECT_ANY),
			    STATUS_INVALID_HANDLE);

	/* A call uses it. */
	KUNIT_EXPECT_STATUS(test, wdm_object_delete(&ctx, handle,
						    WDM_OBJECT_MDL),
			    STATUS_RESOURCE_IN_USE);
	wdm_object_put(found);
	KUNIT_EXPECT_EQ(test, tm->freed, 0);
	KUNIT_EXPECT_STATUS(test, wdm_object_delete(&ctx, handle,
						    WDM_OBJECT_ANY),
			    STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, tm->freed, 1);
	KUNIT_EXPECT_STATUS(test, object_look(&ctx, handle, WDM_OBJECT_ANY),
			    STATUS_INVALID_HANDLE);
	KUNIT_EXPECT_TRUE(test, xa_empty(&ctx.objects));
	object_close_context(test, &ctx);
}

/* Reserving with the n-th allocation failing, for every n, leaves nothing behind. */
static void object_fail_nth(struct kunit *test)
{
	struct wdm_object *object;
	struct wdm_context ctx;
	ntstatus_t status;
	unsigned int nth;
	bool failed;

	memory_may_fail(test);
	for (nth = 1; nth < 10; nth++) {
		object_context(&ctx);
		memory_fail_nth(nth);
		status = wdm_object_reserve(&ctx, WDM_OBJECT_DOMAIN, &object);
		failed = memory_failed();
		if (wdm_ok(status)) {
			KUNIT_EXPECT_GT(test, atomic64_read(&ctx.budget.used), 0);
			wdm_object_abort(&ctx, object);
		} else {
			KUNIT_EXPECT_STATUS(test, status,
					    STATUS_INSUFFICIENT_RESOURCES);
		}
		KUNIT_EXPECT_TRUE(test, xa_empty(&ctx.objects));
		object_close_context(test, &ctx);
		if (!failed)
			break;
	}
	KUNIT_EXPECT_GE(test, nth, 3);
	KUNIT_EXPECT_LT(test, nth, 10);
}

/* A PASID is charged for what the kernel allocates when it is attached. */
static void object_pasid_charge(struct kunit *test)
{
	const u64 least = sizeof(struct wdm_attachment) + sizeof(struct wdm_hwpt) + PAGE_SIZE;
	struct wdm_object *object;
	struct wdm_context ctx;

	object_context(&ctx);
	KUNIT_ASSERT_STATUS(test, wdm_object_reserve(&ctx, WDM_OBJECT_PASID, &object),
			    STATUS_SUCCESS);
	KUNIT_EXPECT_GE(test, atomic64_read(&ctx.budget.used), least);
	wdm_object_abort(&ctx, object);
	object_close_context(test, &ctx);
}

/* Aborting destroys what the object already contains. */
static void object_abort(struct kunit *test)
{
	struct wdm_object *object;
	struct wdm_context ctx;
	struct test_mdl *tm;

	object_context(&ctx);
	KUNIT_ASSERT_STATUS(test, wdm_object_reserve(&ctx, WDM_OBJECT_DOMAIN,
						     &object), STATUS_SUCCESS);
	wdm_object_abort(&ctx, object);
	object = object_mdl(test, &ctx, &tm);
	wdm_object_abort(&ctx, object);
	KUNIT_EXPECT_EQ(test, tm->freed, 1);
	KUNIT_EXPECT_TRUE(test, xa_empty(&ctx.objects));
	object_close_context(test, &ctx);
}

/* A mapped MDL keeps its handle until it is unmapped. */
static void object_mapped(struct kunit *test)
{
	struct wdm_object *domain, *mdl;
	struct wdm_context ctx;
	struct test_mdl *tm;

	object_context(&ctx);
	mdl = object_mapped_mdl(test, &ctx, &domain, &tm);

	KUNIT_EXPECT_STATUS(test, wdm_object_delete(&ctx, mdl->handle,
						    WDM_OBJECT_MDL),
			    STATUS_RESOURCE_IN_USE);
	KUNIT_EXPECT_STATUS(test, object_look(&ctx, mdl->handle,
					      WDM_OBJECT_MDL), STATUS_SUCCESS);
	KUNIT_EXPECT_STATUS(test, wdm_object_delete(&ctx, domain->handle,
						    WDM_OBJECT_DOMAIN),
			    STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, tm->freed, 0);
	KUNIT_EXPECT_STATUS(test, wdm_object_delete(&ctx, mdl->handle,
						    WDM_OBJECT_MDL),
			    STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, tm->freed, 1);
	object_close_context(test, &ctx);
}

/* Print fdinfo into a buffer of this size; return true if it fits. */
static bool object_show(struct kunit *test, struct wdm_context *ctx, char *text,
			size_t size)
{
	struct seq_file m = { .buf = text, .size = size - 1 };

	memset(text, 0, size);
	wdm_fdinfo_show(&m, ctx);
	KUNIT_EXPECT_LT(test, m.count, size);
	return !seq_has_overflowed(&m);
}

/* fdinfo lists objects with a handle, except those that are being deleted. */
static void object_fdinfo(struct kunit *test)
{
	struct wdm_object *domain, *mdl;
	struct wdm_context ctx;
	struct test_mdl *tm;
	char *text;

	text = kunit_kzalloc(test, PAGE_SIZE, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, text);
	object_context(&ctx);
	mdl = object_mapped_mdl(test, &ctx, &domain, &tm);
	KUNIT_EXPECT_TRUE(test, object_show(test, &ctx, text, PAGE_SIZE));
	KUNIT_EXPECT_NOT_NULL(test, strstr(text, "domains=1 mdls=1 "));
	KUNIT_EXPECT_NOT_NULL(test, strstr(text, "wdm-domain:\thandle="));
	KUNIT_EXPECT_NOT_NULL(test, strstr(text, " maps=1 unmaps=0 "));
	KUNIT_EXPECT_EQ(test, refcount_read(&domain->users), 1);

	/* The reader retries with a larger buffer. */
	KUNIT_EXPECT_FALSE(test, object_show(test, &ctx, text, 100));

	KUNIT_ASSERT_TRUE(test, refcount_dec_if_one(&domain->users));
	KUNIT_EXPECT_TRUE(test, object_show(test, &ctx, text, PAGE_SIZE));
	KUNIT_EXPECT_NULL(test, strstr(text, "wdm-domain:"));
	KUNIT_EXPECT_NULL(test, strstr(text, "wdm-more:"));
	refcount_set(&domain->users, 1);

	KUNIT_EXPECT_STATUS(test, wdm_object_delete(&ctx, domain->handle,
						    WDM_OBJECT_DOMAIN),
			    STATUS_SUCCESS);
	KUNIT_EXPECT_STATUS(test, wdm_object_delete(&ctx, mdl->handle,
						    WDM_OBJECT_MDL), STATUS_SUCCESS);
	KUNIT_EXPECT_TRUE(test, object_show(test, &ctx, text, PAGE_SIZE));
	KUNIT_EXPECT_NOT_NULL(test, strstr(text, "domains=0 mdls=0 "));
	object_close_context(test, &ctx);
}

/* Closing a file destroys everything in it, mapped or not. */
static void object_close(struct kunit *test)
{
	struct wdm_object *domain, *mdl;
	struct test_mdl *tm[6];
	struct wdm_context ctx;
	unsigned int i;

	object_context(&ctx);
	for (i = 0; i < ARRAY_SIZE(tm); i++) {
		mdl = object_mdl(test, &ctx, &tm[i]);
		wdm_object_publish(&ctx, mdl);
		domain = object_domain(test, &ctx);
		if (i % 2)
			KUNIT_ASSERT_STATUS(test,
					    wdm_domain_map(domain->domain, WDM_PERMS,
							   RANGE(mdl->mdl, 0, 4), i << 20),
					    STATUS_SUCCESS);
	}
	object_close_context(test, &ctx);
	for (i = 0; i < ARRAY_SIZE(tm); i++)
		KUNIT_EXPECT_EQ(test, tm[i]->freed, 1);
}

/**
 * struct object_slot - an object of the random test, according to the model
 * @handle: its handle, 0 for none
 * @users: number of references
 * @object: the object
 */
struct object_slot {
	u32 handle;
	unsigned int users;
	struct wdm_object *object;
};

static void object_random_step(struct kunit *test, struct wdm_context *ctx,
			       struct object_slot *slot, u64 what)
{
	struct wdm_object *object;
	ntstatus_t want = slot->handle ? STATUS_SUCCESS : STATUS_INVALID_HANDLE;
	u32 handle = slot->handle ?: OBJECT_NOBODY;

	if (what == 0) {
		if (!slot->handle)
			slot->handle = object_domain(test, ctx)->handle;
	} else if (what == 1) {
		KUNIT_ASSERT_STATUS(test, wdm_object_get(ctx, handle,
							 WDM_OBJECT_DOMAIN,
							 &object), want);
		if (slot->handle) {
			KUNIT_ASSERT_EQ(test, object->handle, handle);
			slot->object = object;
			slot->users++;
		}
	} else if (what == 2 && slot->users) {
		wdm_object_put(slot->object);
		slot->users--;
	} else if (what == 3) {
		if (slot->users)
			want = STATUS_RESOURCE_IN_USE;
		KUNIT_ASSERT_STATUS(test, wdm_object_delete(ctx, handle,
							    WDM_OBJECT_DOMAIN),
				    want);
		if (wdm_ok(want))
			slot->handle = 0;
	}
}

static void object_random(struct kunit *test)
{
	struct object_slot slots[OBJECT_SLOTS] = { };
	struct fixture *fx = FIXTURE(test);
	struct wdm_context ctx;
	unsigned int i, j, k;

	object_context(&ctx);
	for (i = 0; i < OBJECT_STEPS; i++) {
		object_random_step(test, &ctx,
				   &slots[fixture_below(&fx->rng,
							OBJECT_SLOTS)],
				   fixture_below(&fx->rng, 4));
		for (j = 0; j < OBJECT_SLOTS; j++)
			for (k = 0; k < j; k++)
				if (slots[j].handle)
					KUNIT_ASSERT_NE(test, slots[j].handle,
							slots[k].handle);
	}
	for (i = 0; i < OBJECT_SLOTS; i++)
		while (slots[i].users--)
			wdm_object_put(slots[i].object);
	object_close_context(test, &ctx);
}

/**
 * struct object_thread - a thread that uses, and tries to delete, one handle
 * @ctx: the file
 * @handle: the handle
 * @object: its object, with a reference, for another thread to drop
 * @domain: where to map it
 * @iova: the address
 * @deletes: the thread only deletes
 * @deleted: number of successful deletes
 * @odd: number of unexpected statuses
 * @done: completed when the thread ends
 */
struct object_thread {
	struct wdm_context *ctx;
	u32 handle;
	struct wdm_object *object;
	struct wdm_domain *domain;
	u64 iova;
	bool deletes;
	unsigned int deleted;
	unsigned int odd;
	struct completion done;
};

/* Run threads to their end. */
static void object_run(struct kunit *test, struct object_thread *threads,
		       unsigned int nr, int (*fn)(void *data))
{
	unsigned int i;

	for (i = 0; i < nr; i++) {
		init_completion(&threads[i].done);
		KUNIT_ASSERT_FALSE(test, IS_ERR(kthread_run(fn, &threads[i],
							    "object/%u", i)));
	}
	for (i = 0; i < nr; i++) {
		wait_for_completion(&threads[i].done);
		KUNIT_EXPECT_EQ(test, threads[i].odd, 0);
	}
}

static int object_thread(void *data)
{
	struct object_thread *thread = data;
	struct wdm_object *object;
	ntstatus_t status;
	unsigned int i;

	for (i = 0; i < 2000; i++) {
		status = wdm_object_get(thread->ctx, thread->handle,
					WDM_OBJECT_DOMAIN, &object);
		if (wdm_ok(status)) {
			if (object->handle != thread->handle)
				thread->odd++;
			cond_resched();
			wdm_object_put(object);
		} else if (status != STATUS_INVALID_HANDLE) {
			thread->odd++;
		}
		if (i % 7)
			continue;
		status = wdm_object_delete(thread->ctx, thread->handle,
					   WDM_OBJECT_DOMAIN);
		if (wdm_ok(status))
			thread->deleted++;
		else if (status != STATUS_INVALID_HANDLE &&
			 status != STATUS_RESOURCE_IN_USE)
			thread->odd++;
	}
	complete(&thread->done);
	return 0;
}

/* Of many threads that delete an object, one succeeds. */
static void object_threads(struct kunit *test)
{
	struct object_thread threads[4];
	struct wdm_context ctx;
	unsigned int i, deleted = 0;
	u32 handle;

	object_context(&ctx);
	handle = object_domain(test, &ctx)->handle;
	for (i = 0; i < ARRAY_SIZE(threads); i++)
		threads[i] = (struct object_thread) {
			.ctx = &ctx,
			.handle = handle,
		};
	object_run(test, threads, ARRAY_SIZE(threads), object_thread);
	for (i = 0; i < ARRAY_SIZE(threads); i++)
		deleted += threads[i].deleted;
	KUNIT_EXPECT_EQ(test, deleted, 1);
	object_close_context(test, &ctx);
}

/* A thread may drop a reference that another thread took. */
static int object_put_thread(void *data)
{
	struct object_thread *thread = data;

	if (!wdm_ok(wdm_object_get(thread->ctx, thread->handle, WDM_OBJECT_ANY,
				   &thread->object)))
		thread->odd++;
	complete(&thread->done);
	return 0;
}

static void object_put_elsewhere(struct kunit *test)
{
	struct object_thread threads[4];
	struct wdm_context ctx;
	unsigned int i;
	u32 handle;

	object_context(&ctx);
	handle = object_domain(test, &ctx)->handle;
	for (i = 0; i < ARRAY_SIZE(threads); i++) {
		threads[i] = (struct object_thread) {
			.ctx = &ctx,
			.handle = handle,
		};
		object_run(test, &threads[i], 1, object_put_thread);
		KUNIT_ASSERT_EQ(test, threads[i].odd, 0);
	}
	for (i = 0; i < ARRAY_SIZE(threads); i++) {
		KUNIT_EXPECT_STATUS(test, wdm_object_delete(&ctx, handle,
							    WDM_OBJECT_DOMAIN),
				    STATUS_RESOURCE_IN_USE);
		wdm_object_put(threads[i].object);
	}
	KUNIT_EXPECT_STATUS(test, wdm_object_delete(&ctx, handle,
						    WDM_OBJECT_DOMAIN),
			    STATUS_SUCCESS);
	object_close_context(test, &ctx);
}

/* Half of the threads try to delete a mapped MDL, the others use it. */
static int object_refused_thread(void *data)
{
	struct object_thread *thread = data;
	ntstatus_t status;
	unsigned int i;

	for (i = 0; i < OBJECT_CALLS; i++) {
		if (thread->deletes) {
			status = wdm_object_delete(thread->ctx, thread->handle,
						   WDM_OBJECT_MDL);
			if (status != STATUS_RESOURCE_IN_USE)
				thread->odd++;
		} else {
			status = object_look(thread->ctx, thread->handle,
					     WDM_OBJECT_MDL);
			if (!wdm_ok(status))
				thread->odd++;
		}
		cond_resched();
	}
	complete(&thread->done);
	return 0;
}

/* Other calls never notice a refused delete. */
static void object_refused(struct kunit *test)
{
	struct object_thread threads[4];
	struct wdm_object *domain, *mdl;
	struct wdm_context ctx;
	struct test_mdl *tm;
	unsigned int i;

	object_context(&ctx);
	mdl = object_mapped_mdl(test, &ctx, &domain, &tm);
	for (i = 0; i < ARRAY_SIZE(threads); i++)
		threads[i] = (struct object_thread) {
			.ctx = &ctx,
			.handle = mdl->handle,
			.deletes = i % 2,
		};
	object_run(test, threads, ARRAY_SIZE(threads), object_refused_thread);
	KUNIT_EXPECT_EQ(test, tm->freed, 0);
	object_close_context(test, &ctx);
	KUNIT_EXPECT_EQ(test, tm->freed, 1);
}

static int object_churn_thread(void *data)
{
	struct object_thread *thread = data;
	struct wdm_object *object;
	ntstatus_t status;
	unsigned int i;

	for (i = 0; i < OBJECT_CALLS; i++) {
		status = wdm_object_get(thread->ctx, thread->handle,
					WDM_OBJECT_MDL, &object);
		if (!wdm_ok(status)) {
			if (status != STATUS_INVALID_HANDLE)
				thread->odd++;
			break;
		}
		status = wdm_domain_map(thread->domain, WDM_READ, RANGE(object->mdl, 0, 1),
					thread->iova);
		wdm_object_put(object);
		if (!wdm_ok(status) ||
		    !wdm_ok(wdm_domain_unmap(thread->domain, thread->iova, 1)))
			thread->odd++;
		if (i < OBJECT_CALLS / 2)
			continue;
		status = wdm_object_delete(thread->ctx, thread->handle,
					   WDM_OBJECT_MDL);
		if (wdm_ok(status))
			thread->deleted++;
		else if (status != STATUS_RESOURCE_IN_USE &&
			 status != STATUS_INVALID_HANDLE)
			thread->odd++;
	}
	complete(&thread->done);
	return 0;
}

/* All threads map, unmap, use and delete one MDL, until a delete succeeds. */
static void object_churn(struct kunit *test)
{
	const unsigned int nr = 6;
	struct object_thread *threads = kunit_kcalloc(test, nr, sizeof(*threads), GFP_KERNEL);
	struct wdm_object *domain, *mdl;
	unsigned int i, deleted = 0;
	struct wdm_context ctx;
	struct test_mdl *tm;

	KUNIT_ASSERT_NOT_NULL(test, threads);
	object_context(&ctx);
	domain = object_domain(test, &ctx);
	mdl = object_mdl(test, &ctx, &tm);
	wdm_object_publish(&ctx, mdl);
	for (i = 0; i < nr; i++)
		threads[i] = (struct object_thread) {
			.ctx = &ctx,
			.handle = mdl->handle,
			.domain = domain->domain,
			.iova = (u64)(i + 1) << PAGE_SHIFT,
		};
	object_run(test, threads, nr, object_churn_thread);
	for (i = 0; i < nr; i++)
		deleted += threads[i].deleted;
	KUNIT_EXPECT_EQ(test, deleted, 1);
	KUNIT_EXPECT_EQ(test, tm->freed, 1);
	object_close_context(test, &ctx);
}

/**
 * struct object_slow - an MDL whose free operation takes long
 * @mdl: the MDL
 * @freeing: the free operation has started
 * @go: lets it finish
 * @freed: it has finished
 */
struct object_slow {
	struct wdm_mdl mdl;
	struct completion freeing;
	struct completion go;
	bool freed;
};

static void object_slow_free(struct wdm_mdl *mdl)
{
	struct object_slow *slow = container_of(mdl, struct object_slow, mdl);

	complete(&slow->freeing);
	wait_for_completion(&slow->go);
	slow->freed = true;
}

static int object_delete_thread(void *data)
{
	struct object_thread *thread = data;

	thread->deleted = wdm_ok(wdm_object_delete(thread->ctx, thread->handle,
						   WDM_OBJECT_MDL));
	complete(&thread->done);
	return 0;
}

static int object_gone_thread(void *data)
{
	struct object_thread *thread = data;

	thread->odd = object_look(thread->ctx, thread->handle, WDM_OBJECT_MDL) !=
		      STATUS_INVALID_HANDLE;
	complete(&thread->done);
	return 0;
}

/* While an MDL is being unpinned, its handle is invalid, and no lookup waits for that. */
static void object_slow_release(struct kunit *test)
{
	static const struct wdm_mdl_ops ops = { .free = object_slow_free };
	struct object_slow slow = { };
	const struct wdm_pages none = { };
	struct object_thread threads[2];
	struct wdm_object *object;
	struct wdm_context ctx;
	unsigned int i;
	bool in_time;

	object_context(&ctx);
	init_completion(&slow.freeing);
	init_completion(&slow.go);
	wdm_mdl_init(&slow.mdl, &ops, WDM_READ, &none);
	KUNIT_ASSERT_STATUS(test, wdm_object_reserve(&ctx, WDM_OBJECT_MDL,
						     &object), STATUS_SUCCESS);
	object->mdl = &slow.mdl;
	wdm_object_publish(&ctx, object);
	for (i = 0; i < ARRAY_SIZE(threads); i++) {
		threads[i] = (struct object_thread) {
			.ctx = &ctx,
			.handle = object->handle,
		};
		init_completion(&threads[i].done);
	}

	KUNIT_ASSERT_FALSE(test, IS_ERR(kthread_run(object_delete_thread,
						    &threads[0], "object/del")));
	wait_for_completion(&slow.freeing);
	KUNIT_EXPECT_FALSE(test, IS_ERR(kthread_run(object_gone_thread,
						    &threads[1], "object/get")));
	in_time = wait_for_completion_timeout(&threads[1].done, 30 * HZ);
	KUNIT_EXPECT_TRUE(test, in_time);
	KUNIT_EXPECT_EQ(test, threads[1].odd, 0);
	KUNIT_EXPECT_FALSE(test, slow.freed);
	complete(&slow.go);
	if (!in_time)
		wait_for_completion(&threads[1].done);
	wait_for_completion(&threads[0].done);
	KUNIT_EXPECT_EQ(test, threads[0].deleted, 1);
	KUNIT_EXPECT_TRUE(test, slow.freed);
	object_close_context(test, &ctx);
}

static struct kunit_case object_cases[] = {
	KUNIT_CASE(object_steps),
	KUNIT_CASE(object_abort),
	KUNIT_CASE(object_fail_nth),
	KUNIT_CASE(object_pasid_charge),
	KUNIT_CASE(object_mapped),
	KUNIT_CASE(object_fdinfo),
	KUNIT_CASE(object_close),
	KUNIT_CASE(object_random),
	KUNIT_CASE(object_threads),
	KUNIT_CASE(object_put_elsewhere),
	KUNIT_CASE(object_refused),
	KUNIT_CASE(object_churn),
	KUNIT_CASE(object_slow_release),
	{}
};

static struct kunit_suite object_suite = {
	.name = "wdm_iommu_object",
	.init = fixture_init,
	.exit = fixture_exit,
	.test_cases = object_cases,
};

kunit_test_suite(object_suite);
