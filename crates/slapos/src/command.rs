//! The subcommands: one file each, one list of all.

mod buildout;
mod complete;
mod computer_info;
mod computer_list;
mod down;
mod help_command;
mod lint;
mod logs;
mod node_agent;
mod node_format;
mod node_instance;
mod node_promise;
mod node_report;
mod node_restart;
mod node_software;
mod node_start;
mod node_status;
mod node_stop;
mod node_supervisorctl;
mod node_supervisord;
mod node_tail;
mod proxy_start;
mod remove;
mod request;
mod service_info;
mod service_list;
mod status;
mod supervisorctl;
mod supervisord;
mod supply;
mod up;
mod watchdog;
mod wrapper_launch;

use clap::{ArgMatches, Args, Command};

use crate::context::Context;
use crate::failure::Failure;

/// The heading under which `slapos help` shows a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Group {
    /// What a newcomer needs.
    FirstHour,
    /// What asks a master.
    Client,
    /// What works on this computer.
    Node,
    /// The rest.
    Other,
    /// Not shown: started by our own programs.
    Hidden,
}

/// How a command deals with its surroundings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Habit {
    /// A command of the classic tree: it logs what it does on standard error.
    Classic,
    /// A command of ours: it says little and logs warnings only.
    Quiet,
    /// Receives everything that follows its name as it is, options of the top level included.
    Raw,
}

/// An example of a command's help: the command line, and what it does.
pub(crate) type Example = (&'static str, &'static str);

/// One subcommand. Its doc comment and those of its fields are its manual.
pub(crate) trait Subcommand: Args {
    /// The one or two words that name it.
    const NAME: &'static str;
    /// Where the help lists it.
    const GROUP: Group;
    /// How it deals with its surroundings.
    const HABIT: Habit;
    /// Two to four examples.
    const EXAMPLES: &'static [Example];
    /// Exit codes other than 0 (done), 1 (failed) and 2 (wrong usage).
    const EXIT_CODES: &'static [(u8, &'static str)] = &[];

    /// Runs it and returns the exit code.
    fn run(self, context: &Context<'_>) -> Result<u8, Failure>;
}

/// One line of the list.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Entry {
    /// The words that name it.
    pub(crate) name: &'static str,
    /// Where the help lists it.
    pub(crate) group: Group,
    /// How it deals with its surroundings.
    pub(crate) habit: Habit,
    /// Its examples.
    pub(crate) examples: &'static [Example],
    /// Its own exit codes.
    pub(crate) exit_codes: &'static [(u8, &'static str)],
    arguments: fn(Command) -> Command,
    run: fn(&ArgMatches, &Context<'_>) -> Result<u8, Failure>,
}

impl Entry {
    const fn of<S: Subcommand>() -> Self {
        Self {
            name: S::NAME,
            group: S::GROUP,
            habit: S::HABIT,
            examples: S::EXAMPLES,
            exit_codes: S::EXIT_CODES,
            arguments: S::augment_args,
            run: |matches, context| {
                let parsed =
                    S::from_arg_matches(matches).expect("the matches come from the same declaration");
                parsed.run(context)
            },
        }
    }

    /// The parser of its arguments, with its help.
    pub(crate) fn parser(&self) -> Command {
        let parser = Command::new(self.name)
            .bin_name(format!("slapos {}", self.name))
            .infer_long_args(true)
            .disable_help_flag(true)
            .disable_version_flag(true);
        (self.arguments)(parser).after_help(crate::help::below_options(self))
    }

    /// Runs it with arguments that its parser accepted.
    pub(crate) fn run(&self, matches: &ArgMatches, context: &Context<'_>) -> Result<u8, Failure> {
        (self.run)(matches, context)
    }
}

/// Every subcommand, in the order of the help.
pub(crate) const COMMANDS: &[Entry] = &[
    Entry::of::<up::Up>(),
    Entry::of::<down::Down>(),
    Entry::of::<status::Status>(),
    Entry::of::<logs::Logs>(),
    Entry::of::<lint::Lint>(),
    Entry::of::<request::Request>(),
    Entry::of::<service_list::ServiceList>(),
    Entry::of::<service_info::ServiceInfo>(),
    Entry::of::<supply::Supply>(),
    Entry::of::<remove::Remove>(),
    Entry::of::<computer_list::ComputerList>(),
    Entry::of::<computer_info::ComputerInfo>(),
    Entry::of::<node_format::NodeFormat>(),
    Entry::of::<node_software::NodeSoftware>(),
    Entry::of::<node_instance::NodeInstance>(),
    Entry::of::<node_promise::NodePromise>(),
    Entry::of::<node_report::NodeReport>(),
    Entry::of::<node_agent::NodeAgent>(),
    Entry::of::<node_status::NodeStatus>(),
    Entry::of::<node_start::NodeStart>(),
    Entry::of::<node_stop::NodeStop>(),
    Entry::of::<node_restart::NodeRestart>(),
    Entry::of::<node_tail::NodeTail>(),
    Entry::of::<node_supervisorctl::Supervisorctl>(),
    Entry::of::<node_supervisord::Supervisord>(),
    Entry::of::<proxy_start::ProxyStart>(),
    Entry::of::<buildout::Buildout>(),
    Entry::of::<complete::Complete>(),
    Entry::of::<help_command::Help>(),
    Entry::of::<supervisord::Supervisord>(),
    Entry::of::<supervisorctl::Supervisorctl>(),
    Entry::of::<watchdog::Watchdog>(),
    Entry::of::<wrapper_launch::WrapperLaunch>(),
];

/// The command that the first words name: the entry, and how many words its name has.
pub(crate) fn find(words: &[impl AsRef<std::ffi::OsStr>]) -> Option<(&'static Entry, usize)> {
    (1..=2.min(words.len())).rev().find_map(|count| {
        let name =
            words[..count].iter().map(|word| word.as_ref().to_str()).collect::<Option<Vec<_>>>()?.join(" ");
        COMMANDS.iter().find(|entry| entry.name == name).map(|entry| (entry, count))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_command_has_a_sound_declaration_examples_and_a_description() {
        for entry in COMMANDS {
            let parser = entry.parser();
            parser.clone().debug_assert();
            assert!(parser.get_about().is_some(), "{} has no description", entry.name);
            assert!(
                !entry.examples.is_empty() || entry.group == Group::Hidden,
                "{} has no example",
                entry.name
            );
        }
    }

    #[test]
    fn the_longest_name_wins() {
        assert_eq!(find(&["help", "up"]).map(|(entry, count)| (entry.name, count)), Some(("help", 1)));
        assert!(find(&["banana"]).is_none());
    }
}
