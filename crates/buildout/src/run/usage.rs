//! What `buildout --help` prints, and `buildout COMMAND --help`.

/// A command: how it is written, what it does, and examples with what they are for.
struct Command {
    name: &'static str,
    words: &'static str,
    text: &'static str,
    examples: &'static [(&'static str, &'static str)],
}

/// The help of a command, or of all without one; `command` is one of those that are listed.
pub(super) fn usage(command: Option<&str>) -> String {
    let wanted = COMMANDS.iter().find(|one| Some(one.name) == command);
    if let Some(Command { name, words, text, examples }) = wanted {
        let mut help = format!("Usage: buildout [options] [assignments] {name}{words}\n\n{text}");
        if !examples.is_empty() {
            help.push_str("\nExamples:\n");
        }
        for (line, meaning) in *examples {
            help.extend(["\n  ", line, "\n\n    ", meaning, "\n"]);
        }
        help.push_str("\n`buildout --help` lists the options.\n");
        return help;
    }
    let mut help = OPTIONS.to_owned();
    for Command { name, words, text, .. } in COMMANDS {
        help.extend(["\n  ", name, words, "\n\n"]);
        for line in text.lines() {
            let indent = if line.is_empty() { "" } else { "    " };
            help.extend([indent, line, "\n"]);
        }
    }
    help.push_str(EXAMPLES);
    help
}

const OPTIONS: &str = "\
Usage: buildout [options] [assignments] [command [command arguments]]

Options:

  -c config_file

    Specify the path to the buildout configuration file to be used.
    This defaults to the file named \"buildout.cfg\" in the current
    working directory.  It may be a URL.

  -U

    Do not read the user's defaults, ~/.buildout/default.cfg, or default.cfg
    in the directory that the environment variable BUILDOUT_HOME names.

  -o, -O

    Do not, or do, use the network.

  -n, -N

    Do, or do not, look for newer distributions than those that are installed.

  -j jobs

    How many programs of parts may run at once; otherwise as many as `jobs` of
    [buildout], MAKEFLAGS, or the number of processors says.

  -t seconds

    How long to wait for a server.

  -v, -q

    Say more, or less.  May be repeated.

  -D

    When the build fails, show how that came about: the options of the
    sections that were at work, as the profiles have them and expanded, and
    the trace of Python code.

  --python path

    The Python to use where the profile names none, instead of the python3
    of PATH: conditions of sections and recipes depend on it.

  --user name

    When root starts the build: run as that user.  Otherwise root builds as the
    owner of the directory.

  --allow-root

    Do not warn when the build runs as root; SLAPOS_ALLOW_ROOT=1 says the same.

  --dry-run

    Say what would be done, and do nothing.

  --skip-signature-check

    Keep parts of which only the dependencies changed.

  --dialect slapos|upstream

    Whose rules hold where they differ: those of SlapOS, the default, or those
    of zc.buildout.

  -h, --help

    Print this text; behind a command, that of the command, with examples.

  --version

    Print the version.

Options of one letter combine (-UNv), and mix with assignments.

Assignments are of the form section:option=value, with += and -= too; the
section is buildout when none is given.

Commands:
";

const EXAMPLES: &str = "
Examples:

  buildout -c software.cfg

    Build a profile in its directory.

  buildout -c software.cfg -j 4 debug:level=2 install debug

    Build one part, with an option of it changed, and four jobs.

  buildout plan

    What a build would do here, and why.

Exit codes: 0 done, 1 failed, 5 not root, 130 interrupted.
";

const COMMANDS: &[Command] = &[
    Command {
        name: "install",
        words: " [parts]",
        text: "Bring the directory to what the profile says; the default.\n",
        examples: &[
            ("buildout", "All parts of ./buildout.cfg; what is not wanted any more is removed."),
            ("buildout install nginx", "That part and what it needs; the others are left alone."),
        ],
    },
    Command {
        name: "bootstrap",
        words: "",
        text: "Make the directories and bin/buildout.\n",
        examples: &[("buildout -c software.cfg bootstrap", "bin/buildout then starts this program again.")],
    },
    Command {
        name: "init",
        words: " [requirements]",
        text: "Write a first profile, then bootstrap; with requirements, install them\nand an interpreter that has them.\n",
        examples: &[(
            "buildout init flask",
            "An empty directory becomes one with bin/py that imports flask.",
        )],
    },
    Command {
        name: "annotate",
        words: " [sections]",
        text: "Show every option with where it comes from; with -v, its whole history;\nwith --output json, as a document.\n",
        examples: &[
            ("buildout annotate versions", "The pins, each with the profile that sets it."),
            ("buildout -v annotate nginx", "Every step to every option of one section."),
        ],
    },
    Command {
        name: "query",
        words: " [section:]option",
        text: "Show one option, as the profile has it; with --output json, as a document.\n",
        examples: &[("buildout query versions:flask", "The pin of a distribution.")],
    },
    Command {
        name: "plan",
        words: " [parts]",
        text: "Tell what install would do, and why; nothing is changed, as with the next\ntwo.  With --output json, as a document.\n",
        examples: &[
            ("buildout plan", "Every part: install, reinstall, update, remove or keep."),
            ("buildout plan nginx --output json", "One part, for a program."),
        ],
    },
    Command {
        name: "why",
        words: " part",
        text: "Tell which option of which line makes a part be built again, with both\nvalues; also of a section that is no part.  With --output json, as a\ndocument.\n",
        examples: &[
            ("buildout why nginx", "What differs from the last build, and what that comes from."),
            ("buildout why settings", "What changed in a section that parts refer to."),
        ],
    },
    Command {
        name: "graph",
        words: "",
        text: "Draw parts and what they refer to, as DOT; --format dot|svg|json,\n--profiles or --parts.\n",
        examples: &[
            ("buildout graph --format svg > parts.svg", "The parts, to look at in a browser."),
            ("buildout graph --profiles", "Which profile extends which."),
        ],
    },
    Command {
        name: "setup",
        words: " script [words]",
        text: "Run a setup script, or that of a directory, with setuptools at hand.\n",
        examples: &[("buildout setup src/app bdist_wheel", "A wheel of a distribution under development.")],
    },
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_command_has_help_with_examples_and_fits_a_terminal() {
        let all = usage(None);
        for Command { name, .. } in COMMANDS {
            let help = usage(Some(name));
            assert!(help.starts_with(&format!("Usage: buildout [options] [assignments] {name}")), "{help}");
            assert!(help.contains("\nExamples:\n"), "{help}");
            assert!(all.contains(&format!("\n  {name}")), "{name}");
            assert!(help.lines().chain(all.lines()).all(|line| line.chars().count() <= 80), "{help}");
        }
    }
}
