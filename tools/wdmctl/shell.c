// SPDX-License-Identifier: GPL-2.0
/*
 * wdmctl shell: commands from a terminal, or from a file as a test.
 *
 * From a file, each command is a TAP result: it passes if it succeeds, or has the outcome
 * given with "expect". So a test of the module, or of a device, needs no C.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#ifdef HAVE_EDITLINE
#include <editline/readline.h>
#endif

#include "shell.h"

/**
 * struct session - source of commands
 * @shell: the objects
 * @name: of the file; NULL: a terminal
 * @line: number of the line
 * @expected: expected outcome of the next command; empty: success
 */
struct session {
	struct shell shell;
	const char *name;
	unsigned int line;
	char expected[48];
};

/* Names of statuses may omit "STATUS_". */
static bool is_expected(const struct outcome *outcome, const char *expected)
{
	const char *word = outcome->word;

	if (outcome->usage)
		return false;
	if (!*expected)
		return outcome->good;
	if (outcome->is_status && strncmp(expected, "STATUS_", 7))
		word += strncmp(word, "STATUS_", 7) ? 0 : 7;
	return !strcmp(word, expected);
}

static void report(const struct session *session, const char *command,
		   const struct outcome *outcome)
{
	bool good = is_expected(outcome, session->expected);

	if (!session->name) {
		if (outcome->usage)
			printf("%s\n", outcome->text);
		else if (!outcome->good || *outcome->text || *session->expected)
			printf("%s%s%s%s\n", outcome->word, *outcome->text ? ": " : "",
			       outcome->text,
			       good || !*session->expected ? "" : "  (not expected)");
		return;
	}
	tap_ok(good, "line %u: %s", session->line, command);
	if (good)
		return;
	tap_diag("%s:%u: %s%s%s", session->name, session->line, outcome->word,
		 *outcome->text ? ": " : "", outcome->text);
	if (!outcome->usage)
		tap_diag("expected: %s",
			 *session->expected ? session->expected : "success");
}

static void split(char *text, struct words *words)
{
	unsigned int number = 0;

	*words = (struct words) { };
	for (char *save, *word = strtok_r(text, " \t\r\n", &save); word;
	     word = strtok_r(NULL, " \t\r\n", &save)) {
		if (number == MAX_ARGUMENTS) {
			bad_words(words, "more than %u words", MAX_ARGUMENTS);
			break;
		}
		words->words[number++] = word;
	}
}

static void run_command(struct session *session, const char *text)
{
	char *copy = strdup(text);
	struct outcome outcome = { };
	const char *expected;
	struct words words;

	if (!copy)
		return;
	split(copy, &words);
	if (next_is(&words, "expect")) {
		expected = next_word(&words);
		snprintf(session->expected, sizeof(session->expected), "%s",
			 expected ? expected : "nothing");
	}
	/* If nothing follows, it applies to the next command. */
	if (words.words[words.at]) {
		memmove(words.words, words.words + words.at,
			sizeof(words.words) - words.at * sizeof(*words.words));
		words.at = 0;
		shell_run(&session->shell, &words, &outcome);
		report(session, text, &outcome);
		*session->expected = '\0';
	}
	free(copy);
}

/* Parse a line: commands separated by ;, and perhaps a comment. */
static void run_line(struct session *session, char *line)
{
	session->line++;
	line[strcspn(line, "#\n")] = '\0';
	for (char *save, *command = strtok_r(line, ";", &save); command && !session->shell.quit;
	     command = strtok_r(NULL, ";", &save)) {
		command += strspn(command, " \t");
		for (size_t end = strlen(command); end && strchr(" \t\r", command[end - 1]); end--)
			command[end - 1] = '\0';
		if (*command)
			run_command(session, command);
	}
}

static int finish_test(const struct session *session)
{
	if (*session->expected) {
		tap_ok(false, "line %u: expect %s", session->line, session->expected);
		tap_diag("no command follows");
	}
	return tap_finish();
}

static int run_file(struct session *session, FILE *file)
{
	char *line = NULL;
	size_t room = 0;

	tap_header("TAP version 13");
	while (!session->shell.quit && getline(&line, &room, file) >= 0)
		run_line(session, line);
	free(line);
	return finish_test(session);
}

#ifdef HAVE_EDITLINE
static char *history_path(void)
{
	const char *home = getenv("HOME");
	char *path;

	return home && asprintf(&path, "%s/.wdmctl_history", home) > 0 ? path : NULL;
}

static void run_terminal(struct session *session)
{
	char *line, *path = history_path();

	rl_initialize();
	if (path)
		read_history(path);
	while (!session->shell.quit && (line = readline("wdm> "))) {
		if (*line)
			add_history(line);
		run_line(session, line);
		free(line);
	}
	if (path)
		write_history(path);
	free(path);
}
#else
static void run_terminal(struct session *session)
{
	char *line = NULL;
	size_t room = 0;

	while (!session->shell.quit && printf("wdm> ") && !fflush(stdout) &&
	       getline(&line, &room, stdin) >= 0)
		run_line(session, line);
	free(line);
}
#endif

static int run_commands(struct session *session, const char *commands)
{
	char *copy = strdup(commands), *rest = copy, *line;

	if (!copy)
		return 1;
	tap_header("TAP version 13");
	while (!session->shell.quit && (line = strsep(&rest, "\n")))
		run_line(session, line);
	free(copy);
	return finish_test(session);
}

int cmd_shell(const struct options *options)
{
	struct session *session = calloc(1, sizeof(*session));
	bool in = options->file && strcmp(options->file, "-");
	FILE *file = in ? fopen(options->file, "re") : stdin;
	int result = 0;

	if (!session || !file)
		return report_errno(in ? options->file : "shell");
	session->shell.out = stdout;
	session->shell.fd = wdm_open();
	if (session->shell.fd < 0)
		return report_open();
	if (options->command) {
		session->name = "command";
		result = run_commands(session, options->command);
	} else if (in || options->file || !isatty(STDIN_FILENO)) {
		session->name = in ? options->file : "stdin";
		result = run_file(session, file);
	} else {
		printf("wdmctl %s; help lists the commands\n", WDM_VERSION);
		run_terminal(session);
	}
	shell_close(&session->shell);
	close(session->shell.fd);
	free(session);
	return result;
}
