// SPDX-License-Identifier: GPL-2.0
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "harness.h"
#include "monitor.h"

#define MONITOR	"/dev/ttyS3"
#define PROMPT	"(qemu) "

static int monitor = -1;

/* Read up to the prompt; false if none arrives for some seconds. */
static bool wait_for_prompt(void)
{
	struct pollfd poll_fd = { .fd = monitor, .events = POLLIN };
	const size_t length = strlen(PROMPT);
	char last[sizeof(PROMPT)] = "";

	while (memcmp(last, PROMPT, length)) {
		memmove(last, last + 1, length - 1);
		if (poll(&poll_fd, 1, 10000) != 1 || read(monitor, last + length - 1, 1) != 1)
			return false;
	}
	return true;
}

/* Skips the case unless this is QEMU with a monitor for the guest. */
void monitor_open(void)
{
	struct termios termios;

	monitor = open(MONITOR, O_RDWR | O_CLOEXEC | O_NOCTTY);
	if (monitor < 0 || tcgetattr(monitor, &termios))
		skip("no monitor: %s: %s", MONITOR, strerror(errno));
	cfmakeraw(&termios);
	tcsetattr(monitor, TCSANOW, &termios);
	/* Discard earlier output. */
	tcflush(monitor, TCIOFLUSH);
	if (write(monitor, "\n", 1) != 1 || !wait_for_prompt())
		skip("QEMU's monitor is not on " MONITOR ": boot with scripts/vm --monitor");
}

/* Callers check the result in sysfs. */
void monitor_command(const char *command)
{
	ssize_t length = strlen(command);

	REQUIRE(write(monitor, command, length) == length && write(monitor, "\n", 1) == 1);
	REQUIRE(wait_for_prompt());
}
