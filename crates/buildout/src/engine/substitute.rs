//! Expanding references: `${section:option}`, `${:option}`, and what `$$` protects.

use indexmap::IndexMap;

use super::{Activity, Engine};
use crate::fault::{Fault, Reference, SubstitutionProblem};
use crate::nearest::nearest;
use crate::{BuildError, Dialect};

/// The longest text that an option may become: references that double what they refer to would fill every memory.
const LONGEST_VALUE: usize = 64 << 20;

/// How long all options of sections in use may be together, before and after their references are expanded.
pub(crate) const MOST_TEXT: usize = 256 << 20;

/// The options being expanded, the innermost last.
type Seen = Vec<(String, String)>;

impl Engine {
    /// The value of an option as a reader outside the engine gets it, its section initialised first.
    pub(crate) fn read(&mut self, section: &str, option: &str) -> Result<Option<String>, BuildError> {
        self.access(section, None)?;
        let value = self.lookup(section, option, &mut Vec::new())?;
        Ok(value.map(|value| self.unprotect(value)))
    }

    pub(crate) fn require(&mut self, section: &str, option: &str) -> Result<String, BuildError> {
        if let Some(value) = self.read(section, option)? {
            return Ok(value);
        }
        let names = self.option_names(section);
        let near = nearest(option, names.iter().map(String::as_str));
        Err(Fault::MissingOption { section: section.to_owned(), option: option.to_owned(), near }.into())
    }

    /// Every option of a section as a reader outside the engine gets it.
    pub(crate) fn copy(&mut self, section: &str) -> Result<IndexMap<String, String>, BuildError> {
        self.access(section, None)?;
        if let Some(slot) = self.slots.get_mut(section) {
            slot.options.values_mut().for_each(|entry| entry.used = true);
        }
        let options = self.slots[section].options.iter();
        Ok(options
            .map(|(option, entry)| (option.clone(), self.unprotect(entry.value().to_owned())))
            .collect())
    }

    /// One level of protection goes when a value leaves the engine.
    pub(super) fn unprotect(&self, value: String) -> String {
        match self.dialect {
            Dialect::Slapos if value.contains("$${") => value.replace("$${", "${"),
            Dialect::Slapos | Dialect::Upstream => value,
        }
    }

    /// The expanded value of an option of an initialised section, `$$` kept; the option counts as used.
    pub(super) fn lookup(
        &mut self,
        section: &str,
        option: &str,
        seen: &mut Seen,
    ) -> Result<Option<String>, BuildError> {
        let Some(entry) = self.slots.get_mut(section).and_then(|slot| slot.options.get_mut(option)) else {
            return self.missing(section, option);
        };
        entry.used = true;
        if let Some(value) = &entry.cooked {
            return Ok(Some(value.clone()));
        }
        if !entry.text.contains("${") {
            return Ok(Some(entry.text.clone()));
        }
        self.cook(section, option, seen).map(Some)
    }

    /// What an option is that its section does not have: some are worked out when somebody asks.
    fn missing(&mut self, section: &str, option: &str) -> Result<Option<String>, BuildError> {
        if section == "buildout" && option == "executable" {
            return self.default_python().map(|path| Some(path.into_string()));
        }
        let Some(mut recipe) = self.take_recipe(section) else { return Ok(None) };
        let value = recipe.late_option(option);
        self.put_recipe(section, recipe);
        value.map_err(|error| BuildError::from_recipe(section, error))
    }

    /// Expands an option while its section is initialised.
    ///
    /// zc.buildout expands what came of it once more when it is read for the first time. That finds something where a
    /// value ended in `$` before a brace or a protected reference.
    pub(super) fn cook_once(&mut self, section: &str, option: &str) -> Result<(), BuildError> {
        let value = self.expand_option(section, option, &mut Vec::new())?;
        let is_expanded_again = self.dialect == Dialect::Upstream && value.contains("${");
        // Something that the value refers to may have read or set the option meanwhile.
        if let Some(entry) = self.slots.get_mut(section).and_then(|slot| slot.options.get_mut(option))
            && entry.cooked.is_none()
        {
            if is_expanded_again {
                entry.text = value;
            } else {
                entry.cooked = Some(value);
            }
        }
        Ok(())
    }

    /// Expands an option that is read, and keeps the result.
    fn cook(&mut self, section: &str, option: &str, seen: &mut Seen) -> Result<String, BuildError> {
        let value = self.expand_option(section, option, seen)?;
        if let Some(entry) = self.slots.get_mut(section).and_then(|slot| slot.options.get_mut(option)) {
            return Ok(entry.cooked.get_or_insert(value).clone());
        }
        Ok(value)
    }

    fn expand_option(&mut self, section: &str, option: &str, seen: &mut Seen) -> Result<String, BuildError> {
        let text = self.slots[section].options[option].text.clone();
        self.doing(Activity::GettingOption(section.to_owned(), option.to_owned()), |engine| {
            seen.push((section.to_owned(), option.to_owned()));
            let value = engine.expand_text(section, option, &text, seen)?;
            seen.pop();
            engine.hold(section, option, value.len())?;
            Ok(value)
        })
    }

    /// Counts what is kept in memory: many options that repeat a long one would fill it, too.
    pub(super) fn hold(&mut self, section: &str, option: &str, length: usize) -> Result<(), BuildError> {
        self.held += length;
        if self.held > MOST_TEXT {
            let (section, option) = (section.to_owned(), option.to_owned());
            return Err(Fault::TooMuch { section, option, limit: MOST_TEXT }.into());
        }
        Ok(())
    }

