//! `slapos node format`: prepares this computer for its partitions, and tells the master.

use node::format::Definition;

use crate::command::{Example, Group, Habit, Subcommand};
use crate::config::node::{NodeFlags, definition, load};
use crate::context::Context;
use crate::failure::Failure;
use crate::{logging, node_pass};

/// Prepare this computer for its partitions: users, directories, addresses
#[derive(Debug, clap::Args)]
pub(crate) struct NodeFormat {
    /// Configuration file
    #[arg(long, value_name = "FILE")]
    cfg: Option<String>,
    /// State file of the computer
    #[arg(short = 'x', long = "computer_xml", value_name = "FILE")]
    computer_xml: Option<String>,
    /// The same as JSON
    #[arg(long = "computer_json", value_name = "FILE")]
    computer_json: Option<String>,
    /// Definition of the computer to use instead of discovering it
    #[arg(short = 'i', long = "input_definition_file", value_name = "FILE")]
    input_definition_file: Option<String>,
    /// Where to write the definition that was used
    #[arg(short = 'o', long = "output_definition_file", value_name = "FILE")]
    output_definition_file: Option<String>,
    /// Whether users may be made: True or False
    #[arg(long = "alter_user", value_name = "BOOLEAN")]
    alter_user: Option<String>,
    /// Whether addresses may be made: True or False
    #[arg(long = "alter_network", value_name = "BOOLEAN")]
    alter_network: Option<String>,
    /// Start without delay
    #[arg(long)]
    now: bool,
    /// Change nothing; show what would be done
    #[arg(short = 'n', long = "dry_run", visible_alias = "dry-run")]
    dry_run: bool,
    /// Accepted and without effect
    #[arg(short = 'c', long, hide = true)]
    console: Option<String>,
}

impl Subcommand for NodeFormat {
    const NAME: &'static str = "node format";
    const GROUP: Group = Group::Node;
    const HABIT: Habit = Habit::Classic;
    const EXAMPLES: &'static [Example] = &[
        ("slapos node format --now", "prepare the computer"),
        ("slapos node format --now --dry_run", "show what would be done"),
    ];
    const EXIT_CODES: &'static [(u8, &'static str)] =
        &[(2, "or done, but the master was not told"), (5, "not root")];

    fn run(self, context: &Context<'_>) -> Result<u8, Failure> {
        let mut flags = NodeFlags::of_choice(self.cfg);
        flags.format.computer_xml = self.computer_xml;
        flags.format.computer_json = self.computer_json;
        flags.format.input_definition_file = self.input_definition_file;
        flags.format.output_definition_file = self.output_definition_file;
        flags.format.alter_user = self.alter_user;
        flags.format.alter_network = self.alter_network;
        let settings = load(context, &flags)?;
        if !self.dry_run {
            node_pass::check_user(&settings.configuration)?;
        }
        if let (None, Some(path)) = (&context.options.log_file, &settings.format_log) {
            logging::also_to(path)?;
        }
        if !self.now && !self.dry_run {
            node_pass::wait_up_to(context, FORMAT_DELAY);
        }
        let definition: Option<Definition> = definition(&settings.configuration)?;
        let node = node_pass::connect(context, settings.configuration)?;
        let formatted =
            node::format::pass(&node, &node::format::Options { dry_run: self.dry_run, definition });
        if self.dry_run && !context.output.is_json() {
            context.output.answer(&formatted.plan.join("\n"));
        }
        node_pass::end(context, &formatted.outcome)
    }
}

/// Cron starts it everywhere at the same minute; this keeps nodes from asking the master all at once.
const FORMAT_DELAY: std::time::Duration = std::time::Duration::from_secs(3600);
