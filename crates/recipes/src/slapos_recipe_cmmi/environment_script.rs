//! A script in the compile directory that puts a person's shell into the place of the part's commands.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::commands::Commands;
use crate::shell::quote;

/// The script's name.
pub(super) const NAME: &str = "slapos.recipe.build.env.sh";
/// Where temporary files go is a matter of who looks, not of the part.
const OF_THE_PERSON: [&str; 3] = ["TEMP", "TMP", "TMPDIR"];

/// The script for a part with these variables, of which those are told that the build began with differently.
pub(super) fn text(
    variables: &BTreeMap<String, String>,
    initial: &BTreeMap<String, String>,
    commands: &Commands,
) -> String {
    let mut text = String::from("# The environment of the part's commands; to be read by a shell: . ./");
    text.push_str(NAME);
    text.push('\n');
    for (name, value) in variables.iter().filter(|(name, value)| initial.get(*name) != Some(value)) {
        let comment = if OF_THE_PERSON.contains(&name.as_str()) { "#" } else { "" };
        let _ = writeln!(text, "{comment}export {name}={}", quote(value));
    }
    let steps =
        [("configure", &commands.configure), ("make", &commands.make), ("install", &commands.install)];
    text.push_str("echo 'The commands of the part, without what its profile does between them:'\n");
    for (step, command) in steps {
        let _ = writeln!(text, "echo {}", quote(&format!("{step}:\n  {}", command.trim_end())));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_of_the_part_are_exported_quoted() {
        let map = |pairs: &[(&str, &str)]| {
            pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
        };
        let commands = Commands::new(&indexmap::IndexMap::new()).unwrap();

        let script = text(
            &map(&[("CFLAGS", "-O2 -I/x"), ("HOME", "/h"), ("TMPDIR", "/t"), ("QUOTE", "it's")]),
            &map(&[("HOME", "/h")]),
            &commands,
        );

        let exports: Vec<&str> = script.lines().filter(|line| line.contains("export")).collect();
        assert_eq!(exports, ["export CFLAGS='-O2 -I/x'", "export QUOTE='it'\"'\"'s'", "#export TMPDIR=/t"]);
        assert!(script.ends_with("echo 'install:\n  make  install'\n"), "{script}");
    }
}
