//! The commands of a part, put together from its options.

use std::borrow::Cow;

use buildout::RecipeError;
use indexmap::IndexMap;

use crate::percent_names;

/// What a part runs, in the order of running it. Every text is for a shell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Commands {
    pub(super) pre_configure: Option<String>,
    pub(super) configure: String,
    pub(super) pre_build: Option<String>,
    pub(super) make: String,
    pub(super) pre_install: Option<String>,
    pub(super) install: String,
    pub(super) post_install: Option<String>,
    /// How patches are applied: to be followed by their redirection. No names are expanded in it.
    pub(super) patch: String,
}

impl Commands {
    /// Puts the commands of a part with these options together.
    ///
    /// # Errors
    /// A text names an option that the part does not have.
    pub(super) fn new(options: &IndexMap<String, String>) -> Result<Self, RecipeError> {
        let option = |name: &str, default: &'static str| {
            options.get(name).map_or(Cow::Borrowed(default), |text| Cow::Owned(text.trim().to_owned()))
        };
        let words = |name: &str, default: &'static str| joined(&option(name, default));
        let prefix = format!("prefix=\"{}\"", option("prefix", ""));
        let make = option("make-binary", "make");
        let make_options = words("make-options", "");
        let mut targets = words("make-targets", "install");
        let mut configure = option("configure-command", "").into_owned();
        let mut configure_options = words("configure-options", "");
        if configure.is_empty() {
            "./configure".clone_into(&mut configure);
            if !configure_options.contains("--prefix") {
                configure_options = format!("--{prefix} {configure_options}").trim_end().to_owned();
            }
        } else if make == "make" && targets == "install" {
            targets = format!("{targets} {prefix}");
        }
        let expand = |blamed: &str, text: &str| expanded(options, blamed, text);
        let hook = |name: &str| -> Result<Option<String>, RecipeError> {
            let text = expand(name, &option(name, ""))?;
            Ok((!text.is_empty()).then_some(text))
        };
        Ok(Self {
            pre_configure: hook("pre-configure")?,
            configure: expand("configure-options", &format!("{configure} {configure_options}"))?,
            pre_build: hook("pre-build")?,
            make: expand("make-options", &format!("{make} {make_options}"))?,
            pre_install: hook("pre-install")?,
            install: expand("make-targets", &format!("{make} {make_options} {targets}"))?,
            post_install: hook("post-install")?,
            patch: format!("{} {}", option("patch-binary", "patch"), words("patch-options", "-p0")),
        })
    }
}

fn joined(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn expanded(options: &IndexMap<String, String>, blamed: &str, text: &str) -> Result<String, RecipeError> {
    if !text.contains('%') {
        return Ok(text.to_owned());
    }
    let decoded = options.iter().map(|(name, text)| {
        // What is no typed value after all is text.
        let value = buildout::Value::from_option(text).map(|value| crate::jinja::from_option(&value));
        (name.as_str(), value.unwrap_or_else(|_| text.as_str().into()))
    });
    percent_names::expand(text, decoded).map_err(|error| {
        RecipeError::new(format!("the names in `{blamed}` cannot be expanded"))
            .because(error)
            .option(blamed)
            .hint("%(name)s stands for the option `name` of the part; write %% for a percent sign")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn commands(options: &[(&str, &str)]) -> Result<Commands, RecipeError> {
        let options = [("location", "/l"), ("prefix", "/l")].iter().chain(options);
        Commands::new(&options.map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect())
    }

    #[test]
    fn the_usual_commands_are_those_of_autotools() {
        let commands = commands(&[("configure-options", "--with-x\n  --y=%(location)s/y")]).unwrap();

        assert_eq!(commands.configure, "./configure --prefix=\"/l\" --with-x --y=/l/y");
        assert_eq!((commands.make.as_str(), commands.install.as_str()), ("make ", "make  install"));
        assert_eq!(commands.patch, "patch -p0");
        assert_eq!(commands.pre_configure, None);
    }

    #[test]
    fn a_prefix_that_the_profile_gives_is_the_only_one() {
        let own = commands(&[("configure-options", "--prefix=/own")]).unwrap();
        let command =
            commands(&[("configure-command", "./Configure"), ("make-options", "-k\n  V=1")]).unwrap();
        let targets = commands(&[("configure-command", ":"), ("make-targets", "install_sw")]).unwrap();
        let program = commands(&[("configure-command", ":"), ("make-binary", "ninja")]).unwrap();

        assert_eq!(own.configure, "./configure --prefix=/own");
        assert_eq!(command.configure, "./Configure ");
        assert_eq!(command.install, "make -k V=1 install prefix=\"/l\"");
        assert_eq!(targets.install, "make  install_sw");
        assert_eq!(program.install, "ninja  install");
    }

    #[test]
    fn an_option_that_is_not_there_is_named() {
        let error = commands(&[("post-install", "cp a %(target)s")]).unwrap_err();

        assert_eq!(error.to_string(), "the names in `post-install` cannot be expanded");
        assert_eq!(std::error::Error::source(&error).unwrap().to_string(), "there is no target");
    }
}
