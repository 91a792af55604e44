//! `slapos complete`: prints a completion script for a shell.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use crate::command::{COMMANDS, Example, Group, Habit, Subcommand};
use crate::context::Context;
use crate::failure::{Failure, Kind};

/// Print a completion script for a shell
#[derive(Debug, clap::Args)]
pub(crate) struct Complete {
    /// Name of the command to complete
    #[arg(long, default_value = "slapos")]
    name: String,
    /// Shell: bash, zsh, fish, or none for the words alone
    #[arg(long, default_value = "bash")]
    shell: String,
}

impl Subcommand for Complete {
    const NAME: &'static str = "complete";
    const GROUP: Group = Group::Other;
    const HABIT: Habit = Habit::Quiet;
    const EXAMPLES: &'static [Example] = &[
        ("slapos complete > /etc/bash_completion.d/slapos", "for bash"),
        ("slapos complete --shell fish | source", "for fish, in this shell"),
    ];

    fn run(self, context: &Context<'_>) -> Result<u8, Failure> {
        let script = match self.shell.as_str() {
            "bash" => bash(&self.name),
            "zsh" => format!("autoload -U +X bashcompinit && bashcompinit\n{}", bash(&self.name)),
            "fish" => fish(&self.name),
            "none" => words().iter().map(|(word, next)| format!("{word}: {}\n", next.join(" "))).collect(),
            other => {
                return Err(Failure::new(
                    Kind::Usage,
                    format!("there is no completion for the shell `{other}`"),
                )
                .hint("use one of: bash, zsh, fish, none")
                .code("E-usage"));
            }
        };
        context.output.answer(&script);
        Ok(0)
    }
}

/// What may follow the words so far: the empty key holds the first words.
fn words() -> BTreeMap<String, Vec<String>> {
    let mut words: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for entry in COMMANDS.iter().filter(|entry| entry.group != Group::Hidden) {
        let (first, second) = entry.name.split_once(' ').unwrap_or((entry.name, ""));
        let firsts = words.entry(String::new()).or_default();
        if !firsts.iter().any(|known| known == first) {
            firsts.push(first.to_owned());
        }
        if !second.is_empty() {
            words.entry(first.to_owned()).or_default().push(second.to_owned());
        }
        let options = entry
            .parser()
            .get_arguments()
            .filter_map(|argument| argument.get_long())
            .map(|long| format!("--{long}"))
            .collect::<Vec<_>>();
        words.entry(entry.name.to_owned()).or_default().extend(options);
    }
    words
}

fn bash(name: &str) -> String {
    let mut cases = String::new();
    for (word, next) in words() {
        let pattern = if word.is_empty() { "\"\"".to_owned() } else { format!("\"{word}\"") };
        let _ = writeln!(cases, "    {pattern}) words=\"{}\" ;;", next.join(" "));
    }
    let function = name.replace(|letter: char| !letter.is_ascii_alphanumeric(), "_");
    format!(
        r#"_{function}_complete() {{
  local current="${{COMP_WORDS[COMP_CWORD]}}" words="" typed="" word
  for word in "${{COMP_WORDS[@]:1:COMP_CWORD-1}}"; do
    case "$word" in -*) ;; *) typed="${{typed:+$typed }}$word" ;; esac
  done
  case "$typed" in
{cases}    *) words="" ;;
  esac
  COMPREPLY=($(compgen -W "$words" -- "$current"))
  [ ${{#COMPREPLY[@]}} -gt 0 ] || COMPREPLY=($(compgen -f -- "$current"))
}}
complete -F _{function}_complete {name}
"#
    )
}

fn fish(name: &str) -> String {
    let mut script = String::new();
    for (word, next) in words() {
        let condition = if word.is_empty() {
            "__fish_use_subcommand".to_owned()
        } else {
            format!("string match -q -- '{name} {word} *' (commandline -cp)")
        };
        let plain: Vec<&String> = next.iter().filter(|word| !word.starts_with('-')).collect();
        if !plain.is_empty() {
            let list = plain.iter().map(|word| word.as_str()).collect::<Vec<_>>().join(" ");
            let _ = writeln!(script, "complete -c {name} -n \"{condition}\" -f -a \"{list}\"");
        }
        for option in next.iter().filter_map(|word| word.strip_prefix("--")) {
            let _ = writeln!(script, "complete -c {name} -n \"{condition}\" -l {option}");
        }
    }
    script
}
