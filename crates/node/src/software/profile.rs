//! The profiles around a release: the one generated to build it, and the instance profile it leaves.

use std::io;
use std::time::Duration;

use camino::{Utf8Path, Utf8PathBuf};
use host::files;
use host::process::Program;
use slap::SoftwareUrl;

use crate::Node;
use crate::build::account_of;
use crate::configuration::Configuration;
use crate::software::install::{InstallError, give};

/// The profile that is built: it extends the release.
pub(crate) fn generated(configuration: &Configuration, url: &SoftwareUrl) -> String {
    let list = |paths: &[Utf8PathBuf]| paths.iter().map(|path| format!("\n\t{path}")).collect::<String>();
    format!(
        "[buildout]\nextends = {url}\nshared-part-list = {}\nbuild-time-part-list = {}\n\n",
        list(&configuration.shared_parts),
        list(&configuration.build_time_parts),
    )
}

/// Notes, as a last comment, which revision of its repository a local profile is at.
pub(crate) fn note_revision(node: &Node, url: &SoftwareUrl, generated: &Utf8Path) -> io::Result<()> {
    let Some(revision) = revision(node, url) else { return Ok(()) };
    let text = files::read_text_if_present(generated)?.unwrap_or_default();
    if text.lines().next_back().is_some_and(|line| line.contains(&revision)) {
        return Ok(());
    }
    let date = node.clock.now().strftime("%Y-%m-%d %H:%M:%S%.6f");
    files::replace(generated, format!("{text}# {date} git revision: {revision}\n"), 0o644)?;
    give(&node.configuration.software_root, generated)
}

fn revision(node: &Node, url: &SoftwareUrl) -> Option<String> {
    let directory = local_directory(url)?;
    let mut program = Program::new("git")
        .args(["describe", "--all", "--long", "--dirty"])
        .directory(directory)
        .envs(node.environment.variables());
    // Whoever builds the release also reads it: nothing of a repository is run as root.
    if let Some(account) = account_of(&node.configuration.software_root).ok()? {
        program = program.account(account);
    }
    // What it says when there is no repository is nobody's business.
    let finished = program.run(Some(Duration::from_secs(10)), &mut |_| {}).ok()?;
    let revision = finished.text().trim().to_owned();
    (finished.success() && !revision.is_empty()).then_some(revision)
}

fn local_directory(url: &SoftwareUrl) -> Option<&Utf8Path> {
    let path = Utf8Path::new(url.as_str());
    if path.is_absolute() && path.exists() { path.parent() } else { None }
}

/// Gives the release an instance profile when its build left none but `instance.cfg.in` lies beside its profile.
///
/// The text is taken as it is. A release has its eggs where the build put them, which the text need not say: where
/// it does not, it is told.
pub(crate) fn complete(node: &Node, url: &SoftwareUrl, directory: &Utf8Path) -> Result<(), InstallError> {
    let instance = directory.join("instance.cfg");
    let mark = format!("# Made from instance.cfg.in of {url}\n");
    let failed = |source| InstallError::Prepare { path: instance.clone(), source };
    let present = files::read_text_if_present(&instance).map_err(failed)?;
    let is_ours = present.as_ref().is_some_and(|text| text.starts_with(&mark));
    if directory.join("template.cfg").exists() || (present.is_some() && !is_ours) {
        return Ok(());
    }
    let Some(source) = local_directory(url).map(|directory| directory.join("instance.cfg.in")) else {
        return Ok(());
    };
    let Some(text) = files::read_text_if_present(&source).map_err(failed)? else { return Ok(()) };
    files::replace_if_changed(&instance, format!("{mark}{}", with_eggs(&text, directory)), 0o644)
        .map_err(failed)?;
    give(&node.configuration.software_root, &instance).map_err(failed)
}

fn with_eggs(text: &str, directory: &Utf8Path) -> String {
    if text.lines().any(|line| line.trim_start().starts_with("eggs-directory")) {
        return text.to_owned();
    }
    let end = if text.ends_with('\n') { "" } else { "\n" };
    format!(
        "{text}{end}\n[buildout]\neggs-directory = {directory}/eggs\ndevelop-eggs-directory = {directory}/develop-eggs\n"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_generated_profile_is_that_of_the_reference() {
        let mut configuration = Configuration::new(
            "local".parse().unwrap(),
            "http://127.0.0.1",
            "/soft",
            "/inst",
            &["/bin/slapos".into()],
        );
        configuration.shared_parts = vec!["/shared".into()];

        let text = generated(&configuration, &"/release/software.cfg".parse().unwrap());

        // Recorded from the reference.
        assert_eq!(
            text,
            "[buildout]\nextends = /release/software.cfg\nshared-part-list = \n\t/shared\nbuild-time-part-list = \n\n"
        );
    }

    #[test]
    fn an_instance_profile_that_says_nothing_of_eggs_is_told() {
        insta::assert_snapshot!(with_eggs("[buildout]\nparts = a", Utf8Path::new("/soft/abc")), @r"
[buildout]
parts = a

[buildout]
eggs-directory = /soft/abc/eggs
develop-eggs-directory = /soft/abc/develop-eggs
");
        let text = "[buildout]\neggs-directory = /eggs\n";
        assert_eq!(with_eggs(text, Utf8Path::new("/soft/abc")), text);
    }
}