    /// Expands a text that is no option, as the given section would.
    pub(crate) fn expand(&mut self, section: &str, option: &str, text: &str) -> Result<String, BuildError> {
        self.expand_text(section, option, text, &mut Vec::new())
    }

    fn expand_text(
        &mut self,
        section: &str,
        option: &str,
        text: &str,
        seen: &mut Seen,
    ) -> Result<String, BuildError> {
        let mut expanded = String::with_capacity(text.len());
        for (position, piece) in text.split("$$").enumerate() {
            if position > 0 {
                expanded.push_str("$$");
            }
            let mut rest = piece;
            while let Some((before, behind)) = rest.split_once("${") {
                let Some(end) = behind.find('}') else { break };
                expanded.push_str(before);
                let whole = &rest[before.len()..before.len() + 2 + end + 1];
                let reference = Reference {
                    section: section.to_owned(),
                    option: option.to_owned(),
                    text: whole.to_owned(),
                };
                expanded.push_str(&self.substitute(&behind[..end], &reference, seen)?);
                rest = &behind[end + 1..];
                if expanded.len() > LONGEST_VALUE {
                    let (section, option) = (section.to_owned(), option.to_owned());
                    return Err(Fault::TooLong { section, option, limit: LONGEST_VALUE }.into());
                }
            }
            expanded.push_str(rest);
        }
        Ok(expanded)
    }

    /// The value that the text between `${` and `}` stands for.
    fn substitute(
        &mut self,
        inner: &str,
        reference: &Reference,
        seen: &mut Seen,
    ) -> Result<String, BuildError> {
        let (section, option) = split_reference(inner)
            .map_err(|problem| Fault::Substitution { reference: reference.clone(), problem })?;
        let section = if section.is_empty() { reference.section.as_str() } else { section };
        self.access(section, Some(reference))?;
        if let Some(start) = seen.iter().position(|(a, b)| a == section && b == option) {
            let is_ready =
                self.slots[section].options.get(option).is_some_and(|entry| entry.cooked.is_some());
            if !is_ready {
                let mut chain = seen[start..].to_vec();
                let closing = (section.to_owned(), option.to_owned());
                chain.push(closing.clone());
                let fault = Fault::Circular { chain, reference: reference.clone() };
                return self.doing(Activity::GettingOption(closing.0, closing.1), |_| Err(fault.into()));
            }
        }
        if let Some(value) = self.lookup(section, option, seen)? {
            return Ok(value);
        }
        if option == "_buildout_section_name_" {
            return Ok(reference.section.clone());
        }
        let (section, option) = (section.to_owned(), option.to_owned());
        let mut has = self.option_names(&section);
        has.sort_unstable();
        let begun = self.initialising.iter().position(|begun| *begun == section);
        let circle = begun.map(|begun| self.initialising[begun..].to_vec()).filter(|circle| circle.len() > 1);
        let circle = circle.unwrap_or_default();
        Err(Fault::UnknownOption { section, option, reference: reference.clone(), has, circle }.into())
    }
}

fn split_reference(inner: &str) -> Result<(&str, &str), SubstitutionProblem> {
    let (section, option) = inner.split_once(':').ok_or(SubstitutionProblem::NoColon)?;
    if option.contains(':') {
        return Err(SubstitutionProblem::TooManyColons);
    }
    let is_name = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '-' | '.' | '_' | ' ');
    if !section.chars().all(is_name) || (section.is_empty() && option.is_empty()) {
        return Err(SubstitutionProblem::SectionName);
    }
    if option.is_empty() || !option.chars().all(is_name) {
        return Err(SubstitutionProblem::OptionName);
    }
    Ok((section, option))
}

#[cfg(test)]
mod tests {
    use camino::Utf8PathBuf;

    use crate::fuzzing::meaning;
    use crate::{CommandLine, Dialect, Settings};

    /// A command in a new directory with this profile.
    fn settings(profile: &str, command: &str, dialect: Dialect) -> (tempfile::TempDir, Settings) {
        let guard = tempfile::tempdir().unwrap();
        let root = Utf8PathBuf::try_from(guard.path().to_owned()).unwrap();
        fs_err::write(root.join("buildout.cfg"), profile).unwrap();
        let mut settings = Settings::new(CommandLine::parse(["-U", command]).unwrap(), root);
        settings.dialect = dialect;
        (guard, settings)
    }

    /// `a:x` of a profile whose `b:x` ends in a dollar sign before what `$$` protects.
    fn protected_behind_a_dollar(dialect: Dialect) -> String {
        let profile = "[buildout]\n[a]\nx = ${b:x}$${b:y}\n[b]\nx = $\ny = 1\n";
        let (_guard, settings) = settings(profile, "annotate", dialect);
        let meaning = meaning(settings);
        let (_, options) = meaning.sections.into_iter().find(|(name, _)| name == "a").unwrap();
        options.into_iter().find(|(name, _)| name == "x").unwrap().1
    }

    #[test]
    fn zc_buildout_expands_what_an_expansion_has_uncovered() {
        assert_eq!(protected_behind_a_dollar(Dialect::Upstream), "$$1");
    }

    #[test]
    fn zc_buildout_uncovers_what_is_to_be_built_when_it_builds() {
        let profile = "[buildout]\nl = $\nparts = ${:l}$${a:z}\n";
        let done = |command| crate::run(settings(profile, command, Dialect::Upstream).1).map(drop);

        assert!(done("annotate").is_ok());
        assert!(done("install").unwrap_err().to_string().contains("[a]"));
    }

    #[test]
    fn what_is_protected_stays_protected_in_the_dialect_of_slapos() {
        assert_eq!(protected_behind_a_dollar(Dialect::Slapos), "$${b:y}");
    }
}
